import { EXP2_ENTRIES, SIGMOID_ENTRIES } from "../numerics/tables.ts";
import { GROUP, strideOf } from "./matrix.ts";
import type { EncoderHeader } from "./encoder-header.ts";
import type { LlamaHeader } from "./llama-header.ts";

/** How the numbers of a tensor are stored, little-endian. "i4" are pairs, the even one in the low half of a byte. */
export type TensorType = "i4" | "i8" | "u8" | "i16" | "i32" | "u32";

const BITS: Readonly<Record<TensorType, number>> = { i4: 4, i8: 8, u8: 8, i16: 16, i32: 32, u32: 32 };

/** Tensors begin at multiples of this: views of any type may lie over the file, and SIMD loads are aligned. */
export const ALIGNMENT = 64;

export interface TensorPlace {
  /** As in "layers.3.gate.values". */
  readonly name: string;
  readonly type: TensorType;
  /** Row-major. */
  readonly dims: readonly number[];
  /** From the beginning of the first tensor. */
  readonly offset: number;
  readonly bytes: number;
}

/** Collects tensors one behind the other. */
class Layout {
  readonly places: TensorPlace[] = [];
  end = 0;

  add(name: string, type: TensorType, ...dims: number[]): void {
    const bytes = (dims.reduce((product, size) => product * size, 1) * BITS[type]) / 8;
    this.places.push({ name, type, dims, offset: this.end, bytes });
    this.end = Math.ceil((this.end + bytes) / ALIGNMENT) * ALIGNMENT;
  }

  matrix(name: string, rows: number, columns: number, bits: 4 | 8): void {
    const stride = strideOf(columns);
    this.add(`${name}.values`, bits === 4 ? "i4" : "i8", rows, stride);
    this.add(`${name}.multipliers`, "u8", rows, stride / GROUP);
    this.add(`${name}.scales`, "u32", rows);
  }

  embeddings(vocabulary: number, width: number): void {
    this.add("embeddings.values", "i16", vocabulary, width);
    this.add("embeddings.scales", "u32", vocabulary);
  }

  tables(): void {
    this.add("exp2", "i32", EXP2_ENTRIES);
    this.add("sigmoid", "i32", SIGMOID_ENTRIES);
  }
}

/** Where the tensors stand, and where the last one ends. */
export interface TensorPlaces {
  readonly places: readonly TensorPlace[];
  readonly bytes: number;
}

/**
 * Where every tensor of a model stands: a function of its header alone, so that a file holds no offsets that could
 * contradict each other. The order is that in which a forward pass reads them.
 */
export function layoutOf(header: LlamaHeader | EncoderHeader): TensorPlaces {
  const layout = new Layout();
  layout.add("text", "u8", header.textBytes);
  if (header.kind === "llama") addLlama(layout, header);
  else addEncoder(layout, header);
  return { places: layout.places, bytes: layout.end };
}

function addLlama(layout: Layout, { shape, bits, biases }: LlamaHeader): void {
  const { width, inner, layers, heads, keyHeads, headSize, vocabulary, context } = shape;
  const queries = heads * headSize;
  const keys = keyHeads * headSize;
  layout.embeddings(vocabulary, width);
  layout.add("cosines", "i16", context, headSize / 2);
  layout.add("sines", "i16", context, headSize / 2);
  layout.tables();
  for (let i = 0; i < layers; i += 1) {
    const matrix = (name: string, rows: number, columns: number): void =>
      layout.matrix(`layers.${i}.${name}`, rows, columns, bits);
    layout.add(`layers.${i}.attentionNorm`, "i16", width);
    matrix("query", queries, width);
    matrix("key", keys, width);
    matrix("value", keys, width);
    if (biases) {
      layout.add(`layers.${i}.queryBias`, "i32", queries);
      layout.add(`layers.${i}.keyBias`, "i32", keys);
      layout.add(`layers.${i}.valueBias`, "i32", keys);
    }
    matrix("output", width, queries);
    layout.add(`layers.${i}.feedNorm`, "i16", width);
    matrix("gate", inner, width);
    matrix("up", inner, width);
    matrix("down", width, inner);
  }
  layout.add("finalNorm", "i16", width);
  layout.matrix("head", vocabulary, width, 8);
}

function addEncoder(layout: Layout, { shape, bits }: EncoderHeader): void {
  layout.embeddings(shape.vocabulary, shape.width);
  layout.add("positions", "i16", shape.context, shape.width);
  layout.tables();
  const affine = (name: string, rows: number, columns: number): void => {
    layout.matrix(name, rows, columns, bits);
    layout.add(`${name}.bias`, "i32", rows);
  };
  const norm = (name: string, width: number): void => {
    layout.add(`${name}.factors`, "i16", width);
    layout.add(`${name}.offsets`, "i32", width);
  };
  for (const [i, { input, width, heads, headSize, inner }] of shape.layers.entries()) {
    const at = `layers.${i}`;
    const queries = heads * headSize;
    norm(`${at}.attentionNorm`, input);
    affine(`${at}.query`, queries, input);
    affine(`${at}.key`, queries, input);
    affine(`${at}.value`, queries, input);
    affine(`${at}.output`, width, queries);
    if (input !== width) affine(`${at}.bridge`, width, input);
    norm(`${at}.feedNorm`, width);
    affine(`${at}.up`, inner, width);
    affine(`${at}.down`, width, inner);
  }
  affine("pool", shape.output, shape.layers.at(-1)?.width ?? shape.width);
}
