import { FailureError } from "../../protocol/failure.ts";
import { microCredits, type MicroCredits } from "../../protocol/units.ts";

/** What one job of a run is meant for. */
export interface JobNeed {
  /** What one step costs that uses all it may, micro-credits. */
  readonly mostOfOne: bigint;
  /** What the relay burns for each lease. */
  readonly leaseFee: bigint;
  /** Steps that are expected. */
  readonly steps: number;
  /** Providers wanted at a time. */
  readonly parallel: number;
  /** Providers that carry out each step. */
  readonly replicas: number;
}

/** One job's share of the budget. */
export interface Share {
  readonly cap: MicroCredits;
  /** The job is settled. @param spent micro-credits */
  end(spent: bigint): void;
}

/** At most this part of what is left goes to one job, unless its first step needs more: others will need some at the same time. */
const PART_OF_REST = 3n;

/**
 * Shares a run's budget out over its jobs. The relay keeps the same account and refuses what goes beyond; this one waits before it
 * would.
 */
export class RunBudget {
  #budget: bigint;
  readonly #open = new Set<Share>();
  /** Of jobs that are settled. */
  #spent = 0n;
  #freed = Promise.withResolvers<void>();

  constructor(budget: bigint) {
    this.#budget = budget;
  }

  /** Micro-credits that settled jobs have cost. */
  get spent(): bigint {
    return this.#spent;
  }

  get left(): bigint {
    let left = this.#budget - this.#spent;
    for (const { cap } of this.#open) left -= cap;
    return left;
  }

  /** Others have given back so much that there is more, micro-credits. */
  add(freed: bigint): void {
    this.#budget += freed;
    this.#wake();
  }

  /**
   * Sets a job's cap aside; waits where that needs what other jobs give back.
   * @param release asks jobs that have nothing to do to end; @returns whether one will
   * @throws FailureError `insufficient-funds` when the rest covers not one step, and nothing will come back; the signal's reason
   */
  async share(need: JobNeed, release: () => boolean, signal: AbortSignal): Promise<Share> {
    const least = capFor(need, 1, need.replicas);
    for (;;) {
      signal.throwIfAborted();
      const { left } = this;
      if (left >= least) return this.#take(need, least, left);
      if (this.#open.size === 0) throw tooLittle(left, least);
      release();
      // oxlint-disable-next-line no-await-in-loop -- until a job gives back enough
      await Promise.race([this.#freed.promise, whenAborted(signal)]);
    }
  }

  #wake(): void {
    this.#freed.resolve();
    this.#freed = Promise.withResolvers();
  }

  #take(need: JobNeed, least: bigint, left: bigint): Share {
    const wanted = capFor(need, need.steps, Math.max(need.parallel, need.replicas));
    const part = left / PART_OF_REST;
    const most = part > least ? part : least;
    const cap = microCredits(wanted < most ? wanted : most);
    const share: Share = {
      cap,
      end: (spent) => {
        if (!this.#open.delete(share)) return;
        this.#spent += spent;
        this.#wake();
      },
    };
    this.#open.add(share);
    return share;
  }
}

/** One more step for each lease: one whose rest does not cover a step at its limits is spent. */
function capFor({ mostOfOne, leaseFee, replicas }: JobNeed, steps: number, leases: number): bigint {
  return mostOfOne * BigInt(steps * replicas) + (mostOfOne + leaseFee) * BigInt(leases);
}

function tooLittle(left: bigint, least: bigint): FailureError {
  return new FailureError(
    "insufficient-funds",
    `the run's budget has ${left} micro-credits left, one step at its limits needs ${least}`,
  );
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
