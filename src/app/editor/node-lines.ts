import { printExpression } from "../../plan/expression/print-expression.ts";
import type { Callee, PlanNode } from "../../plan/plan.ts";
import { counted } from "../words/quantities.ts";
import { shortCid } from "../words/short-id.ts";
import type { FunctionsOnHand } from "./functions-on-hand.ts";

/** What a step does, in a few words below its name. */
export function nodeLine(node: PlanNode, functions: Pick<FunctionsOnHand, "find">): string {
  switch (node.kind) {
    case "call":
      return calleeText(node.callee, functions);
    case "effect":
      return node.capability.kind === "fetch"
        ? `fetch ${node.capability.origins[0] ?? ""}`
        : node.capability.kind;
    case "agent":
      return `${counted(node.tools.length, "tool")}, ${counted(node.maxSteps, "step")}`;
    case "expr":
      return printExpression(node.expression);
    case "map":
      return `${node.parallel} at a time, ${node.max} at most`;
    case "reduce":
      return `${node.max} elements at most`;
    case "branch":
      return "then or otherwise";
    case "select":
      return `${node.rule === "first" ? "first" : node.rule} ${node.k} of ${node.of.length}`;
    case "attempt":
      return "with a fallback";
    case "retry":
      return `${node.attempts} times at most`;
    case "timeout":
      return `${secondsText(node.ms)} at most`;
    case "delay":
      return `after ${secondsText(node.ms)}`;
    case "loop":
      return `${counted(node.max, "turn")} at most`;
    case "subplan":
      return counted(Object.keys(node.graph.nodes).length, "step");
    case "observe":
      return `${node.atLeast} of ${counted(node.of.length, "step")}`;
    case "stream":
      return `${node.max} values at most`;
    case "fail":
      return "ends the run";
    default:
      return node satisfies never;
  }
}

function calleeText({ cid, entry, kind }: Callee, functions: Pick<FunctionsOnHand, "find">): string {
  return functions.find(cid)?.name ?? `${kind === "model" ? `${entry} ` : ""}${shortCid(cid)}`;
}

function secondsText(ms: number): string {
  return `${ms / 1_000} s`;
}
