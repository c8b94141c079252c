import { FailureError } from "../protocol/failure.ts";

/** A bucket that holds `burst` requests and fills up by `perSecond`. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

interface Bucket {
  tokens: number;
  /** Milliseconds of the clock when `tokens` was true. */
  at: number;
}

/** Keys that are remembered at a time; a full bucket is as good as a forgotten one. */
const SWEEP_ABOVE = 10_000;

/** Counts requests per key. Not shared between processes. */
export class RateLimit {
  readonly #rate: Rate;
  readonly #what: string;
  readonly #nowMs: () => number;
  readonly #buckets = new Map<string, Bucket>();
  #sweepAbove = SWEEP_ABOVE;

  /** @param what whom a key stands for, for the refusal: "address", "identity". */
  constructor(rate: Rate, what: string, nowMs: () => number) {
    this.#rate = rate;
    this.#what = what;
    this.#nowMs = nowMs;
  }

  /** Whether `key` may now, and one less later if so. */
  tryTake(key: string, tokens = 1): boolean {
    const bucket = this.#bucket(key);
    if (bucket.tokens < tokens) return false;
    bucket.tokens -= tokens;
    return true;
  }

  /** @throws FailureError `rate-limited` with the time to wait. */
  take(key: string): void {
    this.requireRoom(key);
    this.tryTake(key);
  }

  /** Takes nothing. @throws FailureError `rate-limited` with the time to wait. */
  requireRoom(key: string): void {
    if (this.#bucket(key).tokens >= 1) return;
    const missing = 1 - this.#bucket(key).tokens;
    const waitMs = Math.ceil((missing / this.#rate.perSecond) * 1000);
    throw new FailureError("rate-limited", `too many requests from this ${this.#what}; wait ${waitMs} ms`);
  }

  #bucket(key: string): Bucket {
    const now = this.#nowMs();
    const known = this.#buckets.get(key);
    if (known !== undefined) {
      known.tokens = this.#filled(known, now);
      known.at = now;
      return known;
    }
    if (this.#buckets.size >= this.#sweepAbove) this.#sweep(now);
    const bucket = { tokens: this.#rate.burst, at: now };
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #filled(bucket: Bucket, now: number): number {
    const gained = (Math.max(0, now - bucket.at) / 1000) * this.#rate.perSecond;
    return Math.min(this.#rate.burst, bucket.tokens + gained);
  }

  #sweep(now: number): void {
    for (const [key, bucket] of this.#buckets)
      if (this.#filled(bucket, now) >= this.#rate.burst) this.#buckets.delete(key);
    this.#sweepAbove = Math.max(SWEEP_ABOVE, 2 * this.#buckets.size);
  }
}
