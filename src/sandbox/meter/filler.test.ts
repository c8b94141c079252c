import { expect, it } from "vitest";
import { decodeModule, SECTION } from "../decode/decode-module.ts";
import { meterModule } from "../meter.ts";
import { wat } from "../wat.contract.ts";

const MODULE = `(module
  (func $f (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $f (i32.sub (local.get 0) (i32.const 1))) (call $f (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "run") (param i32) (result i32) (call $f (local.get 0))))`;

/** Sizes of the bodies, without looking at what is in them: the exports' names are refused by the decoder. */
function bodySizes(bytes: Uint8Array): readonly number[] {
  const renamed = Uint8Array.from(bytes);
  const text = new TextDecoder("latin1").decode(renamed);
  for (const { index } of text.matchAll(/tabmesh:/gu)) renamed[index] = "T".charCodeAt(0);
  const shape = decodeModule(renamed);
  expect(shape.sections.has(SECTION.code)).toBe(true);
  return shape.bodies.map(({ start, end }) => end - start);
}

it("at least half of a metered module's functions are tiny, whatever it was before", async () => {
  const bytes = await wat(MODULE);
  for (const options of [{}, { standalone: true }] as const) {
    const sizes = bodySizes(meterModule(bytes, options).bytes);
    expect(sizes.filter((size) => size < 10).length * 2).toBeGreaterThanOrEqual(sizes.length);
  }
});

it("the precise form, which runs once, has none added", async () => {
  const bytes = await wat(MODULE);
  expect(bodySizes(meterModule(bytes, { form: "precise" }).bytes)).toHaveLength(2);
});

it("a module without functions gets none", async () => {
  const { bytes } = meterModule(await wat(`(module (memory (export "memory") 1))`));
  expect(WebAssembly.validate(bytes)).toBe(true);
});
