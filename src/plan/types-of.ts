import { checkGraph } from "./check/check-graph.ts";
import { Findings } from "./check/findings.ts";
import type { NodeId, Plan } from "./plan.ts";
import type { ValueType } from "./value-type.ts";

/** What there is to find out about a plan's nodes. */
export function findingsOf({ graph }: Plan): Findings {
  const findings = new Findings();
  checkGraph(findings, graph, { role: "", depth: 1, outer: new Set() });
  return findings;
}

/**
 * The type of each node's value, inner graphs included; of a plan with problems as far as it is known. It says how a value is
 * encoded: docs/plan.md has the rules.
 */
export function typesOf(plan: Plan): ReadonlyMap<NodeId, ValueType> {
  return findingsOf(plan).types;
}
