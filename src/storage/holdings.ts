import type { IDBPTransaction } from "idb";
import { type Cid, isCid } from "../protocol/cid.ts";
import type { BrowserDatabase, BrowserSchema } from "./database.ts";
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
  /** Tasks whose input is not needed any more. */
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

function parseOutcome(value: unknown): HeldOutcomeRecord | undefined {
  const fields = fieldsOf(value);
  const [index, seq] = [asCount(fields.get("index")), asCount(fields.get("seq"))];
  const leaf = asBytes(fields.get("leaf"));
  return index === undefined || seq === undefined || leaf === undefined ? undefined : { index, seq, leaf };
}

function isKnown<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** The requests of one write, in the order in which they are to happen. */
function changes(
  write: Write,
  { record, tasks, inputs, outcomes, freed }: HoldingChange,
): Promise<unknown>[] {
  const { lease } = record;
  const heldTasks = write.objectStore("heldTasks");
  const heldInputs = write.objectStore("heldInputs");
  const heldOutcomes = write.objectStore("heldOutcomes");
  return [
    write.objectStore("holdings").put({ ...record }, lease),
    ...tasks.map((each) => heldTasks.put({ ...each }, [lease, each.seq])),
    ...inputs.map(({ seq, input }) => heldInputs.put(input, [lease, seq])),
    ...outcomes.map((each) => heldOutcomes.put({ ...each }, [lease, each.index])),
    ...freed.map((seq) => heldInputs.delete([lease, seq])),
    heldTasks.delete(below(lease, record.tasks.start)),
    heldInputs.delete(below(lease, record.tasks.start)),
    heldOutcomes.delete(below(lease, record.outcomes.start)),
  ];
}

async function loadOne(database: BrowserDatabase, record: HoldingRecord): Promise<StoredHolding> {
  const all = below(record.lease);
  const read = database.transaction(STORES);
  const [tasks, inputs, outcomes] = await Promise.all([
    read.objectStore("heldTasks").getAll(all),
    read.objectStore("heldInputs").getAllKeys(all),
    read.objectStore("heldOutcomes").getAll(all),
  ]);
  return {
    record,
    tasks: tasks.map(parseTask).filter(isKnown),
    inputs: inputs.map(([, seq]) => seq),
    outcomes: outcomes.map(parseOutcome).filter(isKnown),
  };
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
    input: async (lease, seq) => asBytes(await database.get("heldInputs", [lease, seq])),
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
