import { type Cid, cidFromDigest, cidOf, DAG_CBOR, RAW } from "./cid.ts";
import { MAX_MANIFEST_BYTES, MAX_MODEL_BYTES, MODEL_CHUNK_BYTES } from "./limits.ts";
import { HASH_BYTES } from "./merkle.ts";
import { MODEL_ENTRIES, type ModelEntry } from "./model-entry.ts";
import { bytes, decode, encode, oneOf, record, type Schema, text, uint, where } from "./schema.ts";
import { WireError } from "./wire-error.ts";

/**
 * What stands for a model file on the wire. Its CID (dag-cbor) is the model's identity in jobs, receipts and transcripts: it
 * follows from the file to the byte, and pins every chunk of it. Chunks are blobs of MODEL_CHUNK_BYTES, the last one shorter.
 */
export interface ModelManifest {
  readonly v: 1;
  readonly entry: ModelEntry;
  /** For people. */
  readonly name: string;
  /** SPDX identifier or the text of the source. */
  readonly licence: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes a provider needs for the file, its whole context and everything around: what a job's memory limit has to be. */
  readonly memory: number;
  /** Positions it can take in; of an encoder those of one text. */
  readonly context: number;
  /** Values of an embedding; 0 for a model that writes text. */
  readonly dimensions: number;
  /** SHA-256 of every chunk, one behind the other. */
  readonly chunks: Uint8Array;
}

const version: Schema<1> = {
  write: (out, value) => out.head(0, value),
  read: (from) => (from.uint(1) === 1 ? 1 : from.fail("is not version 1")),
};

export const modelManifestSchema: Schema<ModelManifest> = where(
  record<ModelManifest>({
    v: version,
    entry: oneOf(MODEL_ENTRIES),
    name: text(),
    licence: text(),
    size: uint(MAX_MODEL_BYTES),
    memory: uint(2 * MAX_MODEL_BYTES),
    context: uint(2 ** 24),
    dimensions: uint(65_535),
    chunks: bytes((MAX_MODEL_BYTES / MODEL_CHUNK_BYTES) * HASH_BYTES),
  }),
  ({ size, chunks }) => size > 0 && chunks.length === Math.ceil(size / MODEL_CHUNK_BYTES) * HASH_BYTES,
  "manifest: has not one hash for each chunk",
);

export function encodeManifest(manifest: ModelManifest): Uint8Array<ArrayBuffer> {
  return encode(modelManifestSchema, manifest);
}

/** @throws WireError for what is no manifest. */
export function decodeManifest(encoded: Uint8Array): ModelManifest {
  return decode(modelManifestSchema, encoded, MAX_MANIFEST_BYTES);
}

/** The model's identity. */
export function manifestCid(manifest: ModelManifest): Cid {
  return cidOf(DAG_CBOR, encodeManifest(manifest));
}

export function chunkCount({ size }: Pick<ModelManifest, "size">): number {
  return Math.ceil(size / MODEL_CHUNK_BYTES);
}

/** Where a chunk stands in the file. @throws WireError for one beyond its end */
export function chunkRange(
  manifest: Pick<ModelManifest, "size">,
  index: number,
): { readonly from: number; readonly to: number } {
  if (!(Number.isInteger(index) && index >= 0 && index < chunkCount(manifest)))
    throw new WireError(`the model has no chunk ${index}`);
  const from = index * MODEL_CHUNK_BYTES;
  return { from, to: Math.min(from + MODEL_CHUNK_BYTES, manifest.size) };
}

/** CID of a chunk. @throws WireError for one beyond the file's end */
export function chunkCid(manifest: ModelManifest, index: number): Cid {
  chunkRange(manifest, index);
  return cidFromDigest(RAW, manifest.chunks.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES));
}
