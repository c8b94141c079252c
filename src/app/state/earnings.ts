import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AccountView, EarningsPoint, ReceiptView } from "../../protocol/relay-api.ts";
import { failed, type Loadable, LOADING, ready } from "./loadable.ts";
import type { RelayLink } from "./relay-link.ts";

export type Bucket = "hour" | "day";

/** Receipts fetched at once. */
const PAGE_SIZE = 25;
const HOUR_MS: number = 60 * 60 * 1_000;
/** The chart's span: two days of hours, or a month of days. */
const SPAN_MS: Readonly<Record<Bucket, number>> = { hour: 48 * HOUR_MS, day: 30 * 24 * HOUR_MS };
/** The chart follows live events, but is fetched no more often than this. */
const CHART_PAUSE_MS = 5_000;

/** What the relay says about one account, live. Views only: receipts.ts has what is proven. */
export interface Earnings {
  readonly account: ReadonlySignal<Loadable<AccountView>>;
  readonly receipts: ReadonlySignal<Loadable<readonly ReceiptView[]>>;
  readonly hasOlder: ReadonlySignal<boolean>;
  readonly points: ReadonlySignal<Loadable<readonly EarningsPoint[]>>;
  readonly bucket: ReadonlySignal<Bucket>;
  /** Whether changes arrive by themselves right now. */
  readonly isLive: ReadonlySignal<boolean>;
  setBucket(bucket: Bucket): void;
  older(): Promise<void>;
  /** Fetches everything and follows changes until the answer is called. */
  watch(): () => void;
  /** Fetches anew what failed. */
  retry(): void;
}

const NOT_FOUND = failureCode("not-found");

/** A relay that never heard of the account has nothing to say about it: that is an empty list, not a failure. */
async function orEmpty<T>(request: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof FailureError && error.code === NOT_FOUND) return [];
    throw error;
  }
}

/** A lease's newer receipt takes the place of its older one; newest first. */
export function withReceipt(list: readonly ReceiptView[], receipt: ReceiptView): readonly ReceiptView[] {
  const known = list.find(({ lease }) => lease === receipt.lease);
  if (known !== undefined && known.entryIndex > receipt.entryIndex) return list;
  return [receipt, ...list.filter(({ lease }) => lease !== receipt.lease)].toSorted(
    (a, b) => b.entryIndex - a.entryIndex,
  );
}

class FollowedEarnings implements Earnings {
  readonly account = signal<Loadable<AccountView>>(LOADING);
  readonly receipts = signal<Loadable<readonly ReceiptView[]>>(LOADING);
  readonly hasOlder = signal(false);
  readonly points = signal<Loadable<readonly EarningsPoint[]>>(LOADING);
  readonly bucket = signal<Bucket>("hour");
  readonly isLive = signal(false);
  readonly #relay: RelayLink;
  readonly #peer: PeerId;
  #end = new AbortController();
  #isFollowing = false;
  #chartTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(relay: RelayLink, peer: PeerId) {
    this.#relay = relay;
    this.#peer = peer;
  }

  setBucket(bucket: Bucket): void {
    this.points.value = LOADING;
    this.bucket.value = bucket;
  }

  async older(): Promise<void> {
    const list = this.receipts.value;
    if (list.kind !== "ready") return;
    const last = list.value.at(-1);
    const views = await this.#relay.views();
    const more = await views.receipts(this.#peer, {
      limit: PAGE_SIZE,
      ...(last === undefined ? {} : { before: last.entryIndex }),
    });
    this.receipts.value = ready(more.reduce(withReceipt, list.value));
    this.hasOlder.value = more.length === PAGE_SIZE;
  }

  watch(): () => void {
    const stopChart = effect(() => {
      void this.#loadChart(this.bucket.value, this.#end.signal);
    });
    this.#begin();
    return () => {
      this.#end.abort();
      this.#end = new AbortController();
      stopChart();
      clearTimeout(this.#chartTimer);
      this.#chartTimer = undefined;
      this.isLive.value = false;
    };
  }

  retry(): void {
    if (this.points.value.kind === "failed") void this.#loadChart(this.bucket.value, this.#end.signal);
    this.#begin();
  }

  /** What is failed or not there yet; a second stream of events would only repeat the first. */
  #begin(): void {
    const { signal: until } = this.#end;
    if (this.receipts.value.kind !== "ready") void this.#loadReceipts(until);
    if (!this.#isFollowing) void this.#follow(until);
  }

  async #loadReceipts(until: AbortSignal): Promise<void> {
    this.receipts.value = LOADING;
    try {
      const views = await this.#relay.views();
      const list = await orEmpty(views.receipts(this.#peer, { limit: PAGE_SIZE }, until));
      this.receipts.value = ready(list);
      this.hasOlder.value = list.length === PAGE_SIZE;
    } catch (error) {
      if (!until.aborted) this.receipts.value = failed(error);
    }
  }

  async #loadChart(bucket: Bucket, until: AbortSignal): Promise<void> {
    try {
      const views = await this.#relay.views();
      const from = Date.now() - SPAN_MS[bucket];
      const points = await orEmpty(views.earnings(this.#peer, bucket, from, until));
      // Another bucket may have been chosen meanwhile.
      if (bucket === this.bucket.value && !until.aborted) this.points.value = ready(points);
    } catch (error) {
      if (!until.aborted) this.points.value = failed(error);
    }
  }

  /** Takes changes as they come; the relay client reconnects by itself. */
  async #follow(until: AbortSignal): Promise<void> {
    this.#isFollowing = true;
    if (this.account.value.kind === "failed") this.account.value = LOADING;
    try {
      const views = await this.#relay.views();
      this.account.value = ready(await views.account(this.#peer, until));
      for await (const event of views.events(this.#peer, { signal: until })) {
        this.isLive.value = true;
        if (event.kind === "account") this.account.value = ready(event.data);
        else if (event.kind === "receipt") this.#take(event.data);
        this.#chartSoon(until);
      }
    } catch (error) {
      if (!until.aborted) this.account.value = failed(error);
    }
    this.#isFollowing = false;
    this.isLive.value = false;
  }

  #take(receipt: ReceiptView): void {
    const list = this.receipts.value;
    this.receipts.value = ready(withReceipt(list.kind === "ready" ? list.value : [], receipt));
  }

  #chartSoon(until: AbortSignal): void {
    this.#chartTimer ??= setTimeout(() => {
      this.#chartTimer = undefined;
      void this.#loadChart(this.bucket.value, until);
    }, CHART_PAUSE_MS);
  }
}

export function createEarnings(relay: RelayLink, peer: PeerId): Earnings {
  return new FollowedEarnings(relay, peer);
}

/** The start of a chart, for buckets that nothing was earned in. */
export function chartStartMs(bucket: Bucket, nowMs: number): number {
  const step = bucket === "hour" ? HOUR_MS : 24 * HOUR_MS;
  return Math.floor((nowMs - SPAN_MS[bucket]) / step) * step + step;
}

/** Every bucket of the span, also those without earnings, so that the axis is even. */
export function filledPoints(
  points: readonly EarningsPoint[],
  bucket: Bucket,
  nowMs: number,
): readonly { readonly start: number; readonly point?: EarningsPoint }[] {
  const step = bucket === "hour" ? HOUR_MS : 24 * HOUR_MS;
  const known = new Map(points.map((point) => [Math.floor(point.start / step) * step, point]));
  const all: { start: number; point?: EarningsPoint }[] = [];
  for (let start = chartStartMs(bucket, nowMs); start <= nowMs; start += step) {
    const point = known.get(start);
    all.push(point === undefined ? { start } : { start, point });
  }
  return all;
}
