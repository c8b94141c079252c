import type { NodeId } from "../plan.ts";
import type { PlanProblem } from "../plan-error.ts";
import type { ValueType } from "../value-type.ts";

/** What a check has found out so far. */
export class Findings {
  readonly problems: PlanProblem[] = [];
  /** Types of nodes' values as far as they are known. */
  readonly types: Map<NodeId, ValueType> = new Map();
  /** Ids that were met. */
  readonly ids: Set<NodeId> = new Set();

  say(node: NodeId | undefined, path: string, message: string): void {
    this.problems.push(node === undefined ? { path, message } : { node, path, message });
  }
}
