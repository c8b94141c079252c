import type { Logger } from "pino";
import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { TriggerTerms } from "../../protocol/messages/deploy.ts";
import { clockTimes, type ClockTimes } from "../../schedule/clock-times.ts";
import { dueTimes } from "../../schedule/due-times.ts";
import { MAX_ATTEMPTS, MAX_UNDER_WAY, RETRY_MS } from "./limits.ts";
import type { HeldFiring, TriggerRow } from "./firing.ts";
import type { ScheduleRows } from "./schedule-rows.ts";

/** How a firing ended. */
export interface FiringEnd {
  readonly ok: boolean;
  /** For people. */
  readonly words: string;
}

/**
 * Does what a firing is for, and tells how it ended. It may be asked for the same firing again after a crash, with a higher token,
 * and then goes on with what it had begun: the nonce of a firing's run follows from its event.
 * @param started to be told which run it is, as soon as it is known @param signal aborted with `draining` when another holds the firing, or will
 * @throws what makes the relay itself fail: it is tried again then
 */
export type Fire = (
  firing: HeldFiring,
  started: (run: Cid) => void,
  signal: AbortSignal,
) => Promise<FiringEnd>;

export interface ScheduleParts {
  readonly rows: ScheduleRows;
  readonly fire: Fire;
  /** Whose a deployment is, by a name that no other owner has. */
  readonly ownerOf: (deployment: string) => string;
  /** Tells this process from all others, also from those before it. */
  readonly holder: string;
  readonly leaseMs: number;
  readonly log: Pick<Logger, "error" | "info">;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

const TRIGGERS_AT_ONCE = 256;

/**
 * Decides what fires, and has it done. Each event fires once: it is written down in the same commit in which it is decided, it is
 * done under a lease that only one process has at a time, and what a process says that has lost its lease is not taken.
 */
export class Schedule {
  readonly #parts: ScheduleParts;
  readonly #times = new Map<string, { readonly terms: string; readonly times: ClockTimes }>();
  readonly #underWay = new Map<HeldFiring, AbortController>();
  readonly #ending = new Set<Promise<void>>();
  #isStopped = false;

  constructor(parts: ScheduleParts) {
    this.#parts = parts;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Triggers of a deployment from now on. */
  setTriggers(deployment: string, triggers: readonly TriggerTerms[]): void {
    const { rows, nowMs } = this.#parts;
    const now = nowMs();
    rows.setTriggers(deployment, triggers, now, (terms) => clockTimes(terms, now)?.next(now));
  }

  /** One look at the clock and at what waits. Never throws: what fails is logged, and tried in the next. */
  turn(): void {
    if (this.#isStopped) return;
    const { rows, nowMs, log } = this.#parts;
    try {
      rows.decideDue(nowMs(), TRIGGERS_AT_ONCE, (row) => this.#decide(row));
      this.#renew();
      this.#take();
    } catch (error) {
      log.error({ err: error }, "the schedule could not be looked through");
    }
  }

  /** What is under way is told to end, and waited for; whoever looks next goes on with it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const stop of this.#underWay.values())
      stop.abort(new FailureError("draining", "the schedule stops"));
    await Promise.all(this.#ending);
  }

  #decide(row: TriggerRow): ReturnType<typeof dueTimes> {
    return dueTimes(this.#timesOf(row), row.terms.missed, row.through, this.#parts.nowMs());
  }

  #timesOf({ deployment, id, terms, since }: TriggerRow): ClockTimes {
    const name = `${deployment}/${id}`;
    const words = `${since} ${terms.kind} ${terms.cron ?? ""} ${terms.zone ?? ""} ${terms.everyMs ?? ""}`;
    const known = this.#times.get(name);
    if (known?.terms === words) return known.times;
    const times = clockTimes(terms, since) ?? { next: () => undefined };
    this.#times.set(name, { terms: words, times });
    return times;
  }

  #renew(): void {
    const { rows, nowMs, leaseMs } = this.#parts;
    for (const [firing, stop] of this.#underWay)
      if (!rows.renew(firing, nowMs() + leaseMs))
        stop.abort(new FailureError("draining", "another holds this firing"));
  }

  #take(): void {
    const { rows, holder, nowMs, leaseMs, ownerOf } = this.#parts;
    const free = MAX_UNDER_WAY - this.#underWay.size;
    for (const firing of rows.claim(holder, nowMs(), leaseMs, free, ownerOf)) {
      const work = this.#carryOut(firing).finally(() => this.#ending.delete(work));
      this.#ending.add(work);
    }
  }

  async #carryOut(firing: HeldFiring): Promise<void> {
    const { rows, fire, nowMs, log } = this.#parts;
    const stop = new AbortController();
    this.#underWay.set(firing, stop);
    try {
      const { ok, words } = await fire(firing, (run) => void rows.started(firing, run), stop.signal);
      if (!stop.signal.aborted) rows.end(firing, ok, words, nowMs());
    } catch (error) {
      if (!stop.signal.aborted) this.#failed(firing, error);
    } finally {
      this.#underWay.delete(firing);
      if (this.#isStopped && stop.signal.aborted) rows.putBack(firing, nowMs());
      log.info({ ...nameOf(firing), token: firing.token }, "a firing is over");
    }
  }

  #failed(firing: HeldFiring, error: unknown): void {
    const { rows, nowMs, log } = this.#parts;
    log.error({ ...nameOf(firing), err: error }, "a firing could not be carried out");
    const wait = RETRY_MS[Math.min(firing.attempts, RETRY_MS.length) - 1] ?? 0;
    try {
      if (firing.attempts < MAX_ATTEMPTS) rows.putBack(firing, nowMs() + wait);
      else rows.end(firing, false, "the relay could not start it", nowMs());
    } catch (storeError) {
      log.error({ err: storeError }, "what became of a firing cannot be kept");
    }
  }
}

function nameOf({ deployment, trigger, event }: HeldFiring): object {
  return { deployment, trigger, event };
}
