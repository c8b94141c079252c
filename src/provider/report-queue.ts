import type { RelayClient } from "../mesh/relay-client.ts";
import { sendReport } from "../mesh/send-report.ts";
import type { Cid } from "../protocol/cid.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { Ground } from "../protocol/greeting.ts";
import type { ReportAnswer } from "../protocol/messages/receipt.ts";
import type { Signer } from "../protocol/signature.ts";
import type { Outbox, OutboxItem } from "../storage/outbox.ts";
import {
  OUTBOX_INTERVAL_MS,
  REPORT_INTERVAL_MS,
  REPORT_RETRY_MAX_MS,
  REPORT_RETRY_MIN_MS,
} from "./limits.ts";
import type { HeldLeases } from "./held-leases.ts";
import type { CountersignedReceipt } from "./provider-channel.ts";
import { isWrongAnswer } from "./read-draw.ts";

/** Refusals that no retry will change: the receipt is dropped from the outbox. */
const FINAL_REFUSALS: ReadonlySet<number> = new Set(
  (
    [
      "bad-signature",
      "malformed",
      "unknown-lease",
      "wrong-provider",
      "wrong-relay",
      "wrong-asset",
      "over-budget",
      "lease-ended",
      "key-revoked",
      "bad-receipt",
      "unnamed-task",
      "inconsistent-receipt",
      "unsupported",
    ] as const
  ).map(failureCode),
);

export interface ReportQueueOptions {
  readonly outbox: Outbox;
  readonly client: Pick<RelayClient, "report" | "job">;
  readonly ground: Ground;
  readonly signer: Signer;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Leases that are audited: what they hold, and what is drawn from it. */
  readonly held?: Pick<HeldLeases, "get" | "answered">;
  /** The relay has answered what cannot be true. */
  readonly onWrongAnswer?: (failure: FailureError) => void;
  /** The number of receipts that wait has changed. */
  readonly onChange: (waiting: number) => void;
}

/**
 * Countersigned receipts on their way to the relay. Each is written to the outbox first, so a crash loses at most
 * OUTBOX_INTERVAL_MS of growth of an open lease; what the outbox holds is reported when its lease ends, every
 * REPORT_INTERVAL_MS, and after every start.
 */
export class ReportQueue {
  readonly #options: ReportQueueOptions;
  readonly #newest = new Map<Cid, CountersignedReceipt>();
  /** Leases of this start: they can prove any count, also one that the requester reported. */
  readonly #alive = new Map<Cid, CountersignedReceipt>();
  /** Outcomes that this side has brought into the log, by lease. */
  readonly #logged = new Map<Cid, number>();
  readonly #urgent = new Set<Cid>();
  /** Leases that are being reported because they are full. */
  readonly #hurried = new Set<Cid>();
  #writing: ReturnType<typeof setTimeout> | undefined;
  #interval: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = REPORT_RETRY_MIN_MS;
  #sending: Promise<void> = Promise.resolve();

  constructor(options: ReportQueueOptions) {
    this.#options = options;
  }

  /** Sends what an earlier start has left, then reports regularly. */
  start(): void {
    this.#interval = setInterval(() => void this.#quietly(this.flush()), REPORT_INTERVAL_MS);
    void this.#quietly(this.#sendAll(() => true));
  }

  /** Writes and sends everything once more, then stops trying. */
  async stop(): Promise<void> {
    clearInterval(this.#interval);
    await this.#quietly(this.flush());
    clearTimeout(this.#retry);
    clearTimeout(this.#writing);
  }

  /** Keeps the newest receipt of a lease; a final one is written and reported at once. */
  save(receipt: CountersignedReceipt): void {
    this.#newest.set(receipt.lease, receipt);
    this.#alive.set(receipt.lease, receipt);
    if (receipt.final) {
      void this.#quietly(this.ended(receipt.lease));
      return;
    }
    if (this.#isFull(receipt.lease)) void this.#quietly(this.#hurry(receipt.lease));
    this.#writing ??= setTimeout(() => {
      this.#writing = undefined;
      void this.#quietly(this.#write());
    }, OUTBOX_INTERVAL_MS);
  }

  #isFull(lease: Cid): boolean {
    return this.#options.held?.get(lease)?.isFull === true;
  }

  /** The lease holds so much that its tasks wait for the relay's draw (rule 2). */
  async #hurry(lease: Cid): Promise<void> {
    if (this.#hurried.has(lease)) return;
    this.#hurried.add(lease);
    try {
      await this.#write();
      await this.#sendAll((each) => each === lease);
    } finally {
      this.#hurried.delete(lease);
    }
  }

  /** A lease is over: its newest receipt is reported now. */
  async ended(lease: Cid): Promise<void> {
    this.#urgent.add(lease);
    await this.#write();
    await this.#sendAll((each) => this.#urgent.has(each));
    // All of it had been reported before.
    if ((await this.#options.outbox.get(lease)) === undefined && !this.#newest.has(lease)) {
      this.#urgent.delete(lease);
      this.#forget(lease);
    }
  }

  /** Writes and reports everything now. */
  async flush(): Promise<void> {
    await this.#write();
    await this.#sendAll(() => true);
  }

  async #write(): Promise<void> {
    const receipts = [...this.#newest.values()];
    this.#newest.clear();
    const { outbox, ground, now } = this.#options;
    const written = await Promise.allSettled(
      receipts.map(({ lease, seq, receipt, advance, count, bases, prove }) => {
        const logged = this.#logged.get(lease);
        const own = logged === undefined ? [] : [{ count: logged, proof: prove(logged, count) }];
        return outbox.put({
          lease,
          origin: ground.origin,
          seq,
          receipt,
          advance,
          count,
          bases: [...own, ...bases],
          lost: [],
          updatedAt: now(),
        });
      }),
    );
    for (const [place, { status }] of written.entries()) this.#keepUnwritten(receipts[place], status);
    await this.#tell();
  }

  /** A full disk loses nothing while the tab lives: the next write tries again, unless a newer receipt has come. */
  #keepUnwritten(receipt: CountersignedReceipt | undefined, status: "fulfilled" | "rejected"): void {
    if (receipt === undefined || status === "fulfilled" || this.#newest.has(receipt.lease)) return;
    this.#newest.set(receipt.lease, receipt);
  }

  /** Work in the background: what fails is tried again later. */
  async #quietly(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch {
      this.#retryLater();
    }
  }

  async #tell(): Promise<void> {
    this.#options.onChange(await this.#options.outbox.count());
  }

  /** One pass over the outbox at a time. */
  async #sendAll(wanted: (lease: Cid) => boolean): Promise<void> {
    const pass = this.#sending.then(() => this.#pass(wanted));
    this.#sending = pass.catch(() => undefined);
    await pass;
    await this.#tell();
  }

  async #pass(wanted: (lease: Cid) => boolean): Promise<void> {
    const { outbox, client, ground, signer } = this.#options;
    const items = await outbox.list();
    for (const item of items) {
      if (item.origin !== ground.origin || !wanted(item.lease)) continue;
      try {
        // oxlint-disable-next-line no-await-in-loop -- a relay that is back is not stormed
        const answer = await sendReport(client, ground, signer, {
          ...item,
          // Only the key that the lease is bound to can say so, and it is gone with its tab.
          lost: this.#alive.has(item.lease)
            ? (this.#options.held?.get(item.lease)?.lost(item.count) ?? [])
            : [],
          logged: this.#logged.get(item.lease) ?? 0,
          prove: (count) => this.#prove(item, count),
        });
        if (answer !== undefined) {
          this.#logged.set(item.lease, item.count);
          // oxlint-disable-next-line no-await-in-loop
          await this.#drawn(item.lease, answer);
        }
        this.#retryMs = REPORT_RETRY_MIN_MS;
      } catch (error) {
        if (!(error instanceof FailureError) || !FINAL_REFUSALS.has(error.code)) {
          this.#retryLater();
          return;
        }
      }
      if (this.#urgent.delete(item.lease)) this.#forget(item.lease);
      // oxlint-disable-next-line no-await-in-loop
      await outbox.acknowledge(item.lease, item.seq);
    }
  }

  /** What was drawn is kept before the receipt is forgotten: until then the same report has the same answer. */
  async #drawn(lease: Cid, answer: ReportAnswer): Promise<void> {
    const { held, onWrongAnswer } = this.#options;
    try {
      await held?.answered(lease, answer);
    } catch (error) {
      if (!isWrongAnswer(error)) throw error;
      onWrongAnswer?.(error);
    }
  }

  #prove({ lease, count: to, bases }: OutboxItem, from: number): readonly Uint8Array[] | undefined {
    const alive = this.#alive.get(lease);
    if (from <= to && alive !== undefined && to <= alive.count) return alive.prove(from, to);
    return bases.find(({ count }) => count === from)?.proof;
  }

  /** The lease is over and reported. */
  #forget(lease: Cid): void {
    this.#alive.delete(lease);
    this.#logged.delete(lease);
  }

  #retryLater(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#quietly(this.flush()), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, REPORT_RETRY_MAX_MS);
  }
}
