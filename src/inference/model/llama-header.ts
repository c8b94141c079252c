import { bool, exactBytes, list, oneOf, record, type Schema, text, where } from "../../protocol/schema.ts";
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
import type { LlamaShape } from "./llama-model.ts";

/** What the file of a Llama model says of itself before its tensors. */
export interface LlamaHeader extends HeaderBasis {
  readonly kind: "llama";
  readonly shape: LlamaShape;
  /** Bits of a weight in the layers; the head has 8. */
  readonly bits: 4 | 8;
  readonly biases: boolean;
  readonly normEpsilon: number;
  readonly rootWidth: number;
  readonly scoreScale: number;
  /** Fraction bits of the norms' factors: two per layer, then the last. */
  readonly fractions: readonly number[];
}

const shapeSchema: Schema<LlamaShape> = where(
  record<LlamaShape>({
    width: positive(LARGEST.width),
    inner: positive(LARGEST.inner),
    layers: positive(LARGEST.layers),
    heads: positive(LARGEST.heads),
    keyHeads: positive(LARGEST.heads),
    headSize: positive(LARGEST.headSize),
    vocabulary: positive(LARGEST.vocabulary),
    context: positive(LARGEST.context),
    rotation: oneOf(["neighbours", "halves"]),
  }),
  ({ heads, keyHeads, headSize }) => heads % keyHeads === 0 && headSize % 2 === 0,
  "has heads that do not divide",
);

export const llamaHeaderSchema: Schema<LlamaHeader> = where(
  record<LlamaHeader>({
    v: version,
    kind: oneOf(["llama"]),
    name: text(),
    licence: text(),
    sourceSha256: exactBytes(32),
    shape: shapeSchema,
    bits: weightBits,
    biases: bool,
    normEpsilon: u32,
    rootWidth: scale,
    scoreScale: scale,
    fractions: list(factorFraction),
    textBytes: textLength,
  }),
  ({ shape, fractions }) => fractions.length === 2 * shape.layers + 1,
  "has not two fractions per layer and one more",
);
