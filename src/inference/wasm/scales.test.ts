import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oddModel } from "../backend.contract.ts";
import { packScale } from "../numerics/scale.ts";
import { referenceBackend } from "../reference/reference-backend.ts";
import { createWasmBackend } from "./wasm-backend.ts";

const VOCABULARY = 21;
const MODEL = oddModel({ name: "", shape: { vocabulary: VOCABULARY, layers: 1 } });

/** Exponents around which a product is shifted by 1 to 31, and any others. */
const exponents = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -50, max: 10 }) },
  { weight: 1, arbitrary: fc.integer({ min: -420, max: 420 }) },
  { weight: 1, arbitrary: fc.integer({ min: -32_768, max: 32_767 }) },
);
const mantissas = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0x8000, max: 0xffff }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 0x7fff, 0x8000, 0x8001, 0xffff) },
);
const scales = fc
  .array(fc.tuple(mantissas, exponents), { minLength: VOCABULARY, maxLength: VOCABULARY })
  .map((pairs) => Uint32Array.from(pairs, ([mantissa, exponent]) => packScale(mantissa, exponent)));

describe.each(["baseline", "relaxed"] as const)("scales of outputs, %s", (build) => {
  it("give the reference's bits, whatever they are", async () => {
    const rows = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), {
      minLength: 5 * MODEL.shape.width,
      maxLength: 5 * MODEL.shape.width,
    });
    await fc.assert(
      fc.asyncProperty(scales, rows, async (own, values) => {
        const model = { ...MODEL, head: { ...MODEL.head, scales: own } };
        const hidden = Int32Array.from(values);
        const reference = await referenceBackend.open(model);
        const decoder = await createWasmBackend({ build }).open(model);
        expect(await decoder.logits(hidden)).toEqual(await reference.logits(hidden));
      }),
      { numRuns: 200 },
    );
  });
});
