import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readArtefact, sha256 } from "../artefact.ts";
import { compileAssemblyScript } from "../compile-assemblyscript.ts";
import { compileC, findToolchain } from "../compile-c.ts";
import { loadBytesFunction } from "../run-bytes.ts";

/** Compiling takes seconds; on a machine that does other things besides, a minute. */
const COMPILING_MS = 120_000;

describe.each(["noop.wasm", "noop-c.wasm"])("%s", (name) => {
  const target = new URL(name, import.meta.url);

  it("is what its SHA-256 says", async () => {
    const { wasm, recordedSha256 } = await readArtefact(target);
    expect(sha256(wasm)).toBe(recordedSha256);
  });

  it("returns its input", async () => {
    const { wasm } = await readArtefact(target);
    const noop = await loadBytesFunction(wasm);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200_000 }), (input) => {
        expect(Buffer.compare(noop(input), input)).toBe(0);
      }),
    );
    const large = new Uint8Array(3 << 20).fill(7);
    expect(sha256(noop(large))).toBe(sha256(large));
  });
});

it(
  "noop.wasm is what the compiler makes of its source",
  async () => {
    const { recordedSha256 } = await readArtefact(new URL("noop.wasm", import.meta.url));
    expect(sha256(await compileAssemblyScript(new URL("noop.as.ts", import.meta.url)))).toBe(recordedSha256);
  },
  COMPILING_MS,
);

it(
  "noop-c.wasm is what the recorded compiler makes of its source",
  async ({ skip }) => {
    const recorded = await readFile(new URL("noop-c.wasm.toolchain", import.meta.url), "utf8");
    const found = await findToolchain("bare");
    if (found !== recorded.trim()) {
      console.log(`noop-c.wasm not rebuilt: it was made by ${recorded.trim()}, here is ${found ?? "none"}`);
      skip();
    }
    const { recordedSha256 } = await readArtefact(new URL("noop-c.wasm", import.meta.url));
    expect(sha256(await compileC(new URL("noop.c", import.meta.url), "bare"))).toBe(recordedSha256);
  },
  COMPILING_MS,
);
