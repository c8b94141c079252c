/* What every backend of encoders must do: the bits of the reference, for encoders of shapes that fit no tile. Runs in Node and in browsers. */
import { describe, expect, it } from "vitest";
import type { EncoderBackend } from "./backend.ts";
import { quantiseEncoder } from "./convert/float-encoder.ts";
import type { EncoderModel, EncoderShape } from "./model/encoder-model.ts";
import { ODD_ENCODER, randomEncoder } from "./reference/float-encoder.contract.ts";
import { referenceEncoderBackend } from "./reference/reference-encoder.ts";

interface Case {
  readonly name: string;
  readonly shape: EncoderShape;
  readonly bits?: 4 | 8;
}

function encoderOf(
  context: number,
  width: number,
  layers: EncoderShape["layers"],
  output: number,
): EncoderShape {
  return { vocabulary: 29, context, width, layers, output };
}

/** Each has something that is no multiple of a panel, a group or a vector. */
export const ODD_ENCODERS: readonly Case[] = [
  { name: "heads of 6 and 33", shape: ODD_ENCODER },
  { name: "4 bits", shape: ODD_ENCODER, bits: 4 },
  {
    name: "narrower from layer to layer",
    shape: encoderOf(
      13,
      100,
      [
        { input: 100, width: 65, heads: 5, headSize: 20, inner: 37 },
        { input: 65, width: 64, heads: 2, headSize: 1, inner: 200 },
        { input: 64, width: 3, heads: 3, headSize: 7, inner: 1 },
      ],
      9,
    ),
  },
  {
    name: "a context of 1, everything 1",
    shape: encoderOf(1, 1, [{ input: 1, width: 1, heads: 1, headSize: 1, inner: 1 }], 1),
  },
  {
    name: "a context of 300",
    shape: encoderOf(300, 32, [{ input: 32, width: 32, heads: 2, headSize: 16, inner: 64 }], 40),
  },
  {
    name: "rows of 300",
    shape: encoderOf(20, 300, [{ input: 300, width: 515, heads: 3, headSize: 130, inner: 129 }], 300),
  },
];

export function oddEncoder({ shape, bits = 8 }: Case): EncoderModel {
  return quantiseEncoder(randomEncoder(shape, 7), bits);
}

/** Texts of all lengths up to the context and beyond, long beside short. */
export function someTexts({ shape: { vocabulary, context } }: EncoderModel, count: number): number[][] {
  return Array.from({ length: count }, (_, text) =>
    Array.from({ length: 1 + ((text * 37) % (context + 2)) }, (__, i) => (i * 7 + text * 11) % vocabulary),
  );
}

export function describeEncoderBits(name: string, backend: EncoderBackend): void {
  describe(`${name} has the bits of the reference`, () => {
    it.each(ODD_ENCODERS)("$name", async (odd) => {
      const model = oddEncoder(odd);
      const texts = someTexts(model, 12);
      const reference = await referenceEncoderBackend.openEncoder(model);
      const encoder = await backend.openEncoder(model);
      const expected = await reference.encode(texts);
      expect(await encoder.encode(texts)).toEqual(expected);
      // What a batch leaves behind changes nothing of the next.
      const turned = texts.toReversed();
      expect(await encoder.encode(turned)).toEqual(expected.toReversed());
      expect(encoder.memoryBytes).toBeGreaterThan(model.pool.matrix.values.byteLength);
      encoder.close();
    });

    it("in whatever batches the texts come", async () => {
      const model = oddEncoder({ name: "", shape: ODD_ENCODER });
      const texts = someTexts(model, 90);
      const reference = await referenceEncoderBackend.openEncoder(model);
      const expected = await reference.encode(texts);
      const encoder = await backend.openEncoder(model);
      for (const size of [1, 7, 90]) {
        const found: Int16Array[] = [];
        for (let at = 0; at < texts.length; at += size)
          // oxlint-disable-next-line no-await-in-loop -- calls come one after the other
          found.push(...(await encoder.encode(texts.slice(at, at + size))));
        expect(found).toEqual(expected);
      }
      expect(await encoder.encode([])).toEqual([]);
      encoder.close();
    });

    it("ends when the signal says so, and goes on with the next call", async () => {
      const model = oddEncoder(ODD_ENCODERS[5]!);
      const texts = someTexts(model, 300);
      const encoder = await backend.openEncoder(model);
      const reason = new Error("enough");
      await expect(encoder.encode(texts, AbortSignal.abort(reason))).rejects.toBe(reason);
      const stop = new AbortController();
      const running = encoder.encode(texts, stop.signal);
      stop.abort(reason);
      await expect(running).rejects.toBe(reason);
      const reference = await referenceEncoderBackend.openEncoder(model);
      const some = texts.slice(0, 5);
      expect(await encoder.encode(some, new AbortController().signal)).toEqual(await reference.encode(some));
      encoder.close();
    });

    it("refuses texts without tokens and tokens beyond the vocabulary", async () => {
      const encoder = await backend.openEncoder(oddEncoder({ name: "", shape: ODD_ENCODER }));
      for (const texts of [[[1], []], [[0, 23]], [[-1]], [[0.5]]])
        await expect(encoder.encode(texts), JSON.stringify(texts)).rejects.toThrow(RangeError);
      // A token that is left out is not looked at.
      await expect(encoder.encode([[1, 1, 1, 1, 1, 1, 1, 1, 1, 99]])).resolves.toHaveLength(1);
      encoder.close();
    });
  });
}
