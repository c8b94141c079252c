import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { JobProgress } from "./job-options.ts";
import type { LeaseCrew } from "./lease-crew.ts";
import { LEASE_RETRY_MAX_MS, LEASE_RETRY_MIN_MS } from "./limits.ts";

/** Refusals of the relay that may pass by themselves. */
const PASSING: ReadonlySet<number> = new Set(
  (
    ["no-provider", "disconnected", "timed-out", "relay-fault", "rate-limited", "insufficient-funds"] as const
  ).map(failureCode),
);

export interface RecruitingOptions {
  /** Providers wanted at a time. */
  readonly parallel: number;
  /** Fewer than these are as good as none: replicas that each input needs. */
  readonly least: number;
  /** Without any provider for that long the job fails, milliseconds. */
  readonly timeoutMs: number;
  readonly onState: (state: JobProgress["state"]) => void;
  readonly onNote: (note: string) => void;
}

/** When the relay is asked for leases, and how long to go on without anybody. */
export class Recruiting {
  readonly #options: RecruitingOptions;
  #lonelySince: number | undefined;
  #nextAt = 0;
  #pauseMs = LEASE_RETRY_MIN_MS;

  constructor(options: RecruitingOptions) {
    this.#options = options;
  }

  /** When to look again, by performance.now(): at `otherAt`, or when the relay may be asked. */
  wakeAt(now: number, otherAt: number): number {
    const waitMs = Math.min(this.#nextAt, otherAt) - now;
    return now + Math.max(10, Math.min(LEASE_RETRY_MAX_MS, waitMs));
  }

  /** A new round begins, with nobody at work. */
  reset(): void {
    this.#lonelySince = undefined;
    this.#nextAt = 0;
    this.#pauseMs = LEASE_RETRY_MIN_MS;
  }

  /**
   * Asks for leases where there is work and not enough hands.
   * @throws FailureError when nobody could be had for too long, or for a refusal that does not pass.
   */
  async keep(crew: LeaseCrew, hasWork: boolean): Promise<void> {
    const { parallel, least, onState } = this.#options;
    if (crew.members.length >= least || !hasWork) {
      this.#lonelySince = undefined;
      onState("running");
    } else {
      this.#lonelySince ??= performance.now();
      onState(crew.strength > 0 ? "connecting" : "finding-providers");
    }
    if (crew.strength >= parallel || !hasWork || performance.now() < this.#nextAt) return;
    try {
      await crew.fill();
      this.#requireLeast(crew);
      this.#pauseMs = crew.strength > 0 ? LEASE_RETRY_MAX_MS : LEASE_RETRY_MIN_MS;
    } catch (error) {
      this.#mindRefusal(error, crew.lastFailure);
    }
    this.#nextAt = performance.now() + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LEASE_RETRY_MAX_MS);
  }

  /** @throws FailureError `no-provider` when too few have been there for too long, and the relay does not say why. */
  #requireLeast({ strength }: LeaseCrew): void {
    const { least, onNote } = this.#options;
    if (strength >= least) return;
    const few = `${strength} of ${least} providers of distinct owners are here`;
    if (this.#isTooLonely) throw new FailureError("no-provider", few);
    onNote(few);
  }

  get #isTooLonely(): boolean {
    const since = this.#lonelySince;
    return since !== undefined && performance.now() - since > this.#options.timeoutMs;
  }

  /** No provider now is no failure yet, nor is a relay that is restarting; any other refusal is final. */
  #mindRefusal(error: unknown, last: FailureError | undefined): void {
    if (!(error instanceof FailureError)) throw error;
    const isFunds = error.code === failureCode("insufficient-funds");
    // Where several are needed, what became of one says less than why the relay has no other.
    if (!PASSING.has(error.code) || isFunds || this.#isTooLonely)
      throw this.#options.least > 1 ? error : (last ?? error);
    this.#options.onNote(error.detail);
  }
}
