import { type FileHandle, open } from "node:fs/promises";
import { manifestOf } from "../../../inference/model/manifest.ts";
import { chunkRange, type ModelManifest } from "../../../protocol/model-manifest.ts";
import { sha256 } from "../../books/native-hash.ts";

/** A model file on this disk, chunk by chunk. */
export interface FileChunks {
  readonly manifest: ModelManifest;
  chunk(index: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Hashes a model file, a piece at a time. @throws FailureError `malformed` for what is no model file; of the disk */
export async function openFileChunks(path: string): Promise<FileChunks> {
  const file = await open(path);
  try {
    const manifest = await manifestOf(file.createReadStream({ autoClose: false }), sha256);
    return { manifest, chunk: (index) => readChunk(file, manifest, index), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readChunk(file: FileHandle, manifest: ModelManifest, index: number): Promise<Uint8Array> {
  const { from, to } = chunkRange(manifest, index);
  const { buffer, bytesRead } = await file.read(new Uint8Array(to - from), 0, to - from, from);
  return buffer.subarray(0, bytesRead);
}
