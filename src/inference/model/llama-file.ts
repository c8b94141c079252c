import type { HeaderBasis } from "./header-parts.ts";
import type { LlamaHeader } from "./llama-header.ts";
import type { LlamaLayer, LlamaModel } from "./llama-model.ts";
import type { FactorVector, Matrix } from "./matrix.ts";
import { TensorMap } from "./tensor-map.ts";
import type { TensorReader } from "./tensor-reader.ts";

const MATRICES = ["query", "key", "value", "output", "gate", "up", "down"] as const;
const BIASES = ["queryBias", "keyBias", "valueBias"] as const;

export function llamaHeader(model: LlamaModel, basis: HeaderBasis): LlamaHeader {
  return {
    ...basis,
    kind: "llama",
    shape: model.shape,
    bits: model.layers[0]?.query.bits ?? 8,
    biases: model.layers[0]?.queryBias !== undefined,
    normEpsilon: model.normEpsilon,
    rootWidth: model.rootWidth,
    scoreScale: model.scoreScale,
    fractions: [
      ...model.layers.flatMap((layer) => [layer.attentionNorm.fraction, layer.feedNorm.fraction]),
      model.finalNorm.fraction,
    ],
  };
}

export function llamaTensors(model: LlamaModel, text: Uint8Array): TensorMap {
  const tensors = new TensorMap(text);
  tensors.embeddings(model.embeddings);
  tensors.add("cosines", model.cosines);
  tensors.add("sines", model.sines);
  tensors.add("exp2", model.exp2Table);
  tensors.add("sigmoid", model.sigmoidTable);
  tensors.add("finalNorm", model.finalNorm.values);
  for (const [i, layer] of model.layers.entries()) {
    tensors.add(`layers.${i}.attentionNorm`, layer.attentionNorm.values);
    tensors.add(`layers.${i}.feedNorm`, layer.feedNorm.values);
    for (const name of MATRICES) tensors.matrix(`layers.${i}.${name}`, layer[name]);
    for (const name of BIASES) {
      const bias = layer[name];
      if (bias !== undefined) tensors.add(`layers.${i}.${name}`, bias);
    }
  }
  tensors.matrix("head", model.head);
  return tensors;
}

export function readLlamaTensors(header: LlamaHeader, reader: TensorReader): LlamaModel {
  const { width, vocabulary } = header.shape;
  return {
    kind: "llama",
    shape: header.shape,
    embeddings: reader.embeddings(vocabulary, width),
    layers: Array.from({ length: header.shape.layers }, (_, i) => readLayer(header, reader, i)),
    finalNorm: { values: reader.i16("finalNorm"), fraction: header.fractions.at(-1) ?? 0 },
    head: reader.matrix("head", vocabulary, width, 8),
    normEpsilon: header.normEpsilon,
    rootWidth: header.rootWidth,
    scoreScale: header.scoreScale,
    cosines: reader.i16("cosines"),
    sines: reader.i16("sines"),
    exp2Table: reader.table("exp2", 2 ** 16),
    sigmoidTable: reader.table("sigmoid", 2 ** 15),
  };
}

function readLayer(header: LlamaHeader, reader: TensorReader, i: number): LlamaLayer {
  const { width, inner, heads, keyHeads, headSize } = header.shape;
  const queries = heads * headSize;
  const keys = keyHeads * headSize;
  const at = `layers.${i}`;
  const matrix = (name: string, rows: number, columns: number): Matrix =>
    reader.matrix(`${at}.${name}`, rows, columns, header.bits);
  const factors = (name: string, which: number): FactorVector => ({
    values: reader.i16(`${at}.${name}`),
    fraction: header.fractions[2 * i + which] ?? 0,
  });
  return {
    attentionNorm: factors("attentionNorm", 0),
    query: matrix("query", queries, width),
    key: matrix("key", keys, width),
    value: matrix("value", keys, width),
    ...(header.biases
      ? {
          queryBias: reader.i32(`${at}.queryBias`),
          keyBias: reader.i32(`${at}.keyBias`),
          valueBias: reader.i32(`${at}.valueBias`),
        }
      : {}),
    output: matrix("output", width, queries),
    feedNorm: factors("feedNorm", 1),
    gate: matrix("gate", inner, width),
    up: matrix("up", inner, width),
    down: matrix("down", width, inner),
  };
}
