import { type Cid, isCid } from "../protocol/cid.ts";
import { type BrowserDatabase, DURABLE } from "./database.ts";
import { isStorageFull, StorageError } from "./storage-error.ts";
import { asBytes, asCount, asText, fieldsOf } from "./stored-value.ts";

/** A drawn outcome laid open, ready to be sent. */
export interface OpeningItem {
  readonly lease: Cid;
  /** Origin of the relay it is for. */
  readonly origin: string;
  /** Entry that was drawn from, and the leaf: what tells openings apart. */
  readonly entryIndex: number;
  readonly index: number;
  /** Opening envelope. */
  readonly envelope: Uint8Array;
  /** The input, where it is too large for the envelope and the relay may lack it. */
  readonly blob?: { readonly cid: Cid; readonly bytes: Uint8Array };
  /** The relay's log time, milliseconds since 1970; later it does not want it. */
  readonly openBy: number;
  /** By this machine's clock, milliseconds since 1970. */
  readonly keptAt: number;
}

type OpeningKey = Pick<OpeningItem, "origin" | "entryIndex" | "index">;

/** Openings that a relay has not acknowledged. Survives a crash. */
export interface OpeningShelf {
  /** Keeps all of them, durably before it resolves, or none. @throws StorageError `full` */
  put(items: readonly OpeningItem[]): Promise<void>;
  /** The most urgent one after `passed` others. One at a time, since each may hold an input of 32 MiB. */
  next(origin: string, passed: number): Promise<OpeningItem | undefined>;
  count(origin: string): Promise<number>;
  /** Acknowledged, or of no use any more. */
  remove(item: OpeningKey): Promise<void>;
  /** Removes those of all relays that were kept before `time`, and whatever cannot be read. */
  removeOld(time: number): Promise<void>;
}

function parseBlob(value: unknown): OpeningItem["blob"] {
  const fields = fieldsOf(value);
  const cid = fields.get("cid");
  const bytes = asBytes(fields.get("bytes"));
  return isCid(cid) && bytes !== undefined ? { cid, bytes } : undefined;
}

function parseItem(value: unknown): OpeningItem | undefined {
  const fields = fieldsOf(value);
  const lease = fields.get("lease");
  const origin = asText(fields.get("origin"));
  const envelope = asBytes(fields.get("envelope"));
  const [entryIndex, index, openBy, keptAt] = ["entryIndex", "index", "openBy", "keptAt"].map((name) =>
    asCount(fields.get(name)),
  );
  if (!isCid(lease) || origin === undefined || envelope === undefined) return undefined;
  if (entryIndex === undefined || index === undefined) return undefined;
  if (openBy === undefined || keptAt === undefined) return undefined;
  const blob = parseBlob(fields.get("blob"));
  return {
    lease,
    origin,
    entryIndex,
    index,
    envelope,
    ...(blob === undefined ? {} : { blob }),
    openBy,
    keptAt,
  };
}

function keyOf({ origin, entryIndex, index }: OpeningKey): [string, number, number] {
  return [origin, entryIndex, index];
}

function ofOrigin(origin: string): IDBKeyRange {
  return IDBKeyRange.bound([origin, 0], [origin, Number.MAX_SAFE_INTEGER]);
}

export function createOpeningShelf(database: BrowserDatabase): OpeningShelf {
  return {
    async put(items) {
      try {
        const write = database.transaction("openings", "readwrite", DURABLE);
        const puts = items.map((item) => write.store.put({ ...item }, keyOf(item)));
        await Promise.all([...puts, write.done]);
      } catch (error) {
        if (isStorageFull(error)) throw new StorageError("full", "storage: openings", { cause: error });
        throw error;
      }
    },
    async next(origin, passed) {
      const urgent = database.transaction("openings").store.index("byDeadline");
      let cursor = await urgent.openCursor(ofOrigin(origin));
      if (passed > 0) cursor = (await cursor?.advance(passed)) ?? null;
      return cursor === null ? undefined : parseItem(cursor.value);
    },
    count: async (origin) => database.countFromIndex("openings", "byDeadline", ofOrigin(origin)),
    remove: async (item) => database.delete("openings", keyOf(item)),
    async removeOld(time) {
      const write = database.transaction("openings", "readwrite");
      for (let cursor = await write.store.openCursor(); cursor !== null;) {
        const item = parseItem(cursor.value);
        // oxlint-disable-next-line no-await-in-loop -- a cursor is a walk
        if (item === undefined || item.keptAt < time) await cursor.delete();
        // oxlint-disable-next-line no-await-in-loop
        cursor = await cursor.continue();
      }
      await write.done;
    },
  };
}
