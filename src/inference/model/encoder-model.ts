import type { Scale } from "../numerics/scale.ts";
import type { EmbeddingTable, FactorVector, Matrix } from "./matrix.ts";

/** Sizes of a sentence encoder: layers of attention in both directions, the mean of all positions, one layer with tanh. */
export interface EncoderShape {
  readonly vocabulary: number;
  /** Positions; a text's tokens beyond are left out. */
  readonly context: number;
  /** Values of an embedding of a token, which is what the first layer takes in. */
  readonly width: number;
  readonly layers: readonly EncoderLayerShape[];
  /** Values of what comes out. */
  readonly output: number;
}

export interface EncoderLayerShape {
  /** Values of the residual stream before the layer. */
  readonly input: number;
  /** And after it: where they differ, a matrix brings the stream over. */
  readonly width: number;
  readonly heads: number;
  readonly headSize: number;
  /** Values between the matrices of the feed-forward part. */
  readonly inner: number;
}

/** LayerNorm, `(x - mean) * factor / sqrt(variance + epsilon) + offset`. */
export interface LayerNorm {
  readonly factors: FactorVector;
  /** i32[width], in Q16. */
  readonly offsets: Int32Array;
  /** `width³ * epsilon` in Q16. */
  readonly epsilon: number;
  /** sqrt(width). */
  readonly rootWidth: Scale;
}

/** A matrix and what is added to its product. */
export interface Affine {
  readonly matrix: Matrix;
  /** i32[rows], in Q16 where the sum goes to the residual stream, else in Q14. */
  readonly bias: Int32Array;
}

export interface EncoderLayer {
  readonly attentionNorm: LayerNorm;
  readonly query: Affine;
  readonly key: Affine;
  readonly value: Affine;
  /** log2(e) times the factor of queries, mostly 1 / sqrt(headSize): turns scores into powers of two. */
  readonly scoreScale: Scale;
  /** Bias in Q16. */
  readonly output: Affine;
  /** Takes the residual stream from `input` to `width` values, where they differ. Bias in Q16. */
  readonly bridge?: Affine;
  readonly feedNorm: LayerNorm;
  readonly up: Affine;
  /** Bias in Q16. */
  readonly down: Affine;
}

export interface EncoderModel {
  readonly kind: "encoder";
  readonly shape: EncoderShape;
  readonly embeddings: EmbeddingTable;
  /** Added to the embeddings, i16[context, width] in Q15. */
  readonly positions: Int16Array;
  readonly layers: readonly EncoderLayer[];
  readonly pool: Affine;
  readonly exp2Table: Int32Array;
  readonly sigmoidTable: Int32Array;
}
