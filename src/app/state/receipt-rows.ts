import { type ReadonlySignal, signal } from "@preact/signals";
import type { HistoryPage, ReceiptFilter } from "../../protocol/earnings-json.ts";
import type { Failure } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { ReceiptView } from "../../protocol/relay-api.ts";
import type { EarningsViews } from "../../provider/earnings-views.ts";
import { failed } from "./loadable.ts";

/** Rows fetched at once: two screens of them. */
export const PAGE_ROWS = 50;
/** Pages kept: those around what is looked at. 2,000 rows are 2 MB. */
const KEPT_PAGES = 40;
/** Requests under way at a time. */
const AT_ONCE = 2;
/** What arrives live is fetched no more often than this. */
const REFRESH_PAUSE_MS = 500;

/** Where rows come from. */
export type AskHistory = (...asked: Parameters<EarningsViews["history"]>) => Promise<HistoryPage>;

/**
 * The receipts of an account as one long list, of which only what is looked at is here. Without a filter any stretch of it
 * can be fetched; with one, rows are found one page after the other, so the list grows as it is scrolled.
 */
export interface ReceiptRows {
  /** Changes whenever something below does. */
  readonly revision: ReadonlySignal<number>;
  /** Rows there are, or with a filter: found so far. Absent before the first answer. */
  readonly length: ReadonlySignal<number | undefined>;
  /** Whether more may be found. */
  readonly isMore: ReadonlySignal<boolean>;
  /** Whether the list begins anew; until it has, the rows before are shown. */
  readonly isBusy: ReadonlySignal<boolean>;
  readonly filter: ReadonlySignal<ReceiptFilter>;
  /** Receipts that came while the person was further down. */
  readonly newer: ReadonlySignal<number>;
  readonly failure: ReadonlySignal<Failure | undefined>;
  /** Absent while it is not here. */
  at(index: number): ReceiptView | undefined;
  /** The person looks at these rows: fetches what of them is missing. */
  want(first: number, end: number): void;
  setFilter(filter: ReceiptFilter): void;
  /** Begins anew at the newest receipt. */
  refresh(): void;
  /** A receipt has arrived. */
  arrived(): void;
  close(): void;
}

class PagedRows implements ReceiptRows {
  readonly revision = signal(0);
  readonly length = signal<number | undefined>(undefined);
  readonly isMore = signal(false);
  readonly isBusy = signal(true);
  readonly filter = signal<ReceiptFilter>({});
  readonly newer = signal(0);
  readonly failure = signal<Failure | undefined>(undefined);
  readonly #ask: AskHistory;
  readonly #peer: PeerId;
  /** By number of the page; with a filter only those from the first on. */
  #pages = new Map<number, readonly ReceiptView[]>();
  readonly #asked = new Set<number>();
  #wanted = { first: 0, end: 0 };
  /** The list is that of the receipts below this entry, so that newer ones move nothing. */
  #before: number | undefined;
  /** With a filter: where the search goes on. */
  #next: number | undefined;
  #turn = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ask: AskHistory, peer: PeerId) {
    this.#ask = ask;
    this.#peer = peer;
  }

  get #isFiltered(): boolean {
    return Object.keys(this.filter.value).length > 0;
  }

  at(index: number): ReceiptView | undefined {
    return this.#pages.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS];
  }

  want(first: number, end: number): void {
    this.#wanted = { first, end };
    if (first === 0 && this.newer.value > 0) this.arrived();
    this.#fetchMissing();
  }

  setFilter(filter: ReceiptFilter): void {
    this.filter.value = filter;
    this.refresh();
  }

  refresh(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#turn.abort();
    this.#turn = new AbortController();
    this.#asked.clear();
    this.failure.value = undefined;
    this.isBusy.value = true;
    void this.#begin(this.#turn.signal);
  }

  arrived(): void {
    if (this.#wanted.first > 0) {
      this.newer.value += 1;
      return;
    }
    this.#timer ??= setTimeout(() => this.refresh(), REFRESH_PAUSE_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#turn.abort();
  }

  #changed(): void {
    this.revision.value += 1;
  }

  async #begin(until: AbortSignal): Promise<void> {
    const page = await this.#fetch({ limit: PAGE_ROWS }, until);
    if (page === undefined) return;
    this.isBusy.value = false;
    this.newer.value = 0;
    this.#pages = new Map([[0, page.receipts]]);
    const newest = page.receipts[0]?.entryIndex;
    this.#before = newest === undefined ? undefined : newest + 1;
    this.#next = this.#isFiltered ? page.next : undefined;
    this.#count(page);
    this.#changed();
    this.#fetchMissing();
  }

  #count({ receipts, total }: HistoryPage): void {
    this.isMore.value = this.#next !== undefined;
    this.length.value = this.#isFiltered ? this.#found() : (total ?? receipts.length);
  }

  #found(): number {
    const last = this.#pages.size - 1;
    return Math.max(0, last) * PAGE_ROWS + (this.#pages.get(last)?.length ?? 0);
  }

  #fetchMissing(): void {
    // What is shown until the list begins anew is not added to.
    if (this.isBusy.value || this.failure.value !== undefined) return;
    if (this.#isFiltered) void this.#findMore(this.#turn.signal);
    else for (const page of this.#missing()) void this.#fetchPage(page, this.#turn.signal);
  }

  /** Pages that are looked at and not here, as many as may be asked for now. */
  #missing(): readonly number[] {
    const last = Math.min(this.#wanted.end, this.length.value ?? 0) - 1;
    const missing: number[] = [];
    for (let page = Math.floor(this.#wanted.first / PAGE_ROWS); page * PAGE_ROWS <= last; page += 1)
      if (!this.#pages.has(page) && !this.#asked.has(page)) missing.push(page);
    return missing.slice(0, Math.max(0, AT_ONCE - this.#asked.size));
  }

  async #fetchPage(page: number, until: AbortSignal): Promise<void> {
    this.#asked.add(page);
    const query = { limit: PAGE_ROWS, skip: page * PAGE_ROWS };
    const answer = await this.#fetch(
      this.#before === undefined ? query : { ...query, before: this.#before },
      until,
    );
    if (answer === undefined) return;
    this.#asked.delete(page);
    this.#pages.set(page, answer.receipts);
    this.#forgetFar();
    this.#changed();
    this.#fetchMissing();
  }

  /** Goes on searching while the person looks at the end of what was found. */
  async #findMore(until: AbortSignal): Promise<void> {
    if (this.#asked.size > 0) return;
    this.#asked.add(0);
    while (this.#next !== undefined && this.#wanted.end >= this.#found()) {
      // oxlint-disable-next-line no-await-in-loop -- one page after the other
      const page = await this.#fetch({ ...this.filter.value, limit: PAGE_ROWS, before: this.#next }, until);
      if (page === undefined) return;
      this.#append(page.receipts);
      this.#next = page.next;
      this.#count(page);
      this.#changed();
    }
    this.#asked.delete(0);
  }

  #append(receipts: readonly ReceiptView[]): void {
    const found = this.#found();
    const all = [...(this.#pages.get(Math.floor(found / PAGE_ROWS)) ?? []), ...receipts];
    for (let page = Math.floor(found / PAGE_ROWS), at = 0; at < all.length; page += 1, at += PAGE_ROWS)
      this.#pages.set(page, all.slice(at, at + PAGE_ROWS));
  }

  #forgetFar(): void {
    const here = Math.floor(this.#wanted.first / PAGE_ROWS);
    while (this.#pages.size > KEPT_PAGES) {
      const far = [...this.#pages.keys()].reduce((a, b) => (Math.abs(a - here) > Math.abs(b - here) ? a : b));
      this.#pages.delete(far);
    }
  }

  async #fetch(
    query: Parameters<EarningsViews["history"]>[1],
    until: AbortSignal,
  ): Promise<HistoryPage | undefined> {
    try {
      const page = await this.#ask(this.#peer, { ...this.filter.value, ...query }, until);
      return until.aborted ? undefined : page;
    } catch (error) {
      if (until.aborted) return undefined;
      this.failure.value = failed(error).failure;
      this.isBusy.value = false;
      this.#asked.clear();
      this.#changed();
      return undefined;
    }
  }
}

export function createReceiptRows(ask: AskHistory, peer: PeerId): ReceiptRows {
  return new PagedRows(ask, peer);
}
