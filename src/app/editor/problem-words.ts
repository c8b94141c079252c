import { inputsOf } from "../../plan/node-parts.ts";
import type { Plan } from "../../plan/plan.ts";
import type { PlanProblem } from "../../plan/plan-error.ts";
import { sentence } from "./connections.ts";
import { findNode } from "./find-node.ts";
import { isNothing } from "./plan-edits.ts";

/** What is wrong, as a sentence. Where nothing has been chosen yet, that is all there is to say. */
export function problemWords(plan: Plan, { node, path, message }: PlanProblem): string {
  const found = node === undefined ? undefined : findNode(plan, node);
  const input = found && inputsOf(found.node).find(({ slot }) => slot === path);
  if (input !== undefined && isNothing(input.source)) return "Nothing is given to it yet.";
  return sentence(message);
}
