import { type Cid, isCid } from "../protocol/cid.ts";
import { type BrowserDatabase, DURABLE } from "./database.ts";
import { isStorageFull, StorageError } from "./storage-error.ts";
import { asBytes, asBytesList, asCount, asListOf, asText, fieldsOf } from "./stored-value.ts";

/** A count of outcomes that an earlier receipt stood for, and the consistency proof from there. */
export interface OutboxBase {
  readonly count: number;
  readonly proof: readonly Uint8Array[];
}

/** The newest countersigned receipt of a lease: all that a report of it needs, also after the tab is gone. */
export interface OutboxItem {
  readonly lease: Cid;
  /** Origin of the relay it is for. */
  readonly origin: string;
  /** Receipt's seq within the lease; a higher one replaces a lower one. */
  readonly seq: number;
  /** Receipt envelope. */
  readonly receipt: Uint8Array;
  /** Advance envelope that countersigns it. */
  readonly advance: Uint8Array;
  /** Outcomes in the receipt. */
  readonly count: number;
  /**
   * Earlier counts that the relay may have logged, newest first: the requester reports too, so nobody but the relay knows
   * which it was. Each with the proof that the tree of `count` extends it. None: nothing can have been logged before.
   */
  readonly bases: readonly OutboxBase[];
  /** Leaf indices whose inputs are no longer held. */
  readonly lost: readonly number[];
  /** Milliseconds since 1970. */
  readonly updatedAt: number;
  /** When it was last sent, milliseconds since 1970; absent: never. The answer has not come. */
  readonly reportedAt?: number;
}

/** Receipts that wait for the relay's acknowledgement. One per lease, the newest. Survives a crash. */
export interface Outbox {
  /**
   * Keeps an item, durably before it resolves. Replaces an older one of the same lease.
   * @returns false when a newer receipt of the lease is kept already.
   * @throws StorageError `full`: the provider must not go on earning what it cannot keep.
   */
  put(item: OutboxItem): Promise<boolean>;
  get(lease: Cid): Promise<OutboxItem | undefined>;
  /** All items, longest unchanged first. */
  list(): Promise<readonly OutboxItem[]>;
  count(): Promise<number>;
  /** The relay has logged the receipt `seq`: forgets it, unless a newer one has taken its place. */
  acknowledge(lease: Cid, seq: number): Promise<void>;
}

function parseBase(value: unknown): OutboxBase | undefined {
  const fields = fieldsOf(value);
  const count = asCount(fields.get("count"));
  const proof = asBytesList(fields.get("proof"));
  return count === undefined || proof === undefined ? undefined : { count, proof };
}

function parseItem(value: unknown): OutboxItem | undefined {
  const fields = fieldsOf(value);
  const lease = fields.get("lease");
  const origin = asText(fields.get("origin"));
  const receipt = asBytes(fields.get("receipt"));
  const advance = asBytes(fields.get("advance"));
  const bases = asListOf(fields.get("bases"), parseBase);
  const lost = asListOf(fields.get("lost"), asCount);
  const [seq, count, updatedAt] = ["seq", "count", "updatedAt"].map((name) => asCount(fields.get(name)));
  if (!isCid(lease) || origin === undefined || receipt === undefined || advance === undefined)
    return undefined;
  if (bases === undefined || lost === undefined || seq === undefined) return undefined;
  if (count === undefined || updatedAt === undefined) return undefined;
  const reportedAt = asCount(fields.get("reportedAt"));
  return {
    lease,
    origin,
    seq,
    receipt,
    advance,
    count,
    bases,
    lost,
    updatedAt,
    ...(reportedAt === undefined ? {} : { reportedAt }),
  };
}

export function createOutbox(database: BrowserDatabase): Outbox {
  return {
    async put(item) {
      try {
        const write = database.transaction("outbox", "readwrite", DURABLE);
        const known = parseItem(await write.store.get(item.lease));
        const isNewer = known === undefined || known.seq <= item.seq;
        if (isNewer) await write.store.put({ ...item }, item.lease);
        await write.done;
        return isNewer;
      } catch (error) {
        if (isStorageFull(error)) throw new StorageError("full", "storage: the outbox", { cause: error });
        throw error;
      }
    },
    get: async (lease) => parseItem(await database.get("outbox", lease)),
    async list() {
      const values = await database.getAllFromIndex("outbox", "byUpdate");
      return values.map(parseItem).filter((item) => item !== undefined);
    },
    count: async () => database.count("outbox"),
    async acknowledge(lease, seq) {
      const write = database.transaction("outbox", "readwrite", DURABLE);
      const known = parseItem(await write.store.get(lease));
      if (known === undefined || known.seq <= seq) await write.store.delete(lease);
      await write.done;
    },
  };
}
