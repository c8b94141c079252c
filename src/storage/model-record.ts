import { type Cid, cidOf, DAG_CBOR } from "../protocol/cid.ts";
import { chunkCount, chunkRange, decodeManifest, type ModelManifest } from "../protocol/model-manifest.ts";
import { asBytes, asCount, fieldsOf } from "./stored-value.ts";

/** What the database knows of a model: its manifest, and which chunks are on the disk. */
export interface ModelRecord {
  readonly manifest: ModelManifest;
  /** One bit for each chunk, the lowest of a byte first. A bit is set when the chunk's file is closed, not before. */
  readonly have: Uint8Array<ArrayBuffer>;
  /** Milliseconds since 1970. */
  readonly usedAt: number;
}

/** What is stored under a model's CID, if it is one. */
export function readModelRecord(cid: string, value: unknown): ModelRecord | undefined {
  const fields = fieldsOf(value);
  const encoded = asBytes(fields.get("manifest"));
  const have = asBytes(fields.get("have"));
  if (encoded === undefined || have === undefined || cidOf(DAG_CBOR, encoded) !== cid) return undefined;
  const manifest = decodeManifest(encoded);
  if (have.length !== Math.ceil(chunkCount(manifest) / 8)) return undefined;
  return { manifest, have, usedAt: asCount(fields.get("usedAt")) ?? 0 };
}

export function newModelRecord(manifest: ModelManifest, usedAt: number): ModelRecord {
  return { manifest, have: new Uint8Array(Math.ceil(chunkCount(manifest) / 8)), usedAt };
}

export function hasChunk({ have }: ModelRecord, index: number): boolean {
  return ((have[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

export function withChunk(record: ModelRecord, index: number, isHere: boolean): ModelRecord {
  const have = record.have.slice();
  const bit = 1 << (index & 7);
  const byte = have[index >> 3] ?? 0;
  have[index >> 3] = isHere ? byte | bit : byte & ~bit;
  return { ...record, have };
}

/** Chunks that are not on the disk, in order. */
export function missingChunks(record: ModelRecord): number[] {
  const all = Array.from({ length: chunkCount(record.manifest) }, (_, index) => index);
  return all.filter((index) => !hasChunk(record, index));
}

export function chunkBytes({ manifest }: Pick<ModelRecord, "manifest">, index: number): number {
  const { from, to } = chunkRange(manifest, index);
  return to - from;
}

/** Bytes that are on the disk. */
export function storedBytes(record: ModelRecord): number {
  const missing = missingChunks(record).reduce((sum, index) => sum + chunkBytes(record, index), 0);
  return record.manifest.size - missing;
}

/** A chunk's place. */
export interface ChunkPlace {
  readonly model: Cid;
  readonly index: number;
}
