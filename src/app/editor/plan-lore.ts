import { checkPlan, typesOf } from "../../plan/check.ts";
import { parseJson } from "../../plan/json-value.ts";
import { graphsOf, inputsOf } from "../../plan/node-parts.ts";
import type { Graph, NodeId, Plan, PlanNode, Source } from "../../plan/plan.ts";
import type { PlanProblem } from "../../plan/plan-error.ts";
import { typeOfValue, whyNotAssignable } from "../../plan/type-relations.ts";
import type { ValueType } from "../../plan/value-type.ts";
import { type GraphPlace, graphAt } from "./find-node.ts";
import { changeGraph } from "./plan-edits.ts";

/** Plans are values: what is known of one is found out once. */
const PROBLEMS = new WeakMap<Plan, readonly PlanProblem[]>();
const TYPES = new WeakMap<Plan, ReadonlyMap<NodeId, ValueType>>();

/** Everything that is wrong with a plan. */
export function problemsOf(plan: Plan): readonly PlanProblem[] {
  const known = PROBLEMS.get(plan);
  if (known !== undefined) return known;
  const found = checkPlan(plan);
  PROBLEMS.set(plan, found);
  return found;
}

function nodeTypes(plan: Plan): ReadonlyMap<NodeId, ValueType> {
  const known = TYPES.get(plan);
  if (known !== undefined) return known;
  const found = typesOf(plan);
  TYPES.set(plan, found);
  return found;
}

/** @param place of the graph in which the source stands @returns undefined where nobody knows */
export function typeOf(plan: Plan, place: GraphPlace | undefined, source: Source): ValueType | undefined {
  const graph = graphAt(plan, place);
  return graph && typeIn(plan, graph, source);
}

function typeIn(plan: Plan, graph: Graph, source: Source): ValueType | undefined {
  switch (source.from) {
    case "node":
      return nodeTypes(plan).get(source.node);
    case "param":
      return graph.params[source.param];
    case "constant":
      try {
        return typeOfValue(parseJson(source.json));
      } catch {
        return undefined;
      }
    default:
      return source satisfies never;
  }
}

/** Graphs stand no deeper than this: with each round the types of one more are known. */
const MOST_ROUNDS = 8;

/**
 * Parameters of graphs inside of nodes follow from what the nodes are given, so nobody has to write them down: each becomes
 * what it is given where it could not take it, or said nothing about it.
 */
export function withSettledParams(plan: Plan): Plan {
  let settled = plan;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const next = settleIn(settled, settled, settled.graph);
    if (next === settled) return settled;
    settled = next;
  }
  return settled;
}

/** @param plan as its types are known @param graph of it, whose inner graphs are settled @returns `settled` with that done */
function settleIn(plan: Plan, settled: Plan, graph: Graph): Plan {
  let next = settled;
  for (const [id, node] of Object.entries(graph.nodes)) {
    const given = givenTypes(plan, graph, node);
    for (const { role, graph: inner } of graphsOf(node)) {
      const params = settledParams(inner, given);
      if (params !== inner.params)
        next = changeGraph(next, { owner: id, role }, (each) => ({ ...each, params }));
      next = settleIn(plan, next, inner);
    }
  }
  return next;
}

/** What the graphs of a node are given, by name, as far as it is known. */
function givenTypes(plan: Plan, graph: Graph, node: PlanNode): ReadonlyMap<string, ValueType> {
  const given = new Map<string, ValueType>();
  const put = (name: string, type: ValueType | undefined): void => {
    if (type !== undefined) given.set(name, type);
  };
  for (const { slot, source } of inputsOf(node)) {
    const type = typeIn(plan, graph, source);
    if (slot.startsWith("with.")) put(slot.slice("with.".length), type);
    if (slot === "over")
      put("item", type?.type === "list" ? type.of : type?.type === "json" ? type : undefined);
    if (slot === "initial") put(node.kind === "loop" ? "value" : "accumulated", type);
  }
  return given;
}

function settledParams(graph: Graph, given: ReadonlyMap<string, ValueType>): Graph["params"] {
  const changed = Object.entries(graph.params).flatMap(([name, type]) => {
    const actual = given.get(name);
    if (actual === undefined || JSON.stringify(actual) === JSON.stringify(type)) return [];
    // A wider type that somebody has written down stays; one that says nothing does not.
    const isToChange = type.type === "json" || whyNotAssignable(actual, type) !== undefined;
    return isToChange ? [[name, actual] as const] : [];
  });
  return changed.length === 0 ? graph.params : { ...graph.params, ...Object.fromEntries(changed) };
}
