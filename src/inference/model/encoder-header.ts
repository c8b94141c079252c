import { exactBytes, list, oneOf, record, type Schema, text, where } from "../../protocol/schema.ts";
import type { EncoderLayerShape, EncoderShape } from "./encoder-model.ts";
import {
  factorFraction,
  type HeaderBasis,
  positive,
  scale,
  textLength,
  u32,
  version,
  weightBits,
} from "./header-parts.ts";
import { LARGEST } from "./limits.ts";

/** What the file of a sentence encoder says of itself before its tensors. */
export interface EncoderHeader extends HeaderBasis {
  readonly kind: "encoder";
  readonly shape: EncoderShape;
  /** Bits of a weight in all matrices. */
  readonly bits: 4 | 8;
  /** Two per layer: before attention, before the feed-forward part. */
  readonly norms: readonly NormNumbers[];
  /** One per layer. */
  readonly scoreScales: readonly number[];
}

/** What a LayerNorm has besides its tensors. */
export interface NormNumbers {
  /** Bits of its factors. */
  readonly fraction: number;
  readonly epsilon: number;
  readonly rootWidth: number;
}

const layerSchema: Schema<EncoderLayerShape> = record<EncoderLayerShape>({
  input: positive(LARGEST.width),
  width: positive(LARGEST.width),
  heads: positive(LARGEST.heads),
  headSize: positive(LARGEST.headSize),
  inner: positive(LARGEST.inner),
});

const shapeSchema: Schema<EncoderShape> = where(
  record<EncoderShape>({
    vocabulary: positive(LARGEST.vocabulary),
    context: positive(LARGEST.context),
    width: positive(LARGEST.width),
    layers: list(layerSchema, LARGEST.layers),
    output: positive(LARGEST.width),
  }),
  ({ width, layers }) =>
    layers.length > 0 && layers.every(({ input }, i) => input === (layers[i - 1]?.width ?? width)),
  "has layers that do not go on from each other",
);

export const encoderHeaderSchema: Schema<EncoderHeader> = where(
  record<EncoderHeader>({
    v: version,
    kind: oneOf(["encoder"]),
    name: text(),
    licence: text(),
    sourceSha256: exactBytes(32),
    shape: shapeSchema,
    bits: weightBits,
    norms: list(
      record<NormNumbers>({ fraction: factorFraction, epsilon: u32, rootWidth: scale }),
      2 * LARGEST.layers,
    ),
    scoreScales: list(scale, LARGEST.layers),
    textBytes: textLength,
  }),
  ({ shape: { layers }, norms, scoreScales }) =>
    norms.length === 2 * layers.length && scoreScales.length === layers.length,
  "has not two norms and one scale of scores per layer",
);
