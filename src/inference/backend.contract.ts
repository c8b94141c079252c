/* What every backend must do: the bits of the reference, for models of shapes that fit no tile. Runs in Node and in browsers. */
import { describe, expect, it } from "vitest";
import type { Backend } from "./backend.ts";
import { quantiseLlama } from "./convert/float-llama.ts";
import type { LlamaModel, LlamaShape } from "./model/llama-model.ts";
import { randomLlama, SMALL_SHAPE } from "./model/random-llama.contract.ts";
import { referenceBackend } from "./reference/reference-backend.ts";

interface Case {
  readonly name: string;
  readonly shape: Partial<LlamaShape>;
  readonly bits?: 4 | 8;
  readonly biases?: boolean;
  readonly outliers?: number;
}

/** Each has something that is no multiple of a panel, a group or a vector. */
export const ODD_SHAPES: readonly Case[] = [
  { name: "small", shape: {} },
  { name: "4 bits", shape: {}, bits: 4 },
  { name: "biases", shape: {}, biases: true },
  { name: "biases, 4 bits, outliers", shape: {}, biases: true, bits: 4, outliers: 20 },
  { name: "3 heads on 1, of 6 values", shape: { width: 18, heads: 3, keyHeads: 1, headSize: 6, inner: 37 } },
  {
    name: "neighbours turn, heads of 20",
    shape: { width: 100, heads: 5, keyHeads: 5, headSize: 20, rotation: "neighbours", vocabulary: 57 },
  },
  { name: "heads of 64", shape: { width: 128, heads: 2, keyHeads: 1, headSize: 64, inner: 129 } },
  { name: "heads of 130", shape: { width: 33, heads: 2, keyHeads: 2, headSize: 130, inner: 65, layers: 1 } },
  { name: "a vocabulary of 1", shape: { vocabulary: 1, inner: 1 } },
  { name: "a context of 7", shape: { context: 7, layers: 1 } },
  { name: "rows of 300, outliers", shape: { width: 300, inner: 515, layers: 1 }, outliers: 50 },
];

export function oddModel({ shape, bits = 8, biases = false, outliers = 1 }: Case): LlamaModel {
  return quantiseLlama(randomLlama({ ...SMALL_SHAPE, ...shape }, 7, { biases, outliers }), bits);
}

/** Tokens of a fixed pattern, as many as the model has positions. */
export function someTokens({ shape }: LlamaModel, count: number = shape.context): number[] {
  return Array.from({ length: count }, (_, i) => (i * 7 + ((i * i) % 5)) % shape.vocabulary);
}

/** @param open of the backend under test */
export function describeBits(name: string, backend: Backend): void {
  describe(`${name} has the bits of the reference`, () => {
    it.each(ODD_SHAPES)("$name", async (odd) => {
      const model = oddModel(odd);
      const tokens = someTokens(model);
      const reference = await referenceBackend.open(model);
      const decoder = await backend.open(model);
      const expected = await reference.forward(tokens);
      const found = await decoder.forward(tokens);
      expect(found).toEqual(expected);
      expect(await decoder.logits(found)).toEqual(await reference.logits(expected));
      await expect(decoder.forward([0])).rejects.toThrow(RangeError);
      decoder.rewind(1);
      const again = await decoder.forward(tokens.slice(1));
      expect(again).toEqual(expected.subarray(model.shape.width));
      expect(decoder.positions).toBe(tokens.length);
      decoder.close();
    });

    it("in whatever batches the tokens come", async () => {
      const model = oddModel({ name: "", shape: { context: 200, layers: 1 } });
      const tokens = someTokens(model);
      const reference = await referenceBackend.open(model);
      const expected = await reference.forward(tokens);
      const { width } = model.shape;
      for (const splits of [[1, 2, 17, 50, 96, 34], [200], [64, 65, 3, 4, 5, 59], [199, 1]]) {
        const decoder = await backend.open(model);
        let at = 0;
        for (const count of splits) {
          const hidden = await decoder.forward(tokens.slice(at, at + count));
          expect(hidden).toEqual(expected.subarray(at * width, (at + count) * width));
          at += count;
        }
        decoder.close();
      }
    });

    it("stops in the middle when told so, takes in nothing, and goes on as if nothing had been", async () => {
      const model = oddModel({ name: "", shape: { context: 4096, layers: 1, headSize: 40 } });
      const tokens = someTokens(model);
      const decoder = await backend.open(model);
      const taken = tokens.slice(0, 5);
      const expected = await decoder.forward(taken);
      decoder.rewind(3);
      const controller = new AbortController();
      const told = new Error("paused");
      setTimeout(() => controller.abort(told), 1);
      const run = async (): Promise<void> => {
        // However fast it is, one of them is under way when the signal comes.
        for (let i = 0; i < 20; i += 1) {
          await decoder.forward(tokens.slice(3), controller.signal);
          decoder.rewind(3);
        }
      };
      await expect(run()).rejects.toBe(told);
      expect(decoder.positions).toBe(3);
      await expect(decoder.forward([0], controller.signal)).rejects.toBe(told);
      await expect(decoder.logits(expected, controller.signal)).rejects.toBe(told);
      expect(await decoder.forward(taken.slice(3))).toEqual(expected.subarray(3 * model.shape.width));
      decoder.close();
    });

    it("refuses a token beyond the vocabulary and takes in nothing", async () => {
      const decoder = await backend.open(oddModel({ name: "", shape: {} }));
      await expect(decoder.forward([0, SMALL_SHAPE.vocabulary])).rejects.toThrow(RangeError);
      await expect(decoder.forward([-1])).rejects.toThrow(RangeError);
      expect(decoder.positions).toBe(0);
      decoder.close();
    });
  });
}
