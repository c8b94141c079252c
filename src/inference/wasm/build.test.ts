import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { BUILDS, compileKernels, findKernelToolchain, moduleSource, moduleUrl } from "./build.contract.ts";
import { FIRST_ADDRESS, fastestBuild, loadKernels } from "./kernels.ts";

/** Compiling takes seconds; on a machine that does other things besides, a minute. */
const COMPILING_MS = 120_000;

describe.each(BUILDS)("the %s kernels", (build) => {
  it(
    "are what the recorded compiler makes of their source",
    async ({ skip }) => {
      const found = await findKernelToolchain();
      const embedded = await readFile(moduleUrl(build), "utf8");
      if (found === undefined || !embedded.includes(` with ${found}. Base64. `)) {
        console.log(`${build} kernels not rebuilt: here is ${found ?? "no compiler"}`);
        skip();
      } else expect(moduleSource(build, await compileKernels(build), found)).toBe(embedded);
    },
    COMPILING_MS,
  );

  it("find this machine's instructions exact", async () => {
    const { kernels } = await loadKernels(build, FIRST_ADDRESS);
    expect(kernels.selfTest()).toBe(1);
  });
});

it("the fastest kernels here are the relaxed ones", async () => {
  expect(await fastestBuild()).toBe("relaxed");
});
