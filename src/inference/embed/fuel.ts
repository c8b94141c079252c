import type { EncoderLayerShape, EncoderShape } from "../model/encoder-model.ts";

/** Multiply-adds of a layer's matrices at one position. */
export function positionFuel({ input, width, heads, headSize, inner }: EncoderLayerShape): bigint {
  const attention = heads * headSize * (3 * input + width);
  const bridge = input === width ? 0 : input * width;
  return BigInt(attention + bridge + 2 * width * inner);
}

/**
 * Fuel of encoding a text: integer multiply-adds, from shapes alone. Attention counts queries with keys and weights with
 * values, every position with every one.
 * @param positions tokens of the text that are taken in
 */
export function textFuel({ layers, width, output }: EncoderShape, positions: number): bigint {
  const count = BigInt(positions);
  let fuel = BigInt(output * (layers.at(-1)?.width ?? width));
  for (const layer of layers)
    fuel += count * positionFuel(layer) + 2n * count * count * BigInt(layer.heads * layer.headSize);
  return fuel;
}
