import { decode, encode } from "../../protocol/schema.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { type EncoderHeader, encoderHeaderSchema } from "./encoder-header.ts";
import { type LlamaHeader, llamaHeaderSchema } from "./llama-header.ts";

/** What a model file says of itself before its tensors. */
export type ModelHeader = LlamaHeader | EncoderHeader;

/** The longest header is that of an encoder with 256 layers: 40 kB, and names of 1,024 bytes. */
export const MAX_HEADER_BYTES: number = 64 * 1024;

/**
 * Where the word for the kind stands in every header: canonical order puts shorter names first, so that before it are only
 * the number of fields, `v` and `bits`, and its own name.
 */
const KIND_AT = 15;
/** With its length before it. */
const ENCODER: Uint8Array = encodeUtf8("gencoder");

export function encodeHeader(header: ModelHeader): Uint8Array<ArrayBuffer> {
  return header.kind === "llama" ? encode(llamaHeaderSchema, header) : encode(encoderHeaderSchema, header);
}

/** @throws WireError `malformed` or `too-large`; one of an unknown kind is told to be no Llama model's */
export function decodeHeader(bytes: Uint8Array): ModelHeader {
  const isEncoder = ENCODER.every((byte, i) => bytes[KIND_AT + i] === byte);
  return isEncoder
    ? decode(encoderHeaderSchema, bytes, MAX_HEADER_BYTES)
    : decode(llamaHeaderSchema, bytes, MAX_HEADER_BYTES);
}
