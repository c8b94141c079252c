import type { DayHours, ProviderLimits } from "../../storage/provider-limits.ts";
import type { Conditions } from "./conditions.ts";
import type { Allowance, GovernorReason, PauseReason } from "./governor-view.ts";
import { HOT_SHARE } from "./limits.ts";
import type { Condition, Signals } from "./signals.ts";
import type { ThreadCeiling } from "./thread-ceiling.ts";

/** What may be used of the machine, and why not more. */
export interface Decision {
  readonly allowed: Allowance;
  /** The strongest first. */
  readonly reasons: readonly GovernorReason[];
  /** When more is allowed if nothing else happens, by the clock of `now`. */
  readonly moreAt?: number;
}

/** What the decision hangs on, besides the person's limits. */
export interface Ground {
  readonly signals: Signals;
  readonly conditions: Conditions;
  readonly ceiling: ThreadCeiling;
  /** Milliseconds of the clock of `conditions`. */
  readonly now: number;
}

type Gate = readonly [PauseReason, Condition, (limits: ProviderLimits) => boolean];

/** What stops all work while it holds and for a while after, where the person's limits say so. The strongest first. */
const GATES: readonly Gate[] = [
  ["battery-low", "battery-low", () => true],
  ["on-battery", "discharging", ({ onlyWhenCharging }) => onlyWhenCharging],
  ["pressure", "serious", ({ pauseAtPressure }) => pauseAtPressure === "serious"],
  ["pressure", "critical", ({ pauseAtPressure }) => pauseAtPressure === "critical"],
  ["metered", "metered", ({ onlyUnmetered }) => onlyUnmetered],
  ["save-data", "save-data", ({ pauseOnSaveData }) => pauseOnSaveData],
  ["hidden", "hidden", ({ pauseWhenHidden }) => pauseWhenHidden],
  ["in-use", "in-use", ({ onlyWhenIdle }) => onlyWhenIdle],
];

const MEGABYTE = 1_000_000;
const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;

export function decideAllowance(limits: ProviderLimits, ground: Ground): Decision {
  const { signals, conditions, ceiling, now } = ground;
  const found = new Findings(now);
  if (isUsedUp(limits, signals)) found.stop("data-cap");
  const closedMs = minutesUntilOpen(limits.hours, signals.minuteOfDay) * MINUTE_MS;
  if (closedMs > 0) found.stop("hours", now + closedMs);
  for (const [reason, condition, isMeant] of GATES) {
    if (!isMeant(limits)) continue;
    const { holds, overAt } = conditions.standing(condition);
    if (holds) found.stop(reason);
    else if (overAt > now) found.stop("calming", overAt);
  }
  if (found.isStopped) return found.decision({ workers: 0, cpuPercent: limits.cpuPercent, gpu: false });
  const workers = Math.max(1, Math.min(limits.workers, ceiling.most));
  if (workers < limits.workers) {
    if (conditions.standing("critical").holds) found.less("busy");
    else found.less("calming", ceiling.moreAt);
  }
  const hot = conditions.standing("hot");
  const isHot = hot.holds || hot.overAt > now;
  if (hot.holds) found.less("hot");
  else if (isHot) found.less("calming", hot.overAt);
  const share = isHot ? HOT_SHARE : 1;
  const cpuPercent = Math.max(1, Math.round(limits.cpuPercent * share));
  return found.decision({ workers, cpuPercent, gpu: limits.gpu });
}

/** What requesters are told when nothing is allowed any more. */
export function drainReason(reasons: readonly GovernorReason[]): "battery" | "hidden" | "draining" {
  const [first] = reasons;
  if (first === "battery-low" || first === "on-battery") return "battery";
  return first === "hidden" ? "hidden" : "draining";
}

function isUsedUp({ monthlyMegabytes }: ProviderLimits, { monthBytes }: Signals): boolean {
  return monthlyMegabytes !== undefined && monthBytes >= monthlyMegabytes * MEGABYTE;
}

/** @returns 0 within the hours */
function minutesUntilOpen(hours: DayHours | undefined, minuteOfDay: number): number {
  if (hours === undefined || hours.from === hours.to) return 0;
  const from = hours.from * 60;
  const since = (minuteOfDay - from + DAY_MINUTES) % DAY_MINUTES;
  const open = (hours.to * 60 - from + DAY_MINUTES) % DAY_MINUTES;
  return since < open ? 0 : DAY_MINUTES - since;
}

/** Collects reasons, each once, and when the last of them is over. */
class Findings {
  readonly #now: number;
  readonly #reasons = new Set<GovernorReason>();
  #moreAt: number;
  #isStopped = false;

  constructor(now: number) {
    this.#now = now;
    this.#moreAt = now;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Nothing may be computed. @param overAt when that is over; absent: nobody knows */
  stop(reason: GovernorReason, overAt: number = Number.POSITIVE_INFINITY): void {
    this.#isStopped = true;
    this.#reasons.add(reason);
    this.#moreAt = Math.max(this.#moreAt, overAt);
  }

  /** Less may be computed. Of several such reasons the first to end brings more. */
  less(reason: GovernorReason, overAt: number = Number.POSITIVE_INFINITY): void {
    this.#moreAt = this.#reasons.size === 0 ? overAt : Math.min(this.#moreAt, overAt);
    this.#reasons.add(reason);
  }

  decision(allowed: Allowance): Decision {
    // What comes to an end by itself is said last: the other is what the person can change.
    const reasons = [...this.#reasons].toSorted((a, b) => Number(a === "calming") - Number(b === "calming"));
    const isKnown = Number.isFinite(this.#moreAt) && this.#moreAt > this.#now;
    return { allowed, reasons, ...(isKnown ? { moreAt: this.#moreAt } : {}) };
  }
}
