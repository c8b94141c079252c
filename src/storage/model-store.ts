import type { Cid } from "../protocol/cid.ts";
import type { ModelManifest } from "../protocol/model-manifest.ts";

/** A model that is here, whole or in part. */
export interface StoredModel {
  readonly cid: Cid;
  readonly manifest: ModelManifest;
  /** Bytes stored so far. */
  readonly bytes: number;
  readonly complete: boolean;
  /** Milliseconds since 1970. */
  readonly usedAt: number;
}

/** A model on its way in. What was written before a crash or reload is there again. */
export interface ModelDraft {
  /** Chunks that are not here yet, in order. */
  missing(): number[];
  /** Keeps a chunk, which the caller has hashed. Several may be written at once. @throws StorageError */
  write(index: number, bytes: Uint8Array): Promise<void>;
  /** The whole file. @throws StorageError `unreadable` when a chunk is missing or damaged; it is then missing again */
  finish(): Promise<File>;
}

/** Model files of this browser. Several tabs may have it open at once, one of them writes. */
export interface ModelStore {
  list(): Promise<readonly StoredModel[]>;
  /** Begins or resumes. @throws StorageError `full`, with the numbers, when the rest will not fit; `denied` */
  open(cid: Cid, manifest: ModelManifest): Promise<ModelDraft>;
  /** The file, when it is complete. It is read from the disk as it is used. */
  file(cid: Cid): Promise<File | undefined>;
  /** A chunk, or a manifest, by its own CID: what other peers ask for. They hash it. */
  chunk(cid: Cid): Promise<Uint8Array | undefined>;
  remove(cid: Cid): Promise<void>;
  /** What the browser still grants, and what models take. Bytes. */
  room(): Promise<{ readonly freeBytes: number; readonly usedBytes: number }>;
}
