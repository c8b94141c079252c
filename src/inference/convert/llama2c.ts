import type { FloatLlama, FloatLlamaLayer } from "./float-llama.ts";
import { LARGEST } from "../model/limits.ts";

/**
 * A checkpoint of karpathy/llama2.c, version 0: seven little-endian i32 (width, inner, layers, heads, key heads, vocabulary,
 * context; a negative vocabulary says that the head is not tied), then f32 arrays, each over all layers.
 */
const HEADER_BYTES = 28;
const EPSILON = 1e-5;
const ROTATION_BASE = 10_000;
/** @throws RangeError for bytes that are no such checkpoint */
export function readLlama2c(bytes: Uint8Array): FloatLlama {
  if (bytes.length < HEADER_BYTES) throw new RangeError("shorter than the header of a llama2.c checkpoint");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width = 0, inner = 0, layers = 0, heads = 0, keyHeads = 0, signed = 0, context = 0] = Array.from(
    { length: 7 },
    (_, i) => view.getInt32(4 * i, true),
  );
  const vocabulary = Math.abs(signed);
  const sizes = [width, inner, layers, heads, keyHeads, vocabulary, context];
  const largest = [
    LARGEST.width,
    LARGEST.inner,
    LARGEST.layers,
    LARGEST.heads,
    LARGEST.heads,
    LARGEST.vocabulary,
    LARGEST.context,
  ];
  if (
    sizes.some((size, i) => size < 1 || size > (largest[i] ?? 0)) ||
    width % heads !== 0 ||
    heads % keyHeads !== 0
  )
    throw new RangeError(`not the header of a llama2.c checkpoint: ${sizes.join(", ")}`);
  const headSize = width / heads;
  if (headSize % 2 !== 0 || headSize > LARGEST.headSize)
    throw new RangeError(
      `heads of ${headSize} values cannot be turned: an even number up to ${LARGEST.headSize} can`,
    );
  const reader = new FloatReader(view, HEADER_BYTES);
  const embeddings = reader.take(vocabulary * width);
  const perLayer = (count: number): readonly Float32Array[] =>
    Array.from({ length: layers }, () => reader.take(count));
  const attentionNorm = perLayer(width);
  const query = perLayer(width * width);
  const key = perLayer(width * keyHeads * headSize);
  const value = perLayer(width * keyHeads * headSize);
  const output = perLayer(width * width);
  const feedNorm = perLayer(width);
  const gate = perLayer(inner * width);
  const down = perLayer(width * inner);
  const up = perLayer(inner * width);
  const finalNorm = reader.take(width);
  // Tables of cosines and sines, which are computed here instead.
  reader.take(context * headSize);
  const none = new Float32Array(0);
  return {
    shape: { width, inner, layers, heads, keyHeads, headSize, vocabulary, context, rotation: "neighbours" },
    epsilon: EPSILON,
    rotationBase: ROTATION_BASE,
    embeddings,
    layers: attentionNorm.map((norm, i): FloatLlamaLayer => ({
      attentionNorm: norm,
      query: query[i] ?? none,
      key: key[i] ?? none,
      value: value[i] ?? none,
      output: output[i] ?? none,
      feedNorm: feedNorm[i] ?? none,
      gate: gate[i] ?? none,
      up: up[i] ?? none,
      down: down[i] ?? none,
    })),
    finalNorm,
    ...(signed < 0 ? { head: reader.take(vocabulary * width) } : {}),
  };
}

class FloatReader {
  readonly #view: DataView;
  #at: number;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
  }

  take(count: number): Float32Array {
    if (this.#at + 4 * count > this.#view.byteLength)
      throw new RangeError(`the checkpoint ends ${this.#at + 4 * count - this.#view.byteLength} bytes early`);
    const values = new Float32Array(count);
    for (let i = 0; i < count; i += 1) values[i] = this.#view.getFloat32(this.#at + 4 * i, true);
    this.#at += 4 * count;
    return values;
  }
}
