import type { PeerId } from "../../protocol/peer-id.ts";
import type { Books, Commit } from "../books.ts";
import type { AlertRows } from "./alert-rows.ts";
import { callBody, type Happening } from "./happening.ts";
import { creditsText, happeningOf, TELLING_ENTRIES } from "./log-happenings.ts";
import type { StandingAlerts } from "./standing-alerts.ts";
import { decodeEntry } from "../../protocol/messages/entry.ts";

export interface LogWatchParts {
  readonly books: Pick<Books, "account" | "entry" | "origin" | "size">;
  readonly rows: AlertRows;
  readonly alerts: StandingAlerts;
  /** What people call the relay. */
  readonly relayName: string;
  readonly nowMs: () => number;
}

/**
 * Finds in the log what accounts want to be told. How far it has come is on the disk together with the calls that follow, so that after
 * a crash it goes on where it was: nothing is missed, nothing told twice.
 */
export class LogWatch {
  readonly #parts: LogWatchParts;
  /** Entries looked at. */
  #size: number;

  constructor(parts: LogWatchParts) {
    this.#parts = parts;
    const size = parts.books.size();
    this.#size = Math.min(parts.rows.progress() ?? size, size);
    if (parts.rows.progress() === undefined) parts.rows.advance(size, () => undefined);
  }

  /** Looks at what was logged while this relay was not looking, and at all balances that alerts are about. */
  catchUp(): void {
    const { books, alerts } = this.#parts;
    const size = books.size();
    const told: Happening[] = [];
    for (let index = this.#size; alerts.size > 0 && index < size; index += 1) told.push(...this.#at(index));
    this.#finish(size, told, new Set([...alerts.allAbout("low-balance")].map(({ terms }) => terms.account)));
  }

  /** Looks at what was just committed. */
  take({ size, entries }: Commit): void {
    const { alerts } = this.#parts;
    if (alerts.size === 0) {
      this.#size = size;
      return;
    }
    const told = entries.flatMap(({ index, type }) => (TELLING_ENTRIES.has(type) ? this.#at(index) : []));
    this.#finish(size, told, new Set(entries.flatMap(({ accounts }) => accounts)));
  }

  /** How it stands is kept, also where nothing was found. Called now and then, and at the end. */
  note(): void {
    const { rows } = this.#parts;
    if (rows.progress() !== this.#size) rows.advance(this.#size, () => undefined);
  }

  #at(index: number): readonly Happening[] {
    const { books } = this.#parts;
    const bytes = books.entry(index);
    if (bytes === undefined || !TELLING_ENTRIES.has(decodeEntry(bytes).type)) return [];
    const happening = happeningOf(index, bytes, (at) => books.entry(at));
    return happening === undefined ? [] : [happening];
  }

  #finish(size: number, told: readonly Happening[], accounts: ReadonlySet<PeerId>): void {
    const changes = [
      ...told.flatMap((happening) => this.#telling(happening)),
      ...[...accounts].flatMap((account) => this.#balance(account, size)),
    ];
    this.#size = size;
    if (changes.length === 0) return;
    this.#parts.rows.advance(size, () => {
      for (const change of changes) change();
    });
  }

  #telling(happening: Happening): readonly (() => void)[] {
    const { alerts } = this.#parts;
    if (happening.event === "test") return [];
    return alerts.about(happening.account, happening.event).map(
      ({ id }) =>
        () =>
          this.#tell(id, happening),
    );
  }

  #tell(id: Parameters<AlertRows["addCall"]>[0], happening: Happening): void {
    const { rows, books, relayName, nowMs } = this.#parts;
    const body = callBody(happening, { name: relayName, origin: books.origin }, nowMs());
    rows.addCall(id, happening.name, body, nowMs());
  }

  /** Told when it falls below what the alert names, and again only after it has been above. */
  #balance(account: PeerId, size: number): readonly (() => void)[] {
    const { alerts, books, rows } = this.#parts;
    const concerned = alerts.about(account, "low-balance");
    if (concerned.length === 0) return [];
    const { available } = books.account(account);
    return concerned.flatMap((alert) => {
      const { below = 0n } = alert.terms;
      const isLow = available < below;
      if (isLow === alert.isLow) return [];
      return [
        () => {
          alert.isLow = isLow;
          rows.setLow(alert.id, isLow);
          if (isLow) this.#tell(alert.id, lowBalance(account, available, below, size));
        },
      ];
    });
  }
}

function lowBalance(account: PeerId, available: bigint, below: bigint, size: number): Happening {
  const words = `${creditsText(available)} credits are available, less than the ${creditsText(below)} you asked about. Jobs stop when there is nothing left to set aside.`;
  const facts = { available: `${available}`, below: `${below}`, logSize: size };
  return { event: "low-balance", account, name: `low-balance.${size}`, words, facts };
}
