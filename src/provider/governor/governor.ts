import type { ProviderLimits } from "../../storage/provider-limits.ts";
import { Conditions } from "./conditions.ts";
import { decideAllowance, type Decision } from "./decide-allowance.ts";
import type { Signals } from "./signals.ts";
import { ThreadCeiling } from "./thread-ceiling.ts";

/**
 * Decides how much of the machine may be used: less at once, more after a while of calm. What the person changes holds at
 * once in both directions. Pure: signals and time are told to it. Times are milliseconds of one clock that only goes forward.
 */
export class Governor {
  readonly #conditions = new Conditions();
  readonly #ceiling = new ThreadCeiling();

  decide(limits: ProviderLimits, signals: Signals, now: number): Decision {
    this.#conditions.note(signals, now);
    const { holds } = this.#conditions.standing("critical");
    this.#ceiling.note(holds, limits.workers, now);
    return decideAllowance(limits, {
      signals,
      conditions: this.#conditions,
      ceiling: this.#ceiling,
      now,
    });
  }
}
