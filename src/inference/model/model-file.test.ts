import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantiseLlama } from "../convert/float-llama.ts";
import { ReferenceLlama } from "../reference/llama.ts";
import { layoutOf } from "./layout.ts";
import { type ModelAbout, readModel, readModelHeader, writeModel } from "./model-file.ts";
import { randomLlama, SMALL_SHAPE } from "./random-llama.contract.ts";

const ABOUT: ModelAbout = {
  name: "random",
  licence: "CC0-1.0",
  sourceSha256: new Uint8Array(32).fill(7),
  text: JSON.stringify({ tokens: ["a", "é"] }),
};

const models = [
  quantiseLlama(randomLlama(SMALL_SHAPE, 1), 8),
  quantiseLlama(
    randomLlama({ ...SMALL_SHAPE, width: 33, inner: 5, rotation: "neighbours" }, 2, { biases: true }),
    4,
  ),
];

describe("a model file", () => {
  it("gives back the model that was written, and writes the same bytes again", () => {
    for (const model of models) {
      const file = writeModel(model, ABOUT);
      const stored = readModel(file);
      expect(stored.about).toEqual(ABOUT);
      expect(stored.model).toEqual(model);
      expect(writeModel(stored.model, stored.about)).toEqual(file);
      const [here, there] = [model, stored.model].map((each) => new ReferenceLlama(each).step(3));
      expect(there).toEqual(here);
    }
  });

  it("is read at any place of a buffer", () => {
    const file = writeModel(models[0]!, ABOUT);
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    expect(readModel(shifted.subarray(3)).model).toEqual(models[0]);
  });

  it("cut short or longer is refused", () => {
    const file = writeModel(models[0]!, ABOUT);
    for (const length of [0, 7, 11, 12, 100, file.length - 1])
      expect(() => readModel(file.subarray(0, length)), String(length)).toThrow("malformed");
    expect(() => readModel(new Uint8Array([...file, 0]))).toThrow("its header says");
  });

  it("with any byte changed is refused, or is the file of another model", () => {
    const file = writeModel(models[0]!, ABOUT);
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
