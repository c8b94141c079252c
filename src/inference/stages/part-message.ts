/* A part of a model as it goes to a thread, and what it must be when it arrives: kernels trust its sizes. */
import type { LlamaLayer, LlamaShape } from "../model/llama-model.ts";
import type { LlamaPart } from "../model/llama-part.ts";
import { type EmbeddingTable, type FactorVector, GROUP, type Matrix, strideOf } from "../model/matrix.ts";

/**
 * A copy of a part with buffers of its own, so that they can be moved: cloning a view into a file would clone the file.
 */
export function copyPart(part: LlamaPart): {
  readonly part: LlamaPart;
  readonly buffers: readonly ArrayBuffer[];
} {
  const buffers: ArrayBuffer[] = [];
  const keep = <T extends { readonly buffer: ArrayBuffer }>(copy: T): T => {
    buffers.push(copy.buffer);
    return copy;
  };
  const vector = ({ values, fraction }: FactorVector): FactorVector => ({
    values: keep(Int16Array.from(values)),
    fraction,
  });
  const matrix = (source: Matrix): Matrix => ({
    ...source,
    values: keep(new Int8Array(source.values)),
    multipliers: keep(new Uint8Array(source.multipliers)),
    scales: keep(new Uint32Array(source.scales)),
  });
  const bias = (name: "queryBias" | "keyBias" | "valueBias", values?: Int32Array): Partial<LlamaLayer> =>
    values === undefined ? {} : { [name]: keep(new Int32Array(values)) };
  const { embeddings, finalNorm, head } = part;
  const copy: LlamaPart = {
    shape: part.shape,
    normEpsilon: part.normEpsilon,
    rootWidth: part.rootWidth,
    scoreScale: part.scoreScale,
    cosines: keep(new Int16Array(part.cosines)),
    sines: keep(new Int16Array(part.sines)),
    exp2Table: keep(new Int32Array(part.exp2Table)),
    sigmoidTable: keep(new Int32Array(part.sigmoidTable)),
    layers: part.layers.map((layer) => ({
      attentionNorm: vector(layer.attentionNorm),
      query: matrix(layer.query),
      key: matrix(layer.key),
      value: matrix(layer.value),
      ...bias("queryBias", layer.queryBias),
      ...bias("keyBias", layer.keyBias),
      ...bias("valueBias", layer.valueBias),
      output: matrix(layer.output),
      feedNorm: vector(layer.feedNorm),
      gate: matrix(layer.gate),
      up: matrix(layer.up),
      down: matrix(layer.down),
    })),
    ...(embeddings === undefined
      ? {}
      : {
          embeddings: {
            ...embeddings,
            values: keep(new Int16Array(embeddings.values)),
            scales: keep(new Uint32Array(embeddings.scales)),
          },
        }),
    ...(finalNorm === undefined || head === undefined
      ? {}
      : { finalNorm: vector(finalNorm), head: matrix(head) }),
  };
  return { part: copy, buffers };
}

type Fields<T> = { readonly [K in keyof T]?: unknown };

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isShape(value: unknown): value is LlamaShape {
  if (!isObject(value)) return false;
  const {
    width,
    inner,
    layers,
    heads,
    keyHeads,
    headSize,
    vocabulary,
    context,
    rotation,
  }: Fields<LlamaShape> = value;
  return (
    [width, inner, layers, heads, keyHeads, headSize, vocabulary, context].every(isCount) &&
    (rotation === "neighbours" || rotation === "halves")
  );
}

function isVector(value: unknown, length: number): value is FactorVector {
  if (!isObject(value)) return false;
  const { values, fraction }: Fields<FactorVector> = value;
  return values instanceof Int16Array && values.length === length && typeof fraction === "number";
}

function isMatrix(value: unknown, rows: number, columns: number): value is Matrix {
  if (!isObject(value)) return false;
  const fields: Fields<Matrix> = value;
  const { values, multipliers, scales, bits } = fields;
  const stride = strideOf(columns);
  return (
    fields.rows === rows &&
    fields.columns === columns &&
    fields.stride === stride &&
    (bits === 4 || bits === 8) &&
    values instanceof Int8Array &&
    values.length === (rows * stride * bits) / 8 &&
    multipliers instanceof Uint8Array &&
    multipliers.length === (rows * stride) / GROUP &&
    scales instanceof Uint32Array &&
    scales.length === rows
  );
}

function isEmbeddingTable(value: unknown, { vocabulary, width }: LlamaShape): value is EmbeddingTable {
  if (!isObject(value)) return false;
  const { values, scales }: Fields<EmbeddingTable> = value;
  return (
    values instanceof Int16Array &&
    values.length === vocabulary * width &&
    scales instanceof Uint32Array &&
    scales.length === vocabulary
  );
}

function isBias(value: unknown, length: number): value is Int32Array | undefined {
  return value === undefined || (value instanceof Int32Array && value.length === length);
}

function isLayer(value: unknown, shape: LlamaShape): value is LlamaLayer {
  if (!isObject(value)) return false;
  const layer: Fields<LlamaLayer> = value;
  const { width, inner } = shape;
  const queries = shape.heads * shape.headSize;
  const keys = shape.keyHeads * shape.headSize;
  return (
    isVector(layer.attentionNorm, width) &&
    isMatrix(layer.query, queries, width) &&
    isMatrix(layer.key, keys, width) &&
    isMatrix(layer.value, keys, width) &&
    isBias(layer.queryBias, queries) &&
    isBias(layer.keyBias, keys) &&
    isBias(layer.valueBias, keys) &&
    isMatrix(layer.output, width, queries) &&
    isVector(layer.feedNorm, width) &&
    isMatrix(layer.gate, inner, width) &&
    isMatrix(layer.up, inner, width) &&
    isMatrix(layer.down, width, inner)
  );
}

/** Whether a message's field is a part that kernels can be given. */
export function isPart(value: unknown): value is LlamaPart {
  if (!isObject(value)) return false;
  const part: Fields<LlamaPart> = value;
  const { shape, layers, embeddings, finalNorm, head, cosines, sines } = part;
  if (!isShape(shape) || !Array.isArray(layers)) return false;
  const turns = (shape.context * shape.headSize) / 2;
  return (
    layers.every((layer) => isLayer(layer, shape)) &&
    (embeddings === undefined || isEmbeddingTable(embeddings, shape)) &&
    (head === undefined
      ? finalNorm === undefined
      : isMatrix(head, shape.vocabulary, shape.width) && isVector(finalNorm, shape.width)) &&
    [part.normEpsilon, part.rootWidth, part.scoreScale].every((each) => typeof each === "number") &&
    cosines instanceof Int16Array &&
    cosines.length === turns &&
    sines instanceof Int16Array &&
    sines.length === turns &&
    part.exp2Table instanceof Int32Array &&
    part.sigmoidTable instanceof Int32Array
  );
}
