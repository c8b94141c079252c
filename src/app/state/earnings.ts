import { effect, type ReadonlySignal, signal } from "@preact/signals";
import type { EarningsShare, EarningsSpan, EarningsSplit } from "../../protocol/earnings-json.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AccountView, EarningsPoint } from "../../protocol/relay-api.ts";
import { createEarningsViews } from "../../provider/earnings-views.ts";
import type { Bucket, Span } from "./chart-spans.ts";
import { spanStartMs } from "./chart-spans.ts";
import type { ExportKind } from "./export-receipts.ts";
import { failed, type Loadable, LOADING, ready } from "./loadable.ts";
import { createReceiptRows, type ReceiptRows } from "./receipt-rows.ts";
import type { RelayLink } from "./relay-link.ts";
import { watchWake } from "./wake.ts";

/** The chart follows live events, but is fetched no more often than this. */
const CHART_PAUSE_MS = 5_000;

/** What a chart is made of: all earnings in one, or one part for each function or site. */
export type Split = "total" | EarningsSplit;

export interface ChartData {
  readonly span: Span;
  readonly split: Split;
  readonly points: readonly EarningsPoint[];
  /** Empty where nothing is split. */
  readonly shares: readonly EarningsShare[];
}

/** What the relay says about one account, live. Views only: receipt-verification.ts has what is proven. */
export interface Earnings {
  readonly account: ReadonlySignal<Loadable<AccountView>>;
  readonly rows: ReceiptRows;
  readonly chart: ReadonlySignal<Loadable<ChartData>>;
  readonly span: ReadonlySignal<Span>;
  readonly split: ReadonlySignal<Split>;
  /** Hours of the last week, for estimates. */
  readonly week: ReadonlySignal<readonly EarningsPoint[] | undefined>;
  /** Functions that were paid for in the last year, the largest first. */
  readonly functions: ReadonlySignal<readonly string[]>;
  /** Whether changes arrive by themselves right now. */
  readonly isLive: ReadonlySignal<boolean>;
  setSpan(span: Span): void;
  setSplit(split: Split): void;
  /** Fetches everything and follows changes until the answer is called. */
  watch(): () => void;
  /** Fetches anew what failed. */
  retry(): void;
  /** All receipts that the filter lets through, as pieces of a file. @param onProgress told the receipts so far. */
  export(
    kind: ExportKind,
    signal: AbortSignal,
    onProgress: (count: number) => void,
  ): Promise<readonly string[]>;
}

class FollowedEarnings implements Earnings {
  readonly account = signal<Loadable<AccountView>>(LOADING);
  readonly chart = signal<Loadable<ChartData>>(LOADING);
  readonly span = signal<Span>("hours");
  readonly split = signal<Split>("total");
  readonly week = signal<readonly EarningsPoint[] | undefined>(undefined);
  readonly functions = signal<readonly string[]>([]);
  readonly isLive = signal(false);
  readonly rows: ReceiptRows;
  readonly #relay: RelayLink;
  readonly #views: ReturnType<typeof createEarningsViews>;
  readonly #peer: PeerId;
  #end = new AbortController();
  /** Ends the connection that is open, so that another one takes its place. */
  #connection = new AbortController();
  #isFollowing = false;
  #chartTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(relay: RelayLink, peer: PeerId) {
    this.#relay = relay;
    this.#peer = peer;
    this.#views = createEarningsViews(relay.url);
    this.rows = createReceiptRows((...asked) => this.#views.history(...asked), peer);
  }

  setSpan(span: Span): void {
    this.span.value = span;
  }

  setSplit(split: Split): void {
    this.split.value = split;
  }

  watch(): () => void {
    const stopChart = effect(() => {
      void this.#loadChart(this.span.value, this.split.value, this.#end.signal);
    });
    // What seems to be open may be dead by now; the next connection goes on where this one was.
    const stopWake = watchWake(() => this.#connection.abort());
    this.rows.refresh();
    void this.#loadWeek(this.#end.signal);
    void this.#loadFunctions(this.#end.signal);
    void this.#follow(this.#end.signal);
    return () => {
      this.#end.abort();
      this.#end = new AbortController();
      stopChart();
      stopWake();
      clearTimeout(this.#chartTimer);
      this.#chartTimer = undefined;
      this.isLive.value = false;
      this.rows.close();
    };
  }

  retry(): void {
    const { signal: until } = this.#end;
    if (this.chart.value.kind === "failed") void this.#loadChart(this.span.value, this.split.value, until);
    if (this.rows.failure.value !== undefined) this.rows.refresh();
    if (!this.#isFollowing) void this.#follow(until);
  }

  async export(
    kind: ExportKind,
    until: AbortSignal,
    onProgress: (count: number) => void,
  ): Promise<readonly string[]> {
    const { exportReceipts } = await import("./export-receipts.ts");
    const ask = this.#views.history.bind(this.#views);
    const filter = this.rows.filter.value;
    return exportReceipts(ask, this.#peer, { kind, filter, signal: until, onProgress });
  }

  async #loadChart(span: Span, split: Split, until: AbortSignal): Promise<void> {
    const shown = this.chart.value;
    if (shown.kind !== "ready" || shown.value.span !== span || shown.value.split !== split)
      this.chart.value = LOADING;
    try {
      const data = await this.#chartData(span, split, until);
      // Something else may have been chosen meanwhile.
      if (span === this.span.value && split === this.split.value && !until.aborted)
        this.chart.value = ready(data);
    } catch (error) {
      if (!until.aborted) this.chart.value = failed(error);
    }
  }

  async #chartData(span: Span, split: Split, until: AbortSignal): Promise<ChartData> {
    const views = await this.#relay.views();
    const fromMs = spanStartMs(span, Date.now());
    const bucket = BUCKETS[span];
    const [points, shares] = await Promise.all([
      views.earnings(this.#peer, bucket, fromMs, until),
      split === "total" ? [] : this.#views.shares(this.#peer, { split, span: bucket, fromMs }, until),
    ]);
    return { span, split, points, shares };
  }

  async #loadFunctions(until: AbortSignal): Promise<void> {
    try {
      const fromMs = spanStartMs("months", Date.now());
      const by = { split: "function", span: "month", fromMs } as const;
      const shares = await this.#views.shares(this.#peer, by, until);
      this.functions.value = shares.map(({ name }) => name).filter((name) => name !== "");
    } catch {
      // Without it there is one filter less.
    }
  }

  async #loadWeek(until: AbortSignal): Promise<void> {
    try {
      const views = await this.#relay.views();
      this.week.value = await views.earnings(this.#peer, "hour", Date.now() - WEEK_MS, until);
    } catch {
      // Without it there is no estimate; that the relay does not answer is told elsewhere.
    }
  }

  /** Takes changes as they come. From the log that the first view is of, nothing is missed, whatever is cut in between. */
  async #follow(until: AbortSignal): Promise<void> {
    this.#isFollowing = true;
    if (this.account.value.kind === "failed") this.account.value = LOADING;
    try {
      const views = await this.#relay.views();
      const first = await views.account(this.#peer, until);
      this.account.value = ready(first);
      let lastId = Math.max(0, first.logSize - 1);
      while (!until.aborted) {
        this.#connection = new AbortController();
        const open = AbortSignal.any([until, this.#connection.signal]);
        const onLost = (): void => {
          this.isLive.value = false;
        };
        // oxlint-disable-next-line no-await-in-loop -- one connection after the other
        for await (const event of views.events(this.#peer, { lastId, signal: open, onLost })) {
          lastId = event.id;
          this.isLive.value = true;
          if (event.kind === "account") this.account.value = ready(event.data);
          else this.#receiptsChanged(event.kind === "lapse", until);
        }
        this.isLive.value = false;
      }
    } catch (error) {
      if (!until.aborted) this.account.value = failed(error);
    }
    this.#isFollowing = false;
    this.isLive.value = false;
  }

  #receiptsChanged(isLapse: boolean, until: AbortSignal): void {
    if (isLapse) this.rows.refresh();
    else this.rows.arrived();
    this.#chartTimer ??= setTimeout(() => {
      this.#chartTimer = undefined;
      void this.#loadChart(this.span.value, this.split.value, until);
      void this.#loadWeek(until);
    }, CHART_PAUSE_MS);
  }
}

const BUCKETS: Readonly<Record<Span, Bucket & EarningsSpan>> = {
  hours: "hour",
  days: "day",
  months: "month",
};
const WEEK_MS: number = 7 * 24 * 60 * 60 * 1_000;

export function createEarnings(relay: RelayLink, peer: PeerId): Earnings {
  return new FollowedEarnings(relay, peer);
}
