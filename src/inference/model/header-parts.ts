import { type Schema, uint, where } from "../../protocol/schema.ts";

/** Bytes of a tokenizer's description: the largest vocabularies take some 20 MB. */
const MAX_TEXT_BYTES: number = 64 * 1024 * 1024;
/** Fraction bits of norm factors: below 0 factors would be above 32,767. */
const MAX_FRACTION = 14;

/** What the headers of all kinds say. */
export interface HeaderBasis {
  readonly v: 1;
  /** For people. */
  readonly name: string;
  /** SPDX identifier or the text of the source; "unknown" where nothing is known. */
  readonly licence: string;
  /** Of the file that was converted, or of several as the converter says. */
  readonly sourceSha256: Uint8Array;
  /** Bytes of the tokenizer's description, JSON in UTF-8. */
  readonly textBytes: number;
}

export const positive = (max: number): Schema<number> => where(uint(max), (size) => size > 0, "is 0");

/** A packed scale whose mantissa is normal and whose exponent cannot overflow when scales are multiplied. */
export const scale: Schema<number> = where(uint(2 ** 32 - 1), isScale, "is not a scale");

export function isScale(packed: number): boolean {
  return (packed & 0x8000) !== 0 && Math.abs((packed >>> 16) - 32_768) <= 1_024;
}

export const u32: Schema<number> = uint(2 ** 32 - 1);
export const factorFraction: Schema<number> = uint(MAX_FRACTION);
export const textLength: Schema<number> = uint(MAX_TEXT_BYTES);

export const version: Schema<1> = {
  write: (out, value) => out.head(0, value),
  read: (from) => (from.uint(1) === 1 ? 1 : from.fail("is not 1")),
};

export const weightBits: Schema<4 | 8> = {
  write: (out, value) => out.head(0, value),
  read(from) {
    const value = from.uint(8);
    return value === 4 || value === 8 ? value : from.fail("is neither 4 nor 8");
  },
};
