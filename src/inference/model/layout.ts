import { EXP2_ENTRIES, SIGMOID_ENTRIES } from "../numerics/tables.ts";
import { GROUP, strideOf } from "./matrix.ts";
import type { LlamaHeader } from "./model-header.ts";

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
}

/**
 * Where every tensor of a model stands: a function of its header alone, so that a file holds no offsets that could
 * contradict each other. The order is that in which a forward pass reads them.
 */
export function layoutOf(header: LlamaHeader): {
  readonly places: readonly TensorPlace[];
  readonly bytes: number;
} {
  const { width, inner, layers, heads, keyHeads, headSize, vocabulary, context } = header.shape;
  const queries = heads * headSize;
  const keys = keyHeads * headSize;
  const layout = new Layout();
  layout.add("text", "u8", header.textBytes);
  layout.add("embeddings.values", "i16", vocabulary, width);
  layout.add("embeddings.scales", "u32", vocabulary);
  layout.add("cosines", "i16", context, headSize / 2);
  layout.add("sines", "i16", context, headSize / 2);
  layout.add("exp2", "i32", EXP2_ENTRIES);
  layout.add("sigmoid", "i32", SIGMOID_ENTRIES);
  for (let i = 0; i < layers; i += 1) {
    const matrix = (name: string, rows: number, columns: number): void =>
      layout.matrix(`layers.${i}.${name}`, rows, columns, header.bits);
    layout.add(`layers.${i}.attentionNorm`, "i16", width);
    matrix("query", queries, width);
    matrix("key", keys, width);
    matrix("value", keys, width);
    if (header.biases) {
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
  return { places: layout.places, bytes: layout.end };
}
