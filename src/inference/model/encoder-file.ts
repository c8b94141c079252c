import type { EncoderHeader } from "./encoder-header.ts";
import type { Affine, EncoderLayer, EncoderLayerShape, EncoderModel, LayerNorm } from "./encoder-model.ts";
import type { HeaderBasis } from "./header-parts.ts";
import { TensorMap } from "./tensor-map.ts";
import { malformed, type TensorReader } from "./tensor-reader.ts";

const NORMS = ["attentionNorm", "feedNorm"] as const;
const AFFINES = ["query", "key", "value", "output", "bridge", "up", "down"] as const;

export function encoderHeader(model: EncoderModel, basis: HeaderBasis): EncoderHeader {
  return {
    ...basis,
    kind: "encoder",
    shape: model.shape,
    bits: model.pool.matrix.bits,
    norms: model.layers.flatMap((layer) =>
      NORMS.map((name) => {
        const { factors, epsilon, rootWidth } = layer[name];
        return { fraction: factors.fraction, epsilon, rootWidth };
      }),
    ),
    scoreScales: model.layers.map(({ scoreScale }) => scoreScale),
  };
}

export function encoderTensors(model: EncoderModel, text: Uint8Array): TensorMap {
  const tensors = new TensorMap(text);
  const affine = (name: string, { matrix, bias }: Affine): void => {
    tensors.matrix(name, matrix);
    tensors.add(`${name}.bias`, bias);
  };
  tensors.embeddings(model.embeddings);
  tensors.add("positions", model.positions);
  tensors.add("exp2", model.exp2Table);
  tensors.add("sigmoid", model.sigmoidTable);
  for (const [i, layer] of model.layers.entries()) {
    for (const name of NORMS) {
      tensors.add(`layers.${i}.${name}.factors`, layer[name].factors.values);
      tensors.add(`layers.${i}.${name}.offsets`, layer[name].offsets);
    }
    for (const name of AFFINES) {
      const part = layer[name];
      if (part !== undefined) affine(`layers.${i}.${name}`, part);
    }
  }
  affine("pool", model.pool);
  return tensors;
}

export function readEncoderTensors(header: EncoderHeader, reader: TensorReader): EncoderModel {
  const { shape, bits } = header;
  const { vocabulary, width, output } = shape;
  return {
    kind: "encoder",
    shape,
    embeddings: reader.embeddings(vocabulary, width),
    positions: reader.i16("positions"),
    layers: shape.layers.map((sizes, i) => readLayer(header, reader, i, sizes)),
    pool: readAffine(reader, "pool", output, shape.layers.at(-1)?.width ?? width, bits),
    exp2Table: reader.table("exp2", 2 ** 16),
    sigmoidTable: reader.table("sigmoid", 2 ** 15),
  };
}

function readLayer(
  header: EncoderHeader,
  reader: TensorReader,
  i: number,
  { input, width, heads, headSize, inner }: EncoderLayerShape,
): EncoderLayer {
  const queries = heads * headSize;
  const affine = (name: string, rows: number, columns: number): Affine =>
    readAffine(reader, `layers.${i}.${name}`, rows, columns, header.bits);
  const norm = (which: 0 | 1): LayerNorm => {
    const numbers = header.norms[2 * i + which];
    if (numbers === undefined) return malformed(`layer ${i} has no norms`);
    const { fraction, epsilon, rootWidth } = numbers;
    const at = `layers.${i}.${NORMS[which]}`;
    const factors = { values: reader.i16(`${at}.factors`), fraction };
    return { factors, offsets: reader.i32(`${at}.offsets`), epsilon, rootWidth };
  };
  return {
    attentionNorm: norm(0),
    query: affine("query", queries, input),
    key: affine("key", queries, input),
    value: affine("value", queries, input),
    scoreScale: header.scoreScales[i] ?? malformed(`layer ${i} has no scale of scores`),
    output: affine("output", width, queries),
    ...(input === width ? {} : { bridge: affine("bridge", width, input) }),
    feedNorm: norm(1),
    up: affine("up", inner, width),
    down: affine("down", width, inner),
  };
}

function readAffine(reader: TensorReader, name: string, rows: number, columns: number, bits: 4 | 8): Affine {
  return { matrix: reader.matrix(name, rows, columns, bits), bias: reader.i32(`${name}.bias`) };
}
