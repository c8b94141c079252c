import {
  bool,
  exactBytes,
  list,
  oneOf,
  record,
  type Schema,
  text,
  uint,
  where,
} from "../../protocol/schema.ts";
import { LARGEST } from "./limits.ts";
import type { LlamaShape } from "./llama-model.ts";

/** Bytes of a tokenizer's description: the largest vocabularies take some 20 MB. */
const MAX_TEXT_BYTES: number = 64 * 1024 * 1024;
/** Fraction bits of norm factors: below 0 factors would be above 32,767. */
const MAX_FRACTION = 14;

/** What a model file says of itself before its tensors. */
export interface LlamaHeader {
  readonly v: 1;
  readonly kind: "llama";
  /** For people. */
  readonly name: string;
  /** SPDX identifier or the text of the source; "unknown" where nothing is known. */
  readonly licence: string;
  /** Of the file that was converted. */
  readonly sourceSha256: Uint8Array;
  readonly shape: LlamaShape;
  /** Bits of a weight in the layers; the head has 8. */
  readonly bits: 4 | 8;
  readonly biases: boolean;
  readonly normEpsilon: number;
  readonly rootWidth: number;
  readonly scoreScale: number;
  /** Fraction bits of the norms' factors: two per layer, then the last. */
  readonly fractions: readonly number[];
  /** Bytes of the tokenizer's description, JSON in UTF-8. */
  readonly textBytes: number;
}

const positive = (max: number): Schema<number> => where(uint(max), (size) => size > 0, "is 0");
/** A packed scale whose mantissa is normal and whose exponent cannot overflow when scales are multiplied. */
const scale: Schema<number> = where(
  uint(2 ** 32 - 1),
  (packed) => (packed & 0x8000) !== 0 && Math.abs((packed >>> 16) - 32_768) <= 1_024,
  "is not a scale",
);

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

function literal<const T extends number>(value: T): Schema<T> {
  return {
    write: (out) => out.head(0, value),
    read: (from) => (from.uint(value) === value ? value : from.fail(`is not ${value}`)),
  };
}

const weightBits: Schema<4 | 8> = {
  write: (out, value) => out.head(0, value),
  read(from) {
    const value = from.uint(8);
    return value === 4 || value === 8 ? value : from.fail("is neither 4 nor 8");
  },
};

export const llamaHeaderSchema: Schema<LlamaHeader> = where(
  record<LlamaHeader>({
    v: literal(1),
    kind: oneOf(["llama"]),
    name: text(),
    licence: text(),
    sourceSha256: exactBytes(32),
    shape: shapeSchema,
    bits: weightBits,
    biases: bool,
    normEpsilon: uint(2 ** 32 - 1),
    rootWidth: scale,
    scoreScale: scale,
    fractions: list(uint(MAX_FRACTION)),
    textBytes: uint(MAX_TEXT_BYTES),
  }),
  ({ shape, fractions }) => fractions.length === 2 * shape.layers + 1,
  "has not two fractions per layer and one more",
);
