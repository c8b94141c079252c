import type { Scale } from "../numerics/scale.ts";
import type { EmbeddingTable, FactorVector, Matrix } from "./matrix.ts";

/** Sizes of a decoder of the Llama family. */
export interface LlamaShape {
  /** Values of the residual stream. */
  readonly width: number;
  /** Values between the matrices of the feed-forward part. */
  readonly inner: number;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values; each serves heads / keyHeads heads. */
  readonly keyHeads: number;
  readonly headSize: number;
  readonly vocabulary: number;
  /** Positions. */
  readonly context: number;
  /** Which values of a head turn together: neighbours (llama.cpp's "llama" files), or the two halves (Qwen2). */
  readonly rotation: "neighbours" | "halves";
}

export interface LlamaLayer {
  readonly attentionNorm: FactorVector;
  readonly query: Matrix;
  readonly key: Matrix;
  readonly value: Matrix;
  /** Biases in Q14, where the model has them. */
  readonly queryBias?: Int32Array;
  readonly keyBias?: Int32Array;
  readonly valueBias?: Int32Array;
  readonly output: Matrix;
  readonly feedNorm: FactorVector;
  readonly gate: Matrix;
  readonly up: Matrix;
  readonly down: Matrix;
}

export interface LlamaModel {
  readonly kind: "llama";
  readonly shape: LlamaShape;
  readonly embeddings: EmbeddingTable;
  readonly layers: readonly LlamaLayer[];
  readonly finalNorm: FactorVector;
  readonly head: Matrix;
  /** `width * epsilon` of the norms in Q32. */
  readonly normEpsilon: number;
  /** sqrt(width). */
  readonly rootWidth: Scale;
  /** log2(e) / sqrt(headSize): turns scores into powers of two. */
  readonly scoreScale: Scale;
  /** Cosines and sines in Q15, i16[context, headSize / 2]. */
  readonly cosines: Int16Array;
  readonly sines: Int16Array;
  readonly exp2Table: Int32Array;
  readonly sigmoidTable: Int32Array;
}
