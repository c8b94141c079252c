import type { Plan } from "../../plan/plan.ts";
import { FailureError } from "../../protocol/failure.ts";
import { type FailureName, failureCode } from "../../protocol/failure-code.ts";
import type { MissedPolicy, TriggerTerms } from "../../protocol/messages/deploy.ts";
import { clockTimes, type ClockTimes } from "../../schedule/clock-times.ts";
import { dueTimes } from "../../schedule/due-times.ts";
import { firingNonce } from "../../schedule/firing-nonce.ts";
import { MAX_SCHEDULE_SLEEP_MS, SCHEDULE_AGAIN_MS } from "../limits.ts";
import { pause } from "../pause.ts";
import type { PlanParams, PlanRun, PlanRunOptions } from "../plan-run.ts";
import { memoryMarks, type ScheduleMark, type ScheduleMarks } from "../schedule-marks.ts";

/** A plan that this program runs again and again, for as long as it is there. */
export interface HostedSchedule {
  /** Tells the schedules of one account apart. */
  readonly name: string;
  readonly plan: Plan;
  readonly params?: PlanParams;
  /** Cron of five or six fields in an IANA time zone, or an interval in milliseconds. */
  readonly when: { readonly cron: string; readonly zone: string } | { readonly everyMs: number };
  /** What becomes of times at which this program was not there: none, the newest alone, or all. Default "once". */
  readonly missed?: MissedPolicy;
  /** The most that each run may cost, micro-credits: it is a part of what makes a run the same one again. */
  readonly budget: bigint;
  /** How each is run. */
  readonly run?: Omit<PlanRunOptions, "budget" | "nonce" | "issuedAt" | "signal">;
  /** Default: memory; what is missed while the program is away is not known then. */
  readonly marks?: ScheduleMarks;
}

/** What is told of a schedule. */
export interface HostScheduleOptions {
  /** Ends it; a run that is under way is left, and seen through at the next start where marks are kept. */
  readonly signal?: AbortSignal;
  /** Told of each run. @param at the time that it is for, milliseconds since 1970 */
  readonly onRun?: (run: PlanRun, at: number) => void;
  /** Told why a run did not begin; where that lies with the relay or the way to it, it is tried again. */
  readonly onTrouble?: (error: unknown, at: number) => void;
}

/** How runs are begun and looked for. */
export interface ScheduleGround {
  readonly root: string;
  readonly now: () => number;
  /** Begins a run, or goes on with it where it was begun before. */
  readonly start: (plan: Plan, params: PlanParams, options: PlanRunOptions) => Promise<PlanRun>;
}

/** Failures that pass: the relay is away, or has much to do. */
const PASSING: ReadonlySet<number> = new Set(
  (["disconnected", "timed-out", "unreachable", "relay-fault", "rate-limited"] satisfies FailureName[]).map(
    failureCode,
  ),
);

/**
 * See Tabmesh.hostSchedule. Of several tabs of one browser one hosts it, and the next one goes on when that is gone. The run of a time has the same
 * identity however often it is begun, so that a crash between beginning it and noting so does not make two.
 * @throws Error for a pattern or a zone that is none
 */
export async function hostSchedule(
  ground: ScheduleGround,
  schedule: HostedSchedule,
  options: HostScheduleOptions,
): Promise<void> {
  const host = new ScheduleHost(ground, schedule, options);
  const { signal } = options;
  const locks = Reflect.get(globalThis, "navigator")?.locks as LockManager | undefined;
  if (locks === undefined) return host.host();
  try {
    await locks.request(
      `tabmesh schedule ${ground.root} ${schedule.name}`,
      signal === undefined ? {} : { signal },
      () => host.host(),
    );
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

class ScheduleHost {
  readonly #ground: ScheduleGround;
  readonly #schedule: HostedSchedule;
  readonly #options: HostScheduleOptions;
  readonly #marks: ScheduleMarks;
  readonly #key: string;
  readonly #signal: AbortSignal;
  #mark: ScheduleMark;
  readonly #times: ClockTimes;

  constructor(ground: ScheduleGround, schedule: HostedSchedule, options: HostScheduleOptions) {
    this.#ground = ground;
    this.#schedule = schedule;
    this.#options = options;
    this.#marks = schedule.marks ?? memoryMarks();
    this.#key = `${ground.root} ${schedule.name}`;
    this.#signal = options.signal ?? new AbortController().signal;
    this.#mark = { through: ground.now() };
    this.#times = timesOf(schedule);
  }

  /** Until the signal ends it, or no further time comes. */
  async host(): Promise<void> {
    this.#mark = (await this.#marks.load(this.#key)) ?? this.#mark;
    const { begun } = this.#mark;
    if (begun !== undefined) await this.#fire(begun.event, begun.at);
    while (!this.#signal.aborted) {
      const { missed = "once" } = this.#schedule;
      const now = this.#ground.now();
      const { fire, through, next } = dueTimes(this.#times, missed, this.#mark.through, now);
      for (const event of fire) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await this.#fire(event, this.#ground.now());
        if (this.#signal.aborted) return;
      }
      // oxlint-disable-next-line no-await-in-loop
      if (through > this.#mark.through) await this.#keep({ through });
      if (next === undefined) return;
      const sleepMs = Math.min(Math.max(0, next - this.#ground.now()), MAX_SCHEDULE_SLEEP_MS);
      // oxlint-disable-next-line no-await-in-loop
      await pause(sleepMs, this.#signal).catch(() => undefined);
    }
  }

  async #keep(mark: ScheduleMark): Promise<void> {
    this.#mark = mark;
    await this.#marks.keep(this.#key, mark);
  }

  /** The run of one time, to its end; nothing where the signal ends it before. */
  async #fire(event: number, at: number): Promise<void> {
    await this.#keep({ through: this.#mark.through, begun: { event, at } });
    const run = await this.#begin(event, at);
    if (run !== undefined) {
      const leave = (): void => void run.leave();
      this.#signal.addEventListener("abort", leave, { once: true });
      this.#options.onRun?.(run, event);
      await run.summary;
      this.#signal.removeEventListener("abort", leave);
    }
    if (!this.#signal.aborted) await this.#keep({ through: Math.max(event, this.#mark.through) });
  }

  async #begin(event: number, at: number): Promise<PlanRun | undefined> {
    const { name, plan, params = {}, budget, run: options = {} } = this.#schedule;
    const nonce = firingNonce(this.#ground.root, name, String(event));
    while (!this.#signal.aborted) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- until the relay answers
        return await this.#ground.start(plan, params, { ...options, budget, nonce, issuedAt: at });
      } catch (error) {
        this.#options.onTrouble?.(error, event);
        if (!(error instanceof FailureError) || !PASSING.has(error.code)) return undefined;
        // oxlint-disable-next-line no-await-in-loop
        await pause(SCHEDULE_AGAIN_MS, this.#signal).catch(() => undefined);
      }
    }
    return undefined;
  }
}

function timesOf({ when }: HostedSchedule): ClockTimes {
  const terms: TriggerTerms =
    "cron" in when
      ? { id: "hosted", missed: "once", kind: "cron", cron: when.cron, zone: when.zone }
      : { id: "hosted", missed: "once", kind: "interval", everyMs: when.everyMs };
  const times = clockTimes(terms, 0);
  if (times === undefined || times.next(0) === undefined) throw new RangeError("these times never come");
  return times;
}
