import type { Plan } from "../../plan/plan.ts";
import { nodesOf } from "./run-tally.ts";

/** The most that a run of a plan may take, in words and numbers. */
export interface BoundWords {
  readonly steps: string;
  readonly text: string;
}

export function boundsOfPlan(plan: Plan): BoundWords {
  const steps = String(nodesOf(plan.graph).length);
  return { steps, text: `${steps} steps` };
}
