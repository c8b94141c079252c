import type { Cid } from "../protocol/cid.ts";
import type {
  HeldOutcomeRecord,
  HeldTaskRecord,
  HoldingChange,
  HoldingRecord,
  HoldingShelf,
} from "./holdings.ts";
import { MEMORY_HOLDING_BYTES } from "./limits.ts";
import type { OpeningItem, OpeningShelf } from "./openings.ts";
import type { Outbox, OutboxItem } from "./outbox.ts";
import { StorageError } from "./storage-error.ts";

/** Shelves for where the browser keeps nothing: as those in the database do it, until the page is closed. */

export function memoryOutbox(): Outbox {
  const items = new Map<Cid, OutboxItem>();
  return {
    async put(item) {
      const isNewer = (items.get(item.lease)?.seq ?? 0) <= item.seq;
      if (isNewer) items.set(item.lease, item);
      return isNewer;
    },
    get: async (lease) => items.get(lease),
    list: async () => [...items.values()].toSorted((a, b) => a.updatedAt - b.updatedAt),
    count: async () => items.size,
    async acknowledge(lease, seq) {
      if ((items.get(lease)?.seq ?? 0) <= seq) items.delete(lease);
    },
  };
}

function keyOf({ origin, entryIndex, index }: Pick<OpeningItem, "origin" | "entryIndex" | "index">): string {
  return `${origin} ${entryIndex} ${index}`;
}

export function memoryOpenings(): OpeningShelf {
  const items = new Map<string, OpeningItem>();
  const of = (origin: string): readonly OpeningItem[] =>
    [...items.values()].filter((each) => each.origin === origin).toSorted((a, b) => a.openBy - b.openBy);
  return {
    async put(each) {
      for (const item of each) items.set(keyOf(item), item);
    },
    next: async (origin, passed) => of(origin)[passed],
    count: async (origin) => of(origin).length,
    async remove(item) {
      items.delete(keyOf(item));
    },
    async removeOld(time) {
      for (const [key, { keptAt }] of items) if (keptAt < time) items.delete(key);
    },
  };
}

interface Held {
  record: HoldingRecord;
  readonly tasks: Map<number, HeldTaskRecord>;
  readonly inputs: Map<number, Uint8Array>;
  readonly outcomes: Map<number, HeldOutcomeRecord>;
}

function sorted<T>(map: ReadonlyMap<number, T>): T[] {
  return [...map].toSorted(([a], [b]) => a - b).map(([, value]) => value);
}

function inputBytes(held: Iterable<Held>): number {
  let bytes = 0;
  for (const { inputs } of held) for (const input of inputs.values()) bytes += input.length;
  return bytes;
}

function apply(held: Held, { record, tasks, inputs, outcomes, freed }: HoldingChange): void {
  held.record = record;
  for (const { seq, header } of tasks) held.tasks.set(seq, { seq, header });
  for (const { seq, input } of inputs) held.inputs.set(seq, input);
  for (const each of outcomes) held.outcomes.set(each.index, each);
  for (const seq of freed) held.inputs.delete(seq);
  for (const map of [held.tasks, held.inputs])
    for (const seq of map.keys()) if (seq < record.tasks.start) map.delete(seq);
  for (const index of held.outcomes.keys()) if (index < record.outcomes.start) held.outcomes.delete(index);
}

/** @param capBytes inputs of all leases together; beyond it a write is refused as on a full disk. */
export function memoryHoldings(capBytes: number = MEMORY_HOLDING_BYTES): HoldingShelf {
  const leases = new Map<Cid, Held>();
  return {
    async write(change) {
      const { record, inputs } = change;
      const adds = inputs.reduce((sum, { input }) => sum + input.length, 0);
      if (adds > 0 && inputBytes(leases.values()) + adds > capBytes)
        throw new StorageError("full", "storage: holdings in memory");
      const held: Held = leases.get(record.lease) ?? {
        record,
        tasks: new Map(),
        inputs: new Map(),
        outcomes: new Map(),
      };
      leases.set(record.lease, held);
      apply(held, change);
    },
    input: async (lease, seq) => leases.get(lease)?.inputs.get(seq),
    load: async (origin) =>
      [...leases.values()]
        .filter(({ record }) => record.origin === origin)
        .map(({ record, tasks, inputs, outcomes }) => ({
          record,
          tasks: sorted(tasks),
          inputs: [...inputs.keys()],
          outcomes: sorted(outcomes),
        })),
    async forget(lease) {
      leases.delete(lease);
    },
  };
}
