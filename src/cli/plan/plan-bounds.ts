import { boundsOf } from "../../plan/bounds.ts";
import type { Plan } from "../../plan/plan.ts";
import { U64_MAX } from "../../protocol/units.ts";
import { DEFAULT_TARIFF } from "../../relay/config.ts";
import { creditsText } from "../quantities.ts";

/** The most that a run of a plan may take, in words and as decimal strings. */
export interface BoundWords {
  readonly steps: string;
  readonly tasks: string;
  readonly fuel: string;
  /** At the prices of a relay that has not been told others. */
  readonly costMicroCredits: string;
  readonly text: string;
}

function grouped(count: bigint): string {
  return count.toString().replace(/\B(?=(?:\d{3})+$)/gu, ",");
}

/** Every map to its end, every step given out as often as it may be: a run takes far less, as a rule. */
export function boundsOfPlan(plan: Plan): BoundWords {
  const { steps, tasks, fuel, cost } = boundsOf(plan, { tariff: DEFAULT_TARIFF });
  const money =
    cost >= U64_MAX ? "more money than there is" : `${creditsText(cost)} credits at the usual prices`;
  return {
    steps: steps.toString(),
    tasks: tasks.toString(),
    fuel: fuel.toString(),
    costMicroCredits: cost.toString(),
    text: `${grouped(steps)} steps, ${grouped(tasks)} tasks at peers${tasks === 0n ? "" : `, ${money}`}`,
  };
}
