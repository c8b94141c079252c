import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import {
  BUILDS,
  compileKernels,
  findKernelToolchain,
  moduleSource,
  moduleUrl,
  PROGRAMS,
} from "./build.contract.ts";
import { FIRST_ADDRESS, fastestBuild, loadKernels } from "./kernels.ts";

/** Compiling takes seconds; on a machine that does other things besides, a minute. */
const COMPILING_MS = 120_000;

describe.each(BUILDS)("the %s kernels", (build) => {
  it.for(PROGRAMS)(
    "of the %s program are what the recorded compiler makes of their source",
    { timeout: COMPILING_MS },
    async (program, { skip }) => {
      const found = await findKernelToolchain();
      const embedded = await readFile(moduleUrl(program, build), "utf8");
      if (found === undefined || !embedded.includes(` with ${found}. Base64. `)) {
        console.log(`${program}, ${build} not rebuilt: here is ${found ?? "no compiler"}`);
        skip();
      } else {
        const compiled = await compileKernels(program, build);
        expect(moduleSource(program, build, compiled, found)).toBe(embedded);
      }
    },
  );

  it("find this machine's instructions exact", async () => {
    const { kernels } = await loadKernels(build, FIRST_ADDRESS);
    expect(kernels.selfTest()).toBe(1);
  });
});

it("the fastest kernels here are the relaxed ones", async () => {
  expect(await fastestBuild()).toBe("relaxed");
});
