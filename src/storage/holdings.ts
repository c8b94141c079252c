import type { IDBPTransaction } from "idb";
import { type Cid, isCid } from "../protocol/cid.ts";
import type { BrowserDatabase, BrowserSchema } from "./database.ts";
import { LONE_INPUT_BYTES } from "./limits.ts";
import { isStorageFull, StorageError } from "./storage-error.ts";
import { asBytes, asBytesList, asCount, asText, fieldsOf } from "./stored-value.ts";

/** A Merkle tree whose first `start` leaves are forgotten, but for the complete subtrees over them, smallest first. */
export interface TreeStart {
  readonly start: number;
  readonly frontier: readonly Uint8Array[];
}

/** What the outcomes and tasks of a lease are proven by. */
export interface HoldingRecord {
  readonly lease: Cid;
  /** Origin of the relay. */
  readonly origin: string;
  readonly job: Cid;
  readonly outcomes: TreeStart;
  readonly tasks: TreeStart;
  /** The newest advance, which names that many tasks. */
  readonly advance?: { readonly envelope: Uint8Array; readonly taskCount: number };
  /** By this machine's clock, milliseconds since 1970: nothing is drawn any more. */
  readonly until: number;
}

export interface HeldTaskRecord {
  readonly seq: number;
  /** Encoded task. */
  readonly header: Uint8Array;
}

export interface HeldInputRecord {
  readonly seq: number;
  readonly input: Uint8Array;
}

export interface HeldOutcomeRecord {
  readonly index: number;
  readonly seq: number;
  /** Encoded outcome. */
  readonly leaf: Uint8Array;
}

/** What has changed since the write before. */
export interface HoldingChange {
  readonly record: HoldingRecord;
  readonly tasks: readonly HeldTaskRecord[];
  readonly inputs: readonly HeldInputRecord[];
  readonly outcomes: readonly HeldOutcomeRecord[];
  /** Tasks whose input, larger than LONE_INPUT_BYTES, is not needed any more; the smaller ones go with the trees' starts. */
  readonly freed: readonly number[];
}

export interface StoredHolding {
  readonly record: HoldingRecord;
  readonly tasks: readonly HeldTaskRecord[];
  /** Tasks whose input is here. */
  readonly inputs: readonly number[];
  readonly outcomes: readonly HeldOutcomeRecord[];
}

/**
 * What a draw may ask for, lease by lease: outcomes that no draw has passed over yet, with their tasks and inputs. It
 * outlives a tab, not a machine that loses power: writing is on the way of every receipt, so it does not wait for the disk.
 */
export interface HoldingShelf {
  /** Adds what is new and drops what lies before the trees' starts, all or nothing. @throws StorageError `full` */
  write(change: HoldingChange): Promise<void>;
  input(lease: Cid, seq: number): Promise<Uint8Array | undefined>;
  /** All leases of a relay, without the inputs. Passes over what cannot be read. */
  load(origin: string): Promise<readonly StoredHolding[]>;
  forget(lease: Cid): Promise<void>;
}

const STORES = ["holdings", "heldTasks", "heldInputs", "heldOutcomes"] as const;
type Write = IDBPTransaction<BrowserSchema, typeof STORES, "readwrite">;

/** Keys of a lease below `to`; all of them where that is not said. */
function below(lease: Cid, to: number = Number.MAX_SAFE_INTEGER): IDBKeyRange {
  // A shorter key comes before any that begins with it.
  return IDBKeyRange.bound([lease], [lease, to], false, true);
}

function parseTree(value: unknown): TreeStart | undefined {
  const fields = fieldsOf(value);
  const start = asCount(fields.get("start"));
  const frontier = asBytesList(fields.get("frontier"));
  return start === undefined || frontier === undefined ? undefined : { start, frontier };
}

function parseAdvance(value: unknown): HoldingRecord["advance"] {
  const fields = fieldsOf(value);
  const envelope = asBytes(fields.get("envelope"));
  const taskCount = asCount(fields.get("taskCount"));
  return envelope === undefined || taskCount === undefined ? undefined : { envelope, taskCount };
}

function parseRecord(value: unknown): HoldingRecord | undefined {
  const fields = fieldsOf(value);
  const [lease, job] = [fields.get("lease"), fields.get("job")];
  const origin = asText(fields.get("origin"));
  const [outcomes, tasks] = [parseTree(fields.get("outcomes")), parseTree(fields.get("tasks"))];
  const until = asCount(fields.get("until"));
  if (!isCid(lease) || !isCid(job) || origin === undefined || until === undefined) return undefined;
  if (outcomes === undefined || tasks === undefined) return undefined;
  const advance = parseAdvance(fields.get("advance"));
  return { lease, origin, job, outcomes, tasks, ...(advance === undefined ? {} : { advance }), until };
}

function parseTask(value: unknown): HeldTaskRecord | undefined {
  const fields = fieldsOf(value);
  const seq = asCount(fields.get("seq"));
  const header = asBytes(fields.get("header"));
  return seq === undefined || header === undefined ? undefined : { seq, header };
}

function parseInput(value: unknown): HeldInputRecord | undefined {
  const fields = fieldsOf(value);
  const seq = asCount(fields.get("seq"));
  const input = asBytes(fields.get("input"));
  return seq === undefined || input === undefined ? undefined : { seq, input };
}

function parseOutcome(value: unknown): HeldOutcomeRecord | undefined {
  const fields = fieldsOf(value);
  const [index, seq] = [asCount(fields.get("index")), asCount(fields.get("seq"))];
  const leaf = asBytes(fields.get("leaf"));
  return index === undefined || seq === undefined || leaf === undefined ? undefined : { index, seq, leaf };
}

function isKnown<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** The key of a batch: its last number, and a half, so that it is no key of a lone record. */
function batchKey(lease: Cid, batch: readonly { readonly seq: number }[]): [string, number] {
  return [lease, Math.max(...batch.map(({ seq }) => seq)) + 0.5];
}

/**
 * The requests of one write. Each costs about as much as the bytes of a hundred small records, so what comes together is
 * kept together, but for inputs that are worth freeing alone.
 */
function changes(
  write: Write,
  { record, tasks, inputs, outcomes, freed }: HoldingChange,
): Promise<unknown>[] {
  const { lease } = record;
  const heldTasks = write.objectStore("heldTasks");
  const heldInputs = write.objectStore("heldInputs");
  const heldOutcomes = write.objectStore("heldOutcomes");
  const requests: Promise<unknown>[] = [
    write.objectStore("holdings").put({ ...record }, lease),
    ...inputs.filter(isLone).map((each) => heldInputs.put({ batch: [each] }, [lease, each.seq])),
    ...freed.map((seq) => heldInputs.delete([lease, seq])),
  ];
  const small = inputs.filter((each) => !isLone(each));
  if (small.length > 0) requests.push(heldInputs.put({ batch: small }, batchKey(lease, small)));
  if (tasks.length > 0) {
    const batch = tasks.map(({ seq, header }) => ({ seq, header }));
    requests.push(heldTasks.put({ batch }, batchKey(lease, batch)));
  }
  if (outcomes.length > 0) {
    const last = Math.max(...outcomes.map(({ index }) => index));
    requests.push(heldOutcomes.put({ batch: [...outcomes] }, [lease, last + 0.5]));
  }
  requests.push(
    heldTasks.delete(below(lease, record.tasks.start)),
    heldInputs.delete(below(lease, record.tasks.start)),
    heldOutcomes.delete(below(lease, record.outcomes.start)),
  );
  return requests;
}

function isLone({ input }: HeldInputRecord): boolean {
  return input.length > LONE_INPUT_BYTES;
}

/** What a batch holds, less what does not decode. */
function unpacked<T>(values: readonly unknown[], parse: (value: unknown) => T | undefined): readonly T[] {
  return values.flatMap((value) => {
    const batch: unknown = fieldsOf(value).get("batch");
    return Array.isArray(batch) ? batch.map(parse).filter(isKnown) : [];
  });
}

async function loadOne(database: BrowserDatabase, record: HoldingRecord): Promise<StoredHolding> {
  const { lease } = record;
  const all = below(lease);
  const read = database.transaction(STORES);
  const heldInputs = read.objectStore("heldInputs");
  const [tasks, keys, outcomes] = await Promise.all([
    read.objectStore("heldTasks").getAll(all),
    heldInputs.getAllKeys(all),
    read.objectStore("heldOutcomes").getAll(all),
  ]);
  const numbers = keys.map(([, number]) => number);
  const batches = numbers.filter((number) => !Number.isInteger(number));
  const small = await Promise.all(batches.map((number) => heldInputs.get([lease, number])));
  return {
    record,
    tasks: unpacked(tasks, parseTask).filter(({ seq }) => seq >= record.tasks.start),
    inputs: [...numbers.filter(Number.isInteger), ...unpacked(small, parseInput).map(({ seq }) => seq)],
    outcomes: unpacked(outcomes, parseOutcome).filter(({ index }) => index >= record.outcomes.start),
  };
}

async function readInput(
  database: BrowserDatabase,
  lease: Cid,
  seq: number,
): Promise<Uint8Array | undefined> {
  const lone = await database.get("heldInputs", [lease, seq]);
  const [found] = unpacked([lone], parseInput);
  if (found !== undefined) return found.input;
  // Its batch has a key above it; inputs become whole in any order, so it may not be the first.
  const from = IDBKeyRange.bound([lease, seq], [lease, Number.MAX_SAFE_INTEGER]);
  let cursor = await database.transaction("heldInputs").store.openCursor(from);
  while (cursor !== null) {
    const input = unpacked([cursor.value], parseInput).find((each) => each.seq === seq)?.input;
    if (input !== undefined) return input;
    // oxlint-disable-next-line no-await-in-loop -- a cursor is a walk
    cursor = await cursor.continue();
  }
  return undefined;
}

export function createHoldingShelf(database: BrowserDatabase): HoldingShelf {
  return {
    async write(change) {
      try {
        const write = database.transaction(STORES, "readwrite", { durability: "relaxed" });
        await Promise.all([...changes(write, change), write.done]);
      } catch (error) {
        if (isStorageFull(error)) throw new StorageError("full", "storage: holdings", { cause: error });
        throw error;
      }
    },
    input: (lease, seq) => readInput(database, lease, seq),
    async load(origin) {
      const records = (await database.getAll("holdings")).map(parseRecord).filter(isKnown);
      return Promise.all(
        records.filter((record) => record.origin === origin).map((record) => loadOne(database, record)),
      );
    },
    async forget(lease) {
      const write = database.transaction(STORES, "readwrite", { durability: "relaxed" });
      await Promise.all([
        write.objectStore("holdings").delete(lease),
        ...(["heldTasks", "heldInputs", "heldOutcomes"] as const).map((name) =>
          write.objectStore(name).delete(below(lease)),
        ),
        write.done,
      ]);
    },
  };
}
