import { expect, it } from "vitest";
import { describeBits } from "../backend.contract.ts";
import { fastestBuild } from "./kernels.ts";
import { createWasmBackend } from "./wasm-backend.ts";

for (const build of ["baseline", "relaxed"] as const)
  describeBits(`WebAssembly in a browser, ${build}`, createWasmBackend({ build }));

it("takes the relaxed kernels where the browser has the instruction", async () => {
  expect(await fastestBuild()).toBe("relaxed");
});
