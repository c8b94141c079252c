import type { Logger } from "pino";
import type { Cid } from "../../protocol/cid.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { decodeEntryOf, decodeEntry } from "../../protocol/messages/entry.ts";
import type { Name } from "../../protocol/messages/name.ts";
import { runEndMessage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Books } from "../books.ts";
import type { LiveOffers } from "../offers/live-offers.ts";
import type { TriggerRow } from "../schedule/firing.ts";
import type { ScheduleRows } from "../schedule/schedule-rows.ts";
import type { ChainLogs } from "./chain-logs.ts";
import type { Deployments } from "./deployments.ts";

/** Entries of the log that one look goes through: 10 µs each. */
const ENTRIES_AT_ONCE = 5_000;
/** Chains are asked this often: a block takes seconds. */
const CHAIN_MS = 5_000;

/** What a name stands for. */
interface Meaning {
  /** They change when it does. */
  readonly words: string;
  /** The name's own. */
  readonly version: number;
}

export interface EventSourcesParts {
  readonly books: Pick<Books, "entry" | "runs" | "size">;
  readonly offers: Pick<LiveOffers, "list">;
  readonly rows: ScheduleRows;
  readonly deployments: Pick<Deployments, "find">;
  /** What a registered name leads to; undefined for no such name. */
  readonly leadsTo: (name: string) => Meaning | undefined;
  readonly chains: ChainLogs;
  readonly lines: Pick<Logger, "error" | "info">;
  readonly nowMs: () => number;
}

/** Looks out for what triggers wait for beside the clock. How far each was looked at is kept with its events, so that none is missed or told twice. */
export class EventSources {
  readonly #parts: EventSourcesParts;
  /** When each instance was seen first. */
  readonly #came = new Map<PeerId, { readonly provider: PeerId; readonly at: number }>();
  #chainsAt = 0;
  #asking: Promise<void> | undefined;

  constructor(parts: EventSourcesParts) {
    this.#parts = parts;
  }

  /** One look. Never throws. */
  turn(): void {
    const { rows, lines } = this.#parts;
    const watched = rows.watched();
    this.#see();
    for (const row of watched) {
      try {
        this.#looks[row.terms.kind]?.(row);
      } catch (error) {
        lines.error(
          { err: error, deployment: row.deployment, trigger: row.id },
          "a trigger cannot be looked at",
        );
      }
    }
    this.#askChains(watched.filter(({ terms }) => terms.kind === "log"));
  }

  /** Resolves when no chain is being asked any more. */
  async stop(): Promise<void> {
    await this.#asking;
  }

  readonly #looks: Partial<Record<string, (row: TriggerRow) => void>> = {
    run: (row) => this.#runs(row),
    name: (row) => this.#name(row),
    peer: (row) => this.#peers(row),
  };

  /** Runs of its plan that have ended since, by the relay's log. */
  #runs(row: TriggerRow): void {
    const { books, rows, deployments, nowMs } = this.#parts;
    const size = books.size();
    const from = row.progress === undefined ? size : Number(row.progress);
    if (row.progress !== undefined && from >= size) return;
    const owner = deployments.find(row.deployment)?.owner;
    const to = Math.min(size, from + ENTRIES_AT_ONCE);
    const events: { event: string; at: number }[] = [];
    for (let index = from; index < to; index += 1) {
      const ended = this.#endedAt(index);
      const run = ended === undefined ? undefined : books.runs.run(ended.run);
      if (ended === undefined || run?.terms.plan !== row.terms.plan || run?.terms.payer !== owner) continue;
      events.push({ event: ended.run, at: ended.time });
    }
    rows.addEvents(row, events, nowMs(), String(to));
  }

  #endedAt(index: number): { readonly run: Cid; readonly time: number } | undefined {
    const bytes = this.#parts.books.entry(index);
    if (bytes === undefined) return undefined;
    const { type, time } = decodeEntry(bytes);
    if (type !== "run-end") return undefined;
    return { run: openEnvelope(runEndMessage, decodeEntryOf("run-end", bytes).body.envelope).body.run, time };
  }

  #name(row: TriggerRow): void {
    const { rows, leadsTo, nowMs } = this.#parts;
    const meaning = leadsTo(row.terms.name ?? "");
    const target = meaning?.words ?? "";
    if (target === row.progress) return;
    const now = nowMs();
    // It may come back to what it led to before: the version tells one change from another.
    const event = meaning === undefined ? `gone ${now}` : `${target} version ${meaning.version}`;
    // What it leads to when it is looked at first is no change.
    const events = row.progress === undefined ? [] : [{ event, at: now }];
    rows.addEvents(row, events, now, target);
  }

  #see(): void {
    const { offers, nowMs } = this.#parts;
    const there = new Set<PeerId>();
    for (const { offer } of offers.list()) {
      there.add(offer.instance);
      if (!this.#came.has(offer.instance))
        this.#came.set(offer.instance, { provider: offer.provider, at: nowMs() });
    }
    for (const instance of this.#came.keys()) if (!there.has(instance)) this.#came.delete(instance);
  }

  #peers(row: TriggerRow): void {
    const { rows, nowMs } = this.#parts;
    const since = Number(row.progress ?? row.since);
    const events: { event: string; at: number }[] = [];
    let newest = since;
    for (const [instance, { provider, at }] of this.#came) {
      if (at <= since || (row.terms.peer !== undefined && row.terms.peer !== provider)) continue;
      events.push({ event: instance, at });
      newest = Math.max(newest, at);
    }
    if (events.length > 0) rows.addEvents(row, events, nowMs(), String(newest));
  }

  #askChains(watched: readonly TriggerRow[]): void {
    const { nowMs } = this.#parts;
    if (watched.length === 0 || this.#asking !== undefined || nowMs() - this.#chainsAt < CHAIN_MS) return;
    this.#chainsAt = nowMs();
    this.#asking = this.#logs(watched).finally(() => {
      this.#asking = undefined;
    });
  }

  async #logs(watched: readonly TriggerRow[]): Promise<void> {
    const { rows, chains, lines, nowMs } = this.#parts;
    for (const row of watched) {
      try {
        const from = row.progress === undefined ? undefined : BigInt(row.progress);
        // oxlint-disable-next-line no-await-in-loop -- one after the other, so that nobody's server is flooded
        const { events, next } = await chains.since(row.terms, from);
        rows.addEvents(
          row,
          events.map((event) => ({ event, at: nowMs() })),
          nowMs(),
          String(next),
        );
      } catch (error) {
        lines.info({ err: error, deployment: row.deployment, trigger: row.id }, "a chain cannot be asked");
      }
    }
  }
}

export function meaningOf(name: Name | undefined): Meaning | undefined {
  if (name === undefined) return undefined;
  return { words: name.plan ?? (name.peers ?? []).join(" "), version: name.version };
}
