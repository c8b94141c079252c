/* What a tab keeps, for tests where there is no IndexedDB: as the real shelves do it, and it outlives those who use it. */
import type { Cid } from "../protocol/cid.ts";
import type { HeldOutcomeRecord, HeldTaskRecord, HoldingRecord, HoldingShelf } from "../storage/holdings.ts";
import type { OpeningItem, OpeningShelf } from "../storage/openings.ts";
import type { Outbox, OutboxItem } from "../storage/outbox.ts";

export function memoryOutbox(): Outbox {
  const items = new Map<Cid, OutboxItem>();
  return {
    async put(item) {
      const isNewer = (items.get(item.lease)?.seq ?? 0) <= item.seq;
      if (isNewer) items.set(item.lease, item);
      return isNewer;
    },
    get: async (lease) => items.get(lease),
    list: async () => [...items.values()],
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
    put: async (each) => each.forEach((item) => items.set(keyOf(item), item)),
    next: async (origin, passed) => of(origin)[passed],
    count: async (origin) => of(origin).length,
    remove: async (item) => void items.delete(keyOf(item)),
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

export function memoryHoldings(): HoldingShelf {
  const leases = new Map<Cid, Held>();
  return {
    async write({ record, tasks, inputs, outcomes, freed }) {
      const held = leases.get(record.lease) ?? {
        record,
        tasks: new Map<number, HeldTaskRecord>(),
        inputs: new Map<number, Uint8Array>(),
        outcomes: new Map<number, HeldOutcomeRecord>(),
      };
      leases.set(record.lease, held);
      held.record = record;
      for (const { seq, header } of tasks) held.tasks.set(seq, { seq, header });
      for (const { seq, input } of inputs) held.inputs.set(seq, input);
      for (const each of outcomes) held.outcomes.set(each.index, each);
      for (const seq of freed) held.inputs.delete(seq);
      for (const map of [held.tasks, held.inputs])
        for (const seq of map.keys()) if (seq < record.tasks.start) map.delete(seq);
      for (const index of held.outcomes.keys())
        if (index < record.outcomes.start) held.outcomes.delete(index);
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
    forget: async (lease) => void leases.delete(lease),
  };
}
