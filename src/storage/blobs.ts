import type { IDBPTransaction } from "idb";
import type { Cid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { hashesTo } from "../protocol/hashes-to.ts";
import type { BrowserDatabase, BrowserSchema } from "./database.ts";
import { isStorageFull } from "./storage-error.ts";
import { asBytes, asCount, fieldsOf } from "./stored-value.ts";

/** Content by its identifier, least recently used out first. A cache: anything may be gone at any time. */
export interface BlobCache {
  /** The content, hashed anew on every read; undefined when absent. What no longer hashes to its CID is dropped. */
  get(cid: Cid): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Whether there is something under the identifier; `get` may still find it damaged. */
  has(cid: Cid): Promise<boolean>;
  /**
   * Keeps content. The bytes are copied.
   * @returns false when it is larger than the whole cache or the disk is full; nothing is lost by that but time.
   * @throws FailureError `content-mismatch` when the bytes do not hash to the identifier.
   */
  put(cid: Cid, bytes: Uint8Array): Promise<boolean>;
  delete(cid: Cid): Promise<void>;
  usage(): Promise<BlobUsage>;
}

export interface BlobUsage {
  readonly bytes: number;
  readonly blobs: number;
  readonly capBytes: number;
}

const STORES = ["blobs", "blobUses", "blobTotals"] as const;
type Write = IDBPTransaction<BrowserSchema, typeof STORES, "readwrite">;

interface Totals {
  readonly bytes: number;
  readonly nextUse: number;
}

const TOTALS = "all";

async function readTotals(write: Write): Promise<Totals> {
  const fields = fieldsOf(await write.objectStore("blobTotals").get(TOTALS));
  return { bytes: asCount(fields.get("bytes")) ?? 0, nextUse: asCount(fields.get("nextUse")) ?? 0 };
}

async function writeTotals(write: Write, totals: Totals): Promise<void> {
  await write.objectStore("blobTotals").put({ ...totals }, TOTALS);
}

/** Removes a blob. @returns the bytes it took. */
async function remove(write: Write, key: string): Promise<number> {
  const size = asCount(fieldsOf(await write.objectStore("blobUses").get(key)).get("size")) ?? 0;
  await Promise.all([write.objectStore("blobs").delete(key), write.objectStore("blobUses").delete(key)]);
  return size;
}

/** Removes least recently used blobs until at most `allowed` bytes remain. @returns bytes that remain. */
async function evict(write: Write, bytes: number, allowed: number): Promise<number> {
  let remaining = bytes;
  let cursor = await write.objectStore("blobUses").index("byUse").openCursor();
  while (cursor !== null && remaining > allowed) {
    // oxlint-disable-next-line no-await-in-loop -- a cursor is a walk
    remaining -= await remove(write, cursor.primaryKey);
    // oxlint-disable-next-line no-await-in-loop
    cursor = await cursor.continue();
  }
  return Math.max(remaining, 0);
}

class BoundedBlobCache implements BlobCache {
  readonly #database: BrowserDatabase;
  readonly #capBytes: number;

  constructor(database: BrowserDatabase, capBytes: number) {
    this.#database = database;
    this.#capBytes = capBytes;
  }

  async get(cid: Cid): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const stored = await this.#database.get("blobs", cid);
    if (stored === undefined) return undefined;
    const bytes = asBytes(stored);
    if (bytes === undefined || !(await hashesTo(crypto.subtle, cid, bytes))) {
      await this.delete(cid);
      return undefined;
    }
    await this.#touch(cid);
    return bytes;
  }

  async has(cid: Cid): Promise<boolean> {
    return (await this.#database.count("blobs", cid)) > 0;
  }

  async put(cid: Cid, bytes: Uint8Array): Promise<boolean> {
    const copy = new Uint8Array(bytes);
    if (!(await hashesTo(crypto.subtle, cid, copy)))
      throw new FailureError("content-mismatch", `blob ${cid}`);
    if (copy.length > this.#capBytes) return false;
    return (
      (await this.#write(cid, copy, this.#capBytes)) ||
      // The disk holds less than the cap promises: give half of what is kept back, then try once more.
      this.#write(cid, copy, Math.max(copy.length, (await this.usage()).bytes / 2))
    );
  }

  async delete(cid: Cid): Promise<void> {
    const write = this.#database.transaction(STORES, "readwrite");
    const totals = await readTotals(write);
    const size = await remove(write, cid);
    await writeTotals(write, { ...totals, bytes: Math.max(totals.bytes - size, 0) });
    await write.done;
  }

  async usage(): Promise<BlobUsage> {
    const read = this.#database.transaction(["blobs", "blobTotals"], "readonly");
    const [blobs, totals] = await Promise.all([
      read.objectStore("blobs").count(),
      read.objectStore("blobTotals").get(TOTALS),
    ]);
    return { blobs, bytes: asCount(fieldsOf(totals).get("bytes")) ?? 0, capBytes: this.#capBytes };
  }

  /** One transaction, so that the totals are true whatever is interrupted. @returns false when the disk is full. */
  async #write(cid: Cid, bytes: Uint8Array<ArrayBuffer>, allowed: number): Promise<boolean> {
    const write = this.#database.transaction(STORES, "readwrite");
    try {
      const totals = await readTotals(write);
      const without = totals.bytes - (await remove(write, cid));
      const kept = await evict(write, without, allowed - bytes.length);
      await Promise.all([
        write.objectStore("blobs").put(bytes.buffer, cid),
        write.objectStore("blobUses").put({ size: bytes.length, use: totals.nextUse }, cid),
        writeTotals(write, { bytes: kept + bytes.length, nextUse: totals.nextUse + 1 }),
        write.done,
      ]);
      return true;
    } catch (error) {
      if (isStorageFull(error)) return false;
      throw error;
    }
  }

  async #touch(cid: Cid): Promise<void> {
    const write = this.#database.transaction(STORES, "readwrite");
    const totals = await readTotals(write);
    const uses = write.objectStore("blobUses");
    const size = asCount(fieldsOf(await uses.get(cid)).get("size"));
    if (size !== undefined) {
      await uses.put({ size, use: totals.nextUse }, cid);
      await writeTotals(write, { ...totals, nextUse: totals.nextUse + 1 });
    }
    await write.done;
  }
}

/** @param capBytes bytes of all blobs together. */
export function createBlobCache(database: BrowserDatabase, capBytes: number): BlobCache {
  return new BoundedBlobCache(database, capBytes);
}
