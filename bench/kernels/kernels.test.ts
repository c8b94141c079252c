import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { readArtefact, sha256 } from "../../examples/artefact.ts";
import { compileC, findToolchain } from "../../examples/compile-c.ts";
import { meterModule, METER_EXPORTS } from "../../src/sandbox/meter.ts";
import { KERNELS, kernelUrl, readKernel } from "./kernels.ts";

/** Compiling takes seconds; on a machine that does other things besides, a minute. */
const COMPILING_MS = 120_000;

async function resultOf(wasm: Uint8Array<ArrayBuffer>, n: number): Promise<unknown> {
  const { instance } = await WebAssembly.instantiate(wasm);
  const { run } = instance.exports;
  if (typeof run !== "function") throw new TypeError("a kernel exports run");
  return run(n);
}

it.each(KERNELS)("$name gives its result, metered or not", async ({ name, n, result }) => {
  const wasm = await readKernel(name);
  expect(await resultOf(wasm, n)).toBe(result);
  const metered = meterModule(wasm).bytes;
  expect(WebAssembly.Module.exports(new WebAssembly.Module(metered)).map((each) => each.name)).toContain(
    METER_EXPORTS.fuel,
  );
  expect(await resultOf(metered, n)).toBe(result);
});

it.each(KERNELS)("$name.wasm is what its SHA-256 says", async ({ name }) => {
  const { wasm, recordedSha256 } = await readArtefact(kernelUrl(name, "wasm"));
  expect(sha256(wasm)).toBe(recordedSha256);
});

it(
  "the kernels are what the recorded compiler makes of their sources",
  async ({ skip }) => {
    const recorded = await readFile(new URL("toolchain", import.meta.url), "utf8");
    const found = await findToolchain("bare");
    if (found !== recorded.trim()) {
      console.log(`kernels not rebuilt: they were made by ${recorded.trim()}, here is ${found ?? "none"}`);
      skip();
    }
    for (const { name } of KERNELS) {
      const { recordedSha256 } = await readArtefact(kernelUrl(name, "wasm"));
      expect(sha256(await compileC(kernelUrl(name, "c"), "bare")), name).toBe(recordedSha256);
    }
  },
  COMPILING_MS,
);
