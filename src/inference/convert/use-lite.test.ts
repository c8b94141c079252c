import { describe, expect, it } from "vitest";
import { ODD_ENCODER, randomEncoder } from "../reference/float-encoder.contract.ts";
import { useLiteFiles } from "../reference/use-lite.contract.ts";
import { quantiseEncoder } from "./float-encoder.ts";
import { readManifest } from "./tfjs-weights.ts";
import { readUseLite, type UseLiteFiles } from "./use-lite.ts";

function manifest(weights: readonly object[], paths: readonly string[] = ["a", "b"]): string {
  return JSON.stringify({ weightsManifest: [{ paths, weights }] });
}
const SHARDS = new Map([
  ["a", Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0)],
  ["b", Uint8Array.of(0, 0x40, 0xff, 0xff, 0xff, 0xff)],
]);
const FLOATS = { name: "x", shape: [1, 2], dtype: "float32" };
const INTEGER = { name: "y", shape: [], dtype: "int32" };

describe("weights of TensorFlow.js", () => {
  it("lie over the shards in the manifest's order", () => {
    const weights = readManifest(manifest([FLOATS, INTEGER]), SHARDS);
    expect([...weights.matrix("x", 2)]).toEqual([1, 2]);
    expect([...weights.vector("y")]).toEqual([-1]);
  });

  it.each<[string, string]>([
    ["not JSON", "{"],
    ["model.json has no manifest", "null"],
    ["model.json has no manifest", JSON.stringify({ weightsManifest: [{ paths: 3 }] })],
    ["the shard c is missing", manifest([FLOATS], ["c"])],
    ["the shards have 12 bytes, the manifest 8", manifest([FLOATS])],
    ["the shards have 12 bytes, the manifest 4000000", manifest([{ ...FLOATS, shape: [1000, 1000] }])],
    ["weight x is not stored in 32 bits", manifest([{ ...FLOATS, shape: [-1] }])],
    ["weight x is not stored in 32 bits", manifest([{ ...FLOATS, shape: [1e9, 1e9] }])],
    ["weight x is not stored in 32 bits", manifest([{ ...FLOATS, shape: ["many"] }])],
    ["weight x is not stored in 32 bits", manifest([{ ...FLOATS, quantization: { dtype: "uint8" } }])],
  ])("are refused: %s", (message, json) => {
    expect(() => readManifest(json, SHARDS)).toThrow(RangeError);
    expect(() => readManifest(json, SHARDS)).toThrow(message);
  });
});

describe("files of another model are refused", () => {
  const files = useLiteFiles();
  it.each<[string, Partial<UseLiteFiles>]>([
    [
      "the model has no weight module_apply_default",
      {
        model: files.model.replaceAll("tanh_layer_0/bias", "other").replaceAll("ClipToMaxLength/Less/y", "z"),
      },
    ],
    ["vocab.json is not JSON", { vocabulary: "[" }],
    ["the vocabulary is no list of up to 8002 pieces", { vocabulary: "{}" }],
    ["piece 1 of the vocabulary has no text or no score", { vocabulary: '[["a",0],["b"]]' }],
    ["the shard group1-shard1of7 is missing", { shards: new Map() }],
  ])("%s", (message, change) => {
    expect(() => readUseLite({ ...files, ...change })).toThrow(message);
  });
});

describe("an encoder whose sizes contradict each other is refused", () => {
  const source = randomEncoder(ODD_ENCODER, 1);
  const [first, second] = source.layers;
  const { bridge: _, ...bridgeless } = first!;
  it.each([
    [
      "layer 1 does not go on from 44 values",
      {
        shape: { ...ODD_ENCODER, layers: [ODD_ENCODER.layers[0]!, { ...ODD_ENCODER.layers[1]!, input: 45 }] },
      },
    ],
    ["1 layers of 2", { layers: [first!] }],
    ["embeddings has 460 values, not 480", { shape: { ...ODD_ENCODER, vocabulary: 24 } }],
    ["a bridge is for layers that change the width", { layers: [bridgeless, second!] }],
    ["a matrix has 1628 values, not 1672", { shape: { ...ODD_ENCODER, output: 38 } }],
    [
      "a bias of Infinity is beyond 32 bits",
      { pool: { ...source.pool, bias: source.pool.bias.map(() => Infinity) } },
    ],
  ])("%s", (message, change) => {
    expect(() => quantiseEncoder({ ...source, ...change }, 8)).toThrow(message);
  });
});
