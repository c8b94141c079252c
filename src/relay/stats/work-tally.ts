import type { LeaseState } from "../../ledger/ledger-state.ts";
import { THROUGHPUT_MINUTES, type ThroughputView, type WorkSpan } from "../../protocol/network-view.ts";
import type { Cid } from "../../protocol/cid.ts";
import { microCredits } from "../../protocol/units.ts";
import { RecentMap } from "../books/recent-map.ts";
import { KEPT_LEASES } from "./limits.ts";

const MINUTE_MS = 60_000;

interface Totals {
  readonly index: number;
  readonly count: number;
  readonly fuel: bigint;
  readonly amount: bigint;
}

interface Minute {
  tasks: number;
  fuel: bigint;
  paid: bigint;
  receipts: number;
}

const NOTHING: Totals = { index: -1, count: 0, fuel: 0n, amount: 0n };

/** What a receipt adds to the one before it under its lease. */
export interface Added {
  /** Whether it is the first under its lease. */
  readonly isFirst: boolean;
  readonly count: number;
}

/** Adds up what logged receipts say, by minutes of log time. */
export class WorkTally {
  readonly #since: number;
  readonly #firstEntry: number;
  readonly #leases = new RecentMap<Cid, Totals>(KEPT_LEASES);
  readonly #minutes = new Map<number, Minute>();

  /** @param since when it begins to count, milliseconds since 1970. @param firstEntry size of the log then */
  constructor(since: number, firstEntry: number) {
    this.#since = since;
    this.#firstEntry = firstEntry;
  }

  /**
   * A lease has changed. Of one that is older than this tally the first receipt seen only says where to count from.
   * @returns what its newest receipt adds, or nothing where it has none, or none that is new
   */
  take({ id, index, newest }: LeaseState): Added | undefined {
    if (newest === undefined) return undefined;
    const before = this.#leases.get(id) ?? (index >= this.#firstEntry ? NOTHING : undefined);
    if (before !== undefined && newest.index <= before.index) return undefined;
    this.#leases.set(id, newest);
    if (before === undefined) return undefined;
    const minute = this.#minute(newest.time);
    minute.tasks += Math.max(0, newest.count - before.count);
    minute.fuel += newest.fuel > before.fuel ? newest.fuel - before.fuel : 0n;
    minute.paid += newest.amount > before.amount ? newest.amount - before.amount : 0n;
    minute.receipts += 1;
    return { isFirst: before === NOTHING, count: newest.count };
  }

  /** The last `spanMs`, to the whole minute, and the last hour by minutes. */
  view(nowMs: number, spanMs: number): ThroughputView {
    const running = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
    const first = Math.max(this.#since, running - spanMs + MINUTE_MS);
    const sum: Minute = { tasks: 0, fuel: 0n, paid: 0n, receipts: 0 };
    for (const [start, minute] of this.#minutes) {
      if (start + MINUTE_MS <= first) continue;
      sum.tasks += minute.tasks;
      sum.fuel += minute.fuel;
      sum.receipts += minute.receipts;
    }
    const oldest = Math.max(
      running - (THROUGHPUT_MINUTES - 1) * MINUTE_MS,
      Math.floor(this.#since / MINUTE_MS) * MINUTE_MS,
    );
    const minutes: WorkSpan[] = [];
    for (let start = oldest; start <= running; start += MINUTE_MS) {
      const { tasks = 0, fuel = 0n, paid = 0n } = this.#minutes.get(start) ?? {};
      minutes.push({ start, tasks, fuel, paid: microCredits(paid) });
    }
    const { tasks, fuel, receipts } = sum;
    return { spanMs: Math.max(1, Math.round(nowMs - first)), tasks, fuel, receipts, minutes };
  }

  #minute(timeMs: number): Minute {
    const start = Math.floor(timeMs / MINUTE_MS) * MINUTE_MS;
    const known = this.#minutes.get(start);
    if (known !== undefined) return known;
    const minute = { tasks: 0, fuel: 0n, paid: 0n, receipts: 0 };
    this.#minutes.set(start, minute);
    for (const each of this.#minutes.keys())
      if (each < start - THROUGHPUT_MINUTES * MINUTE_MS) this.#minutes.delete(each);
    return minute;
  }
}
