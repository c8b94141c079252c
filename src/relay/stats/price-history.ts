import { openEnvelope } from "../../protocol/envelope.ts";
import { disputeMessage } from "../../protocol/messages/audit.ts";
import { decodeEntry, entryBodies } from "../../protocol/messages/entry.ts";
import { receiptMessage, reportMessage } from "../../protocol/messages/receipt.ts";
import { PRICE_HOURS, type WorkSpan } from "../../protocol/network-view.ts";
import { decode } from "../../protocol/schema.ts";
import { microCredits } from "../../protocol/units.ts";
import type { Commit } from "../books.ts";
import type { HourRows } from "./hour-rows.ts";

const HOUR_MS = 3_600_000;

/** Bytes of an entry of the log. */
export type ReadEntry = (index: number) => Uint8Array | undefined;

/** Tasks and fuel of the receipt that an entry has. */
function workOf(entry: Uint8Array): { readonly tasks: number; readonly fuel: bigint } | undefined {
  const { type, body } = decodeEntry(entry);
  if (body === undefined || (type !== "receipt" && type !== "dispute")) return undefined;
  const { envelope } = decode(entryBodies[type], body);
  const { receipt } =
    type === "receipt"
      ? openEnvelope(reportMessage, envelope).body
      : openEnvelope(disputeMessage, envelope).body;
  const { payable, fuel } = openEnvelope(receiptMessage, receipt).body;
  return { tasks: payable, fuel };
}

/** What a settlement paid, and for how much work. Nothing for other entries, and for leases that ended unused. */
export function settlementOf(entry: Uint8Array, read: ReadEntry): WorkSpan | undefined {
  const { type, time, body } = decodeEntry(entry);
  if (type !== "settle" || body === undefined) return undefined;
  const { receiptIndex, paid } = decode(entryBodies.settle, body);
  const receipt = receiptIndex === undefined ? undefined : read(receiptIndex);
  const work = receipt && workOf(receipt);
  return work && { start: time, paid, ...work };
}

/** What work cost, hour by hour, from the settlements in the log. */
export class PriceHistory {
  readonly #rows: HourRows;
  readonly #read: ReadEntry;
  #size: number;
  /** Not on the disk yet, by the start of the hour. */
  readonly #fresh = new Map<number, WorkSpan>();

  constructor(rows: HourRows, read: ReadEntry, logSize: number) {
    this.#rows = rows;
    this.#read = read;
    this.#size = Math.min(rows.progress(), logSize);
  }

  /** Entries of the log that were looked at. */
  get size(): number {
    return this.#size;
  }

  /** Looks at the entries up to `end`, at most so many. @returns whether more are left */
  lookAt(end: number, most: number): boolean {
    const last = Math.min(end, this.#size + most);
    for (let index = this.#size; index < last; index += 1) this.#look(index);
    this.#size = Math.max(this.#size, last);
    return this.#size < end;
  }

  /** Looks at what was just committed, by its types, unless older entries wait: then it comes after those. */
  take({ size, entries }: Pick<Commit, "size" | "entries">): void {
    if (entries[0]?.index !== this.#size) return;
    for (const { index, type } of entries) if (type === "settle") this.#look(index);
    this.#size = size;
  }

  /** Keeps what was found. */
  flush(): void {
    if (this.#rows.progress() === this.#size) return;
    this.#rows.add([...this.#fresh.values()], this.#size);
    this.#fresh.clear();
  }

  /** A week of hours, oldest first, those without work left out. */
  hours(nowMs: number): readonly WorkSpan[] {
    const from = (Math.floor(nowMs / HOUR_MS) - PRICE_HOURS + 1) * HOUR_MS;
    const all = new Map(this.#rows.hours(from).map((span) => [span.start, span]));
    for (const [start, span] of this.#fresh)
      if (start >= from) all.set(start, added(all.get(start) ?? nothingAt(start), span));
    return [...all.values()].filter(({ tasks }) => tasks > 0).toSorted((a, b) => a.start - b.start);
  }

  #look(index: number): void {
    const entry = this.#read(index);
    const settled = entry && settlementOf(entry, this.#read);
    if (settled === undefined) return;
    const start = Math.floor(settled.start / HOUR_MS) * HOUR_MS;
    this.#fresh.set(start, added(this.#fresh.get(start) ?? nothingAt(start), settled));
  }
}

function nothingAt(start: number): WorkSpan {
  return { start, tasks: 0, fuel: 0n, paid: microCredits(0) };
}

function added(to: WorkSpan, { tasks, fuel, paid }: WorkSpan): WorkSpan {
  return {
    start: to.start,
    tasks: to.tasks + tasks,
    fuel: to.fuel + fuel,
    paid: microCredits(to.paid + paid),
  };
}
