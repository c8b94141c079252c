import { decodeUtf8, encodeUtf8 } from "../../protocol/text.ts";
import { encoderHeader, encoderTensors, readEncoderTensors } from "./encoder-file.ts";
import type { EncoderHeader } from "./encoder-header.ts";
import type { EncoderModel } from "./encoder-model.ts";
import type { HeaderBasis } from "./header-parts.ts";
import { ALIGNMENT, layoutOf } from "./layout.ts";
import { llamaHeader, llamaTensors, readLlamaTensors } from "./llama-file.ts";
import type { LlamaHeader } from "./llama-header.ts";
import type { LlamaModel } from "./llama-model.ts";
import { decodeHeader, encodeHeader, MAX_HEADER_BYTES, type ModelHeader } from "./model-header.ts";
import type { TensorMap } from "./tensor-map.ts";
import { malformed, TensorReader } from "./tensor-reader.ts";

/**
 * A model file (`.tmm`), little-endian: eight bytes MAGIC, u32 length of the header, the header (canonical CBOR), zeros up
 * to a multiple of 64, then the tensors as `layoutOf` says, with zeros between them. One model has one file, to the byte.
 */
const MAGIC = "TABMESHM";
const HEADER_AT = 12;

/** What a file tells besides the model itself. */
export interface ModelAbout {
  readonly name: string;
  readonly licence: string;
  /** SHA-256 of the file that was converted. */
  readonly sourceSha256: Uint8Array;
  /** The tokenizer's description, JSON. */
  readonly text: string;
}

/** What all kinds of files hold. The model's arrays lie over the file's bytes. */
interface Stored<Kind extends ModelHeader["kind"], Header, Model> {
  readonly kind: Kind;
  readonly header: Header;
  readonly about: ModelAbout;
  readonly model: Model;
}

export type StoredLlama = Stored<"llama", LlamaHeader, LlamaModel>;
export type StoredEncoder = Stored<"encoder", EncoderHeader, EncoderModel>;
export type StoredModel = StoredLlama | StoredEncoder;

/** The file of a model. @throws RangeError for sizes that are not those of its shape */
export function writeModel(model: LlamaModel | EncoderModel, about: ModelAbout): Uint8Array<ArrayBuffer> {
  const text = encodeUtf8(about.text);
  const { name, licence, sourceSha256 } = about;
  const basis: HeaderBasis = { v: 1, name, licence, sourceSha256, textBytes: text.length };
  return model.kind === "llama"
    ? written(llamaHeader(model, basis), llamaTensors(model, text))
    : written(encoderHeader(model, basis), encoderTensors(model, text));
}

function written(header: ModelHeader, tensors: TensorMap): Uint8Array<ArrayBuffer> {
  const encoded = encodeHeader(header);
  const { places, bytes } = layoutOf(header);
  const start = tensorsAt(encoded.length);
  const file = new Uint8Array(start + bytes);
  file.set(encodeUtf8(MAGIC));
  new DataView(file.buffer).setUint32(MAGIC.length, encoded.length, true);
  file.set(encoded, HEADER_AT);
  for (const { name, offset, bytes: size } of places) file.set(tensors.get(name, size), start + offset);
  return file;
}

function tensorsAt(headerBytes: number): number {
  return Math.ceil((HEADER_AT + headerBytes) / ALIGNMENT) * ALIGNMENT;
}

/** The header of a file, from its beginning. @throws FailureError `malformed` */
export function readModelHeader(file: Uint8Array): {
  readonly header: ModelHeader;
  readonly tensorsAt: number;
} {
  const magic = new TextDecoder("latin1").decode(file.subarray(0, MAGIC.length));
  if (magic !== MAGIC || file.length < HEADER_AT) malformed(`does not begin with ${MAGIC}`);
  const size = new DataView(file.buffer, file.byteOffset, file.byteLength).getUint32(MAGIC.length, true);
  if (size > MAX_HEADER_BYTES || tensorsAt(size) > file.length) malformed(`has no header of ${size} bytes`);
  if (file.subarray(HEADER_AT + size, tensorsAt(size)).some((byte) => byte !== 0))
    malformed("bytes behind the header are not zero");
  return { header: decodeHeader(file.subarray(HEADER_AT, HEADER_AT + size)), tensorsAt: tensorsAt(size) };
}

/**
 * Reads a model. What decides whether sums stay in 32 bits is checked, so that no file makes two backends differ.
 * @param file is kept: the model's arrays lie over it (it is copied once if it does not begin at a multiple of 64)
 * @throws FailureError `malformed` naming what is wrong
 */
export function readModel(file: Uint8Array): StoredModel {
  const { header, tensorsAt: start } = readModelHeader(file);
  const { places, bytes } = layoutOf(header);
  if (file.length !== start + bytes) malformed(`has ${file.length} bytes, its header says ${start + bytes}`);
  const aligned = file.byteOffset % ALIGNMENT === 0 ? file : file.slice();
  const reader = new TensorReader(aligned, start, places);
  reader.requireZeros();
  const { name, licence, sourceSha256 } = header;
  const about = { name, licence, sourceSha256, text: decodeUtf8(reader.u8("text")) };
  return header.kind === "llama"
    ? { kind: "llama", header, about, model: readLlamaTensors(header, reader) }
    : { kind: "encoder", header, about, model: readEncoderTensors(header, reader) };
}

/** Reads a model that continues texts. @throws FailureError `malformed`, also for a sentence encoder */
export function readLlama(file: Uint8Array): StoredLlama {
  const stored = readModel(file);
  return stored.kind === "llama" ? stored : malformed("holds a sentence encoder, which continues no text");
}

/** Reads a sentence encoder. @throws FailureError `malformed`, also for a model of another kind */
export function readEncoder(file: Uint8Array): StoredEncoder {
  const stored = readModel(file);
  return stored.kind === "encoder" ? stored : malformed("holds a model that continues texts, no encoder");
}
