import type { Cid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { hashesTo } from "../protocol/hashes-to.ts";
import {
  chunkCid,
  chunkCount,
  encodeManifest,
  manifestCid,
  type ModelManifest,
} from "../protocol/model-manifest.ts";
import {
  type ChunkFolder,
  hasRoomFor,
  openFolder,
  openModelsFolder,
  removeFolder,
  removeOthers,
} from "./chunk-folder.ts";
import type { BrowserDatabase } from "./database.ts";
import { freeRoom } from "./free-room.ts";
import {
  chunkBytes,
  type ChunkPlace,
  hasChunk,
  missingChunks,
  type ModelRecord,
  newModelRecord,
  readModelRecord,
  storedBytes,
  withChunk,
} from "./model-record.ts";
import { StorageError, storageError } from "./storage-error.ts";

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
  /** Keeps a chunk, which the caller has hashed. Several may be written at once. @throws StorageError, `closed` once the model is removed */
  write(index: number, bytes: Uint8Array): Promise<void>;
  /**
   * The whole file. Chunks of an earlier start are hashed once more.
   * @throws StorageError `unreadable` when a chunk is missing or damaged; it is then missing again
   */
  finish(): Promise<File>;
}

/** Model files of this browser. Several tabs may have it open at once, one of them writes. */
export interface ModelStore {
  /** The one used last comes first. */
  list(): Promise<readonly StoredModel[]>;
  /**
   * Begins or resumes.
   * @throws StorageError `full`, with the numbers, when the rest will not fit; `denied`
   * @throws FailureError `content-mismatch` when the manifest is another one's
   */
  open(cid: Cid, manifest: ModelManifest): Promise<ModelDraft>;
  /** The file, when it is complete. It is read from the disk as it is used. */
  file(cid: Cid): Promise<File | undefined>;
  /** A chunk, or a manifest, by its own CID, hashed anew: what other peers ask for. */
  chunk(cid: Cid): Promise<Uint8Array | undefined>;
  remove(cid: Cid): Promise<void>;
  /** What the browser still grants, and what models take. Bytes. */
  room(): Promise<{ readonly freeBytes: number; readonly usedBytes: number }>;
}

class OpfsModelStore implements ModelStore {
  readonly #database: BrowserDatabase;
  readonly #folderName: string;
  /** Where each chunk is, once somebody has asked; made anew when models come or go. */
  #places: Promise<ReadonlyMap<Cid, ChunkPlace>> | undefined;

  constructor(database: BrowserDatabase, folderName: string) {
    this.#database = database;
    this.#folderName = folderName;
  }

  async list(): Promise<readonly StoredModel[]> {
    const records = await this.#records();
    return records
      .map(([cid, record]): StoredModel => {
        const { manifest, usedAt } = record;
        const bytes = storedBytes(record);
        return { cid, manifest, bytes, complete: bytes === manifest.size, usedAt };
      })
      .toSorted((a, b) => b.usedAt - a.usedAt);
  }

  async open(cid: Cid, manifest: ModelManifest): Promise<ModelDraft> {
    if (manifestCid(manifest) !== cid)
      throw new FailureError("content-mismatch", `the manifest is not that of ${cid}`);
    const before = (await this.#record(cid)) ?? newModelRecord(manifest, Date.now());
    const models = await openModelsFolder(this.#folderName);
    await removeOthers(models, new Set([cid, ...(await this.#records()).map(([each]) => each)]));
    await this.#requireRoom(models, manifest.size - storedBytes(before));
    // The record first: a folder without one is cleared away.
    const record = await this.#change(cid, (kept) => ({ ...(kept ?? before), usedAt: Date.now() }));
    const folder = await openFolder(models, cid, true);
    this.#places = undefined;
    return new Draft(record ?? before, folder, (index, isHere) => this.#mark(cid, index, isHere));
  }

  async file(cid: Cid): Promise<File | undefined> {
    const record = await this.#record(cid);
    if (record === undefined || missingChunks(record).length > 0) return undefined;
    const folder = await openFolder(await openModelsFolder(this.#folderName), cid, true);
    const files = await findAll(record, folder);
    const lost = files.flatMap((file, index) => (file === undefined ? [index] : []));
    await Promise.all(lost.map((index) => this.#mark(cid, index, false)));
    if (lost.length > 0) return undefined;
    await this.#change(cid, (kept) => kept && { ...kept, usedAt: Date.now() });
    return joined(files, record.manifest);
  }

  async chunk(cid: Cid): Promise<Uint8Array | undefined> {
    const asManifest = await this.#record(cid);
    if (asManifest !== undefined) return encodeManifest(asManifest.manifest);
    this.#places ??= this.#findPlaces();
    const place = (await this.#places).get(cid);
    const record = place === undefined ? undefined : await this.#record(place.model);
    if (place === undefined || record === undefined || !hasChunk(record, place.index)) return undefined;
    const folder = await openFolder(await openModelsFolder(this.#folderName), place.model, true);
    const file = await folder.find(place.index, chunkBytes(record, place.index));
    const bytes = file === undefined ? undefined : new Uint8Array(await file.arrayBuffer());
    if (bytes !== undefined && (await hashesTo(crypto.subtle, cid, bytes))) return bytes;
    await this.#mark(place.model, place.index, false);
    return undefined;
  }

  async remove(cid: Cid): Promise<void> {
    this.#places = undefined;
    // The record first: files without one are never taken for a model.
    await this.#database.delete("models", cid);
    await removeFolder(await openModelsFolder(this.#folderName), cid);
  }

  async room(): Promise<{ readonly freeBytes: number; readonly usedBytes: number }> {
    try {
      const [freeBytes, records] = await Promise.all([freeRoom(), this.#records()]);
      const usedBytes = records.reduce((sum, [, record]) => sum + storedBytes(record), 0);
      return { freeBytes, usedBytes };
    } catch (error) {
      throw storageError(error);
    }
  }

  async #requireRoom(models: FileSystemDirectoryHandle, neededBytes: number): Promise<void> {
    const { freeBytes } = await this.room();
    const needs = `the model needs ${megabytes(neededBytes)} more`;
    if (neededBytes > freeBytes)
      throw new StorageError("full", `${needs}, the browser grants ${megabytes(freeBytes)}`);
    if (neededBytes > 0 && !(await hasRoomFor(models, neededBytes)))
      throw new StorageError("full", `${needs} than the browser has room for`);
  }

  async #records(): Promise<readonly (readonly [Cid, ModelRecord])[]> {
    const read = this.#database.transaction("models");
    const [keys, values] = await Promise.all([read.store.getAllKeys(), read.store.getAll()]);
    return keys.flatMap((key, i) => {
      const record = readModelRecord(key, values[i]);
      return record === undefined ? [] : [[manifestCid(record.manifest), record] as const];
    });
  }

  async #record(cid: Cid): Promise<ModelRecord | undefined> {
    const value: unknown = await this.#database.get("models", cid);
    return value === undefined ? undefined : readModelRecord(cid, value);
  }

  /** Writes what `change` makes of the record, in one transaction. Nothing happens when it makes nothing of it. */
  async #change(
    cid: Cid,
    change: (record: ModelRecord | undefined) => ModelRecord | undefined,
  ): Promise<ModelRecord | undefined> {
    try {
      const write = this.#database.transaction("models", "readwrite");
      const value: unknown = await write.store.get(cid);
      const record = change(value === undefined ? undefined : readModelRecord(cid, value));
      if (record !== undefined)
        await write.store.put({ ...record, manifest: encodeManifest(record.manifest) }, cid);
      await write.done;
      return record;
    } catch (error) {
      throw storageError(error);
    }
  }

  async #mark(cid: Cid, index: number, isHere: boolean): Promise<void> {
    const record = await this.#change(cid, (kept) => kept && withChunk(kept, index, isHere));
    if (record === undefined) throw new StorageError("closed", "storage: the model was deleted");
  }

  async #findPlaces(): Promise<ReadonlyMap<Cid, ChunkPlace>> {
    const places = new Map<Cid, ChunkPlace>();
    for (const [model, { manifest }] of await this.#records())
      for (let index = 0; index < chunkCount(manifest); index += 1)
        places.set(chunkCid(manifest, index), { model, index });
    return places;
  }
}

class Draft implements ModelDraft {
  readonly #record: ModelRecord;
  readonly #folder: ChunkFolder;
  readonly #mark: (index: number, isHere: boolean) => Promise<void>;
  readonly #missing: Set<number>;
  /** Chunks of an earlier start, which nobody has hashed since. */
  readonly #old: readonly number[];

  constructor(
    record: ModelRecord,
    folder: ChunkFolder,
    mark: (index: number, isHere: boolean) => Promise<void>,
  ) {
    this.#record = record;
    this.#folder = folder;
    this.#mark = mark;
    this.#missing = new Set(missingChunks(record));
    const all = Array.from({ length: chunkCount(record.manifest) }, (_, index) => index);
    this.#old = all.filter((index) => !this.#missing.has(index));
  }

  missing(): number[] {
    return [...this.#missing].toSorted((a, b) => a - b);
  }

  async write(index: number, bytes: Uint8Array): Promise<void> {
    const expected = chunkBytes(this.#record, index);
    if (bytes.length !== expected) throw new RangeError(`chunk ${index} has ${expected} bytes`);
    await this.#folder.write(
      index,
      bytes.buffer instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes.slice(),
    );
    await this.#mark(index, true);
    this.#missing.delete(index);
  }

  async finish(): Promise<File> {
    const { manifest } = this.#record;
    const files = await findAll(this.#record, this.#folder);
    for (const index of this.#old) {
      // oxlint-disable-next-line no-await-in-loop -- one chunk in memory at a time
      const isWhole = await this.#holds(index, files[index]);
      if (!isWhole) files[index] = undefined;
    }
    const damaged = files.flatMap((file, index) => (file === undefined ? [index] : []));
    for (const index of damaged) this.#missing.add(index);
    await Promise.all(damaged.map((index) => this.#mark(index, false)));
    const whole = joined(files, manifest);
    if (whole === undefined)
      throw new StorageError("unreadable", `storage: ${damaged.length} chunks of the model are missing`);
    return whole;
  }

  async #holds(index: number, file: File | undefined): Promise<boolean> {
    if (file === undefined) return false;
    const bytes = new Uint8Array(await file.arrayBuffer());
    return hashesTo(crypto.subtle, chunkCid(this.#record.manifest, index), bytes);
  }
}

async function findAll(record: ModelRecord, folder: ChunkFolder): Promise<(File | undefined)[]> {
  const all = Array.from({ length: chunkCount(record.manifest) }, (_, index) => index);
  return Promise.all(all.map((index) => folder.find(index, chunkBytes(record, index))));
}

/** One file of all chunks, without copying any: it refers to theirs. */
function joined(files: readonly (File | undefined)[], { name }: ModelManifest): File | undefined {
  const parts = files.filter((file) => file !== undefined);
  return parts.length === files.length ? new File(parts, `${name}.tmm`) : undefined;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0)} MB`;
}

/** @param folderName of the folder that holds the models in the origin's private file system */
export function createModelStore(database: BrowserDatabase, folderName: string): ModelStore {
  return new OpfsModelStore(database, folderName);
}
