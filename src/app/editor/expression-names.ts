import type { Expression } from "../../plan/expression.ts";
import type { NodeId, Plan, PlanNode, Source } from "../../plan/plan.ts";
import { findNode } from "./find-node.ts";
import { nameFor } from "./connections.ts";

type ExprNode = Extract<PlanNode, { readonly kind: "expr" }>;

/** Names that an expression uses, each once, in the order in which they come. */
export function namesIn(expression: Expression): readonly string[] {
  return [...new Set(collect(expression))];
}

function collect(expression: Expression): readonly string[] {
  switch (expression.op) {
    case "constant":
      return [];
    case "name":
      return [expression.name];
    case "field":
      return collect(expression.of);
    case "item":
      return [...collect(expression.of), ...collect(expression.index)];
    case "list":
      return expression.items.flatMap(collect);
    case "record":
      return Object.values(expression.fields).flatMap(collect);
    case "if":
      return [expression.condition, expression.then, expression.otherwise].flatMap(collect);
    case "call":
      return expression.args.flatMap(collect);
    default:
      return expression satisfies never;
  }
}

/** Gives an expression every name that it uses and that a parameter or another step of its graph has. */
export function wiredExpression(plan: Plan, id: NodeId, node: ExprNode): ExprNode {
  const graph = findNode(plan, id)?.graph;
  if (graph === undefined) return node;
  const sources = new Map<string, Source>([
    ...Object.keys(graph.nodes)
      .filter((each) => each !== id)
      .map((each) => [nameFor(each), { from: "node", node: each }] as const),
    ...Object.keys(graph.params).map((param) => [param, { from: "param", param }] as const),
  ]);
  const added = namesIn(node.expression).flatMap((name) => {
    const source = sources.get(name);
    return source === undefined || Object.hasOwn(node.with, name) ? [] : [[name, source] as const];
  });
  return added.length === 0 ? node : { ...node, with: { ...node.with, ...Object.fromEntries(added) } };
}
