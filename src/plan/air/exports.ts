import type { Expression } from "../expression.ts";
import type { Graph, NodeId, Source } from "../plan.ts";
import type { AirPosition } from "./air-tree.ts";
import { ANY, CALL, CONSTANT, NAME } from "./expressions.ts";
import type { GraphDraft, Push } from "./graph-draft.ts";

export function isStream(name: string): boolean {
  return name.startsWith("$");
}

/** A list of all that was pushed to a stream so far. */
export function listOfPushes(draft: GraphDraft, stream: string, after: readonly NodeId[]): Source {
  const pushes: readonly Push[] = draft.pushes.get(stream) ?? [];
  const sources = Object.fromEntries(pushes.map(({ source }, i): [string, Source] => [`p${i}`, source]));
  const lists = pushes.map(({ isList }, i): Expression =>
    isList ? NAME(`p${i}`) : { op: "list", items: [NAME(`p${i}`)] },
  );
  return draft.addExpression(CALL("flatten", { op: "list", items: lists }), sources, after);
}

export function exportsOf(graph: GraphDraft): readonly string[] {
  return [...graph.own, ...graph.pushes.keys()];
}

function fieldOf(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, "_");
}

function recordOf(
  graph: GraphDraft,
  exported: readonly string[],
): {
  readonly fields: Readonly<Record<string, Expression>>;
  readonly sources: Readonly<Record<string, Source>>;
} {
  const parts = exported.map((name, i) => {
    const as = `x${i}`;
    const part = isStream(name)
      ? { expression: NAME(as), source: listOfPushes(graph, name, []) }
      : graph.boxed(name, as);
    return { as, field: fieldOf(name), ...part };
  });
  return {
    fields: Object.fromEntries(parts.map(({ field, expression }) => [field, expression])),
    sources: Object.fromEntries(parts.map(({ as, source }) => [as, source])),
  };
}

export function finishWith(graph: GraphDraft, exported: readonly string[]): Graph {
  const { fields, sources } = recordOf(graph, exported);
  return graph.finish({ op: "record", fields }, sources);
}

export function finishTried(graph: GraphDraft, exported: readonly string[]): Graph {
  const { fields, sources } = recordOf(graph, exported);
  return graph.finish(
    { op: "record", fields: { ok: CONSTANT(true), vars: { op: "record", fields } } },
    sources,
  );
}

export function takeExports(
  draft: GraphDraft,
  exported: readonly string[],
  of: Source,
  at: AirPosition,
): void {
  for (const name of exported) {
    const field = fieldOf(name);
    if (!isStream(name)) {
      draft.set(name, { of, field }, at);
      continue;
    }
    const expression: Expression = { op: "field", of: NAME("of"), name: field };
    draft.push(name, { source: draft.addExpression(expression, { of }), isList: true });
  }
}

/** Value of a branch that failed: its variables are not set, and what it added to streams is dropped. */
export function failedBranch(exported: readonly string[]): Expression {
  const empty = exported.map((name): [string, Expression] => [fieldOf(name), { op: "list", items: [] }]);
  const vars = ANY({ op: "record", fields: Object.fromEntries(empty) });
  return { op: "record", fields: { ok: CONSTANT(false), vars } };
}
