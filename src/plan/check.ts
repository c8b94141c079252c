import { MAX_PLAN_NODES } from "./limits.ts";
import type { Plan } from "./plan.ts";
import { encodePlan } from "./plan-codec.ts";
import { PlanError, type PlanProblem } from "./plan-error.ts";
import { findingsOf } from "./types-of.ts";

export { typesOf } from "./types-of.ts";

/**
 * Everything that is wrong with a plan, in the order of its nodes; nothing when it can run. A plan without problems fails for
 * what happens, never for what it says.
 */
export function checkPlan(plan: Plan): readonly PlanProblem[] {
  const { problems, ids } = findingsOf(plan);
  if (ids.size > MAX_PLAN_NODES)
    problems.push({ path: "", message: `the plan has ${ids.size} nodes, at most ${MAX_PLAN_NODES}` });
  // What has a form that the wire does not take, as a plan put together by a program may have.
  if (problems.length === 0) {
    try {
      encodePlan(plan);
    } catch (error) {
      problems.push({ path: "", message: error instanceof Error ? error.message : String(error) });
    }
  }
  return problems;
}

/** @throws PlanError `plan-refused` naming everything that is wrong. */
export function requireSound(plan: Plan): void {
  const problems = checkPlan(plan);
  if (problems.length > 0) throw new PlanError(problems);
}
