import { CALM_MS, LOW_BATTERY } from "./limits.ts";
import type { Condition, Signals } from "./signals.ts";

const ALL: readonly (readonly [Condition, (signals: Signals) => boolean])[] = [
  ["hidden", ({ isHidden }) => isHidden],
  ["discharging", ({ battery }) => battery?.isCharging === false],
  ["battery-low", ({ battery }) => battery?.isCharging === false && battery.level < LOW_BATTERY],
  ["serious", ({ pressure }) => pressure === "serious" || pressure === "critical"],
  ["critical", ({ pressure }) => pressure === "critical"],
  ["in-use", ({ isInUse }) => isInUse === true],
  ["metered", ({ network }) => network?.isMetered === true],
  ["save-data", ({ savesData }) => savesData],
  ["hot", ({ isHot }) => isHot],
];

/** How something stands against work. Times as in `note`. */
export interface Standing {
  /** It does so now. */
  readonly holds: boolean;
  /** When it is over for good if it stays away; the past where it is. */
  readonly overAt: number;
}

/** Remembers what stood against work: it does so at once, and no more after CALM_MS without it. */
export class Conditions {
  readonly #lastSeen = new Map<Condition, number>();
  #holding: ReadonlySet<Condition> = new Set();

  /** @param now milliseconds of a clock that only goes forward */
  note(signals: Signals, now: number): void {
    const holding = new Set(ALL.filter(([, holds]) => holds(signals)).map(([name]) => name));
    // What held until just now was there up to now: signals come when they change.
    for (const name of [...holding, ...this.#holding]) this.#lastSeen.set(name, now);
    this.#holding = holding;
  }

  standing(condition: Condition): Standing {
    const seen = this.#lastSeen.get(condition);
    return {
      holds: this.#holding.has(condition),
      overAt: seen === undefined ? Number.NEGATIVE_INFINITY : seen + CALM_MS,
    };
  }
}
