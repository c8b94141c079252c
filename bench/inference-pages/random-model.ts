/** Models with random bits for weights, made at once: what they say is nonsense, what they cost is not. */
import { exp2Table, rotationTables, sigmoidTable } from "../../src/inference/convert/make-tables.ts";
import { scaleOf } from "../../src/inference/convert/quantise-weights.ts";
import type { LlamaModel, LlamaShape } from "../../src/inference/model/llama-model.ts";
import { type FactorVector, GROUP, type Matrix } from "../../src/inference/model/matrix.ts";

/** SmolLM2-135M's. */
export const SHAPE_135M: LlamaShape = {
  width: 576,
  inner: 1_536,
  layers: 30,
  heads: 9,
  keyHeads: 3,
  headSize: 64,
  vocabulary: 49_152,
  context: 512,
  rotation: "halves",
};

let state = 1;

export function randomBytes(count: number): Int8Array<ArrayBuffer> {
  const words = new Int32Array(Math.ceil(count / 4));
  for (let i = 0; i < words.length; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Int8Array(words.buffer, 0, count);
}

function randomMatrix(rows: number, columns: number, bits: 4 | 8): Matrix {
  const multipliers = Uint8Array.from({ length: (rows * columns) / GROUP }, (_, i) => 40 + ((i * 7) % 24));
  const scale = scaleOf(1 / Math.sqrt(columns) / 73 / 50);
  const scales = new Uint32Array(rows).fill(scale);
  return {
    rows,
    columns,
    stride: columns,
    bits,
    values: randomBytes((rows * columns * bits) / 8),
    multipliers,
    scales,
  };
}

/** Widths must be multiples of a group. @param bits of a weight; the head has 8, as the converter makes it */
export function randomModel(shape: LlamaShape, bits: 4 | 8 = 8): LlamaModel {
  const { width, inner, heads, keyHeads, headSize, vocabulary, context } = shape;
  const matrix = (rows: number, columns: number): Matrix => randomMatrix(rows, columns, bits);
  const norm = (): FactorVector => ({ values: new Int16Array(width).fill(16_384), fraction: 14 });
  return {
    kind: "llama",
    shape,
    embeddings: {
      rows: vocabulary,
      columns: width,
      values: new Int16Array(randomBytes(2 * vocabulary * width).buffer),
      scales: new Uint32Array(vocabulary).fill(scaleOf(1 / 20_000)),
    },
    layers: Array.from({ length: shape.layers }, () => ({
      attentionNorm: norm(),
      query: matrix(heads * headSize, width),
      key: matrix(keyHeads * headSize, width),
      value: matrix(keyHeads * headSize, width),
      output: matrix(width, heads * headSize),
      feedNorm: norm(),
      gate: matrix(inner, width),
      up: matrix(inner, width),
      down: matrix(width, inner),
    })),
    finalNorm: norm(),
    head: randomMatrix(vocabulary, width, 8),
    normEpsilon: Math.round(width * 1e-5 * 2 ** 32) >>> 0,
    rootWidth: scaleOf(Math.sqrt(width)),
    scoreScale: scaleOf(Math.LOG2E / Math.sqrt(headSize)),
    ...rotationTables(context, headSize, 10_000),
    exp2Table: exp2Table(),
    sigmoidTable: sigmoidTable(),
  };
}
