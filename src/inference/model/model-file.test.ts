import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantiseEncoder } from "../convert/float-encoder.ts";
import { quantiseLlama } from "../convert/float-llama.ts";
import { encodeTokens } from "../reference/encoder.ts";
import { ODD_ENCODER, randomEncoder } from "../reference/float-encoder.contract.ts";
import { ReferenceLlama } from "../reference/llama.ts";
import type { EncoderModel } from "./encoder-model.ts";
import { layoutOf } from "./layout.ts";
import type { LlamaModel } from "./llama-model.ts";
import {
  type ModelAbout,
  readEncoder,
  readLlama,
  readModel,
  readModelHeader,
  writeModel,
} from "./model-file.ts";
import { randomLlama, SMALL_SHAPE } from "./random-llama.contract.ts";

const ABOUT: ModelAbout = {
  name: "random",
  licence: "CC0-1.0",
  sourceSha256: new Uint8Array(32).fill(7),
  text: JSON.stringify({ tokens: ["a", "é"] }),
};

const llama = quantiseLlama(randomLlama(SMALL_SHAPE, 1), 8);
const encoder = quantiseEncoder(randomEncoder(ODD_ENCODER, 1), 8);
const models: readonly (LlamaModel | EncoderModel)[] = [
  llama,
  quantiseLlama(
    randomLlama({ ...SMALL_SHAPE, width: 33, inner: 5, rotation: "neighbours" }, 2, { biases: true }),
    4,
  ),
  encoder,
  quantiseEncoder(randomEncoder({ ...ODD_ENCODER, output: 1, layers: [ODD_ENCODER.layers[0]!] }, 2), 4),
];

function bitsOf(model: LlamaModel | EncoderModel): unknown {
  return model.kind === "llama" ? new ReferenceLlama(model).step(3) : encodeTokens(model, [3, 1, 4]);
}

describe("a model file", () => {
  it("gives back the model that was written, and writes the same bytes again", () => {
    for (const model of models) {
      const file = writeModel(model, ABOUT);
      const stored = readModel(file);
      expect(stored.about).toEqual(ABOUT);
      expect(stored.kind).toBe(model.kind);
      expect(stored.model).toEqual(model);
      expect(writeModel(stored.model, stored.about)).toEqual(file);
      expect(bitsOf(stored.model)).toEqual(bitsOf(model));
    }
  });

  it("is read at any place of a buffer", () => {
    for (const model of models) {
      const file = writeModel(model, ABOUT);
      const shifted = new Uint8Array(file.length + 3);
      shifted.set(file, 3);
      expect(readModel(shifted.subarray(3)).model).toEqual(model);
    }
  });

  it("is refused where the other kind is wanted", () => {
    const [one, other] = [writeModel(llama, ABOUT), writeModel(encoder, ABOUT)];
    expect(readLlama(one).model).toEqual(llama);
    expect(readEncoder(other).model).toEqual(encoder);
    expect(() => readLlama(other)).toThrow("holds a sentence encoder");
    expect(() => readEncoder(one)).toThrow("no encoder");
  });

  it.each([llama, encoder])("cut short or longer is refused: $kind", (model) => {
    const file = writeModel(model, ABOUT);
    for (const length of [0, 7, 11, 12, 100, file.length - 1])
      expect(() => readModel(file.subarray(0, length)), String(length)).toThrow("malformed");
    expect(() => readModel(new Uint8Array([...file, 0]))).toThrow("its header says");
  });

  it.each([llama, encoder])(
    "with any byte changed is refused, or is the file of another model: $kind",
    (original) => {
      const file = writeModel(original, ABOUT);
      const { tensorsAt } = readModelHeader(file);
      const anywhere = fc.oneof(fc.nat({ max: tensorsAt + 64 }), fc.nat({ max: file.length - 1 }));
      fc.assert(
        fc.property(anywhere, fc.integer({ min: 1, max: 255 }), (at, change) => {
          const changed = file.slice();
          changed[at]! ^= change;
          try {
            const { model, about } = readModel(changed);
            if (!Buffer.from(writeModel(model, about)).equals(changed)) expect.fail(`byte ${at} is lost`);
          } catch (error) {
            expect(String(error)).toMatch(/malformed|too-large/);
          }
        }),
        { numRuns: 2_000 },
      );
    },
  );

  it.each<[string, string, Partial<EncoderModel>]>([
    ["another width between layers", "go on", { shape: withLayer(1, { input: 45 }) }],
    ["a layer of no heads", "is 0", { shape: withLayer(0, { heads: 0 }) }],
    ["rows that cannot be added up", "16384", { shape: withLayer(1, { width: 16_385 }) }],
    ["no layers", "go on", { shape: { ...ODD_ENCODER, layers: [] }, layers: [] }],
    ["fewer layers than its sizes", "two norms", { layers: encoder.layers.slice(1) }],
    [
      "a bias for another matrix",
      "pool.bias has 4 bytes",
      { pool: { ...encoder.pool, bias: new Int32Array(1) } },
    ],
  ])("cannot be of an encoder with %s", (_, message, change) => {
    expect(() => writeModel({ ...encoder, ...change }, ABOUT)).toThrow(message);
  });

  it("with many layers has a header that is read", () => {
    const layer = { input: 3, width: 3, heads: 1, headSize: 2, inner: 1 };
    const shape = {
      vocabulary: 2,
      context: 1,
      width: 3,
      output: 1,
      layers: Array.from({ length: 256 }, () => layer),
    };
    const many = quantiseEncoder(randomEncoder(shape, 5), 8);
    const name = "n".repeat(1_024);
    const stored = readModel(writeModel(many, { ...ABOUT, name, licence: name }));
    expect(stored.model).toEqual(many);
  });

  it("whose sums could leave 32 bits is refused", () => {
    const wide = quantiseLlama(randomLlama({ ...SMALL_SHAPE, inner: 2_144 }, 3), 8);
    const file = writeModel(wide, ABOUT);
    const { header, tensorsAt } = readModelHeader(file);
    const place = (name: string): number =>
      tensorsAt + layoutOf(header).places.find((each) => each.name === name)!.offset;
    file.fill(63, place("layers.0.down.multipliers"), place("layers.0.down.multipliers") + 67);
    file.fill(127, place("layers.0.down.values"), place("layers.0.down.values") + 2_144);
    expect(() => readModel(file)).toThrow("row 0 of layers.0.down cannot be added up");
    file[place("layers.0.gate.multipliers")] = 64;
    expect(() => readModel(file)).toThrow("layers.0.gate has the multiplier 64");
  });
});

function withLayer(
  at: number,
  sizes: Partial<EncoderModel["shape"]["layers"][number]>,
): EncoderModel["shape"] {
  const layers = ODD_ENCODER.layers.map((layer, i) => (i === at ? { ...layer, ...sizes } : layer));
  return { ...ODD_ENCODER, layers };
}
