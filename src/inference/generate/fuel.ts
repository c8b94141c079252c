import type { LlamaShape } from "../model/llama-model.ts";

/** Multiply-adds of the matrices of one position, without the head. */
function perPosition({ width, inner, layers, heads, keyHeads, headSize }: LlamaShape): bigint {
  const attention = width * headSize * (2 * heads + 2 * keyHeads);
  return BigInt(layers) * BigInt(attention + 3 * width * inner);
}

/** Multiply-adds of attention at a position: queries with keys, and weights with values. */
function attentionAt(position: number, { layers, heads, headSize }: LlamaShape): bigint {
  return BigInt(2 * layers * heads * headSize) * BigInt(position + 1);
}

/** Fuel of taking in `count` positions from `first` on: integer multiply-adds, from shapes alone. */
export function forwardFuel(shape: LlamaShape, first: number, count: number): bigint {
  let fuel = BigInt(count) * perPosition(shape);
  for (let position = first; position < first + count; position += 1) fuel += attentionAt(position, shape);
  return fuel;
}

/** Fuel of the scores of one position. */
export function logitsFuel({ vocabulary, width }: LlamaShape): bigint {
  return BigInt(vocabulary * width);
}
