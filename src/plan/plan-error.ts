import { FailureError } from "../protocol/failure.ts";
import type { NodeId } from "./plan.ts";
import type { Position } from "./shape/located.ts";

/** What is wrong with a plan, and where. */
export interface PlanProblem {
  /** The node that it is about; absent when it is about the plan as a whole. */
  readonly node?: NodeId;
  /** Fields inside the node, or inside the plan, joined by dots: "input", "limits.fuel"; "" for the whole. */
  readonly path: string;
  /** One sentence without its full stop: what is wrong and what would be right. */
  readonly message: string;
  /** Where it stands in the text that the plan was read from. */
  readonly at?: Position;
}

/** As people read it: "line 7, column 12, node \"clean\", input: there is no node or parameter \"pages\"". */
export function describeProblem({ node, path, message, at }: PlanProblem): string {
  const where = [
    ...(at === undefined ? [] : [`line ${at.line}, column ${at.column}`]),
    ...(node === undefined ? [] : [`node "${node}"`]),
    ...(path === "" ? [] : [path]),
  ];
  return where.length === 0 ? message : `${where.join(", ")}: ${message}`;
}

/** A plan that is refused, with everything that is wrong with it. */
export class PlanError extends FailureError {
  static override readonly name = "FailureError";
  readonly problems: readonly PlanProblem[];

  constructor(problems: readonly PlanProblem[]) {
    super("plan-refused", problems.map(describeProblem).join("; "));
    this.problems = problems;
  }
}
