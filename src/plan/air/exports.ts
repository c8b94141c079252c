import type { Expression } from "../expression.ts";
import type { Graph, NodeId, Source } from "../plan.ts";
import type { AirPosition } from "./air-tree.ts";
import { CALL, CONSTANT, NAME } from "./expressions.ts";
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
  const nowhere = { line: 0, column: 0 };
  const sources = Object.fromEntries(
    exported.map((name, i): [string, Source] => [
      `x${i}`,
      isStream(name) ? listOfPushes(graph, name, []) : graph.find(name, nowhere),
    ]),
  );
  const fields = Object.fromEntries(
    exported.map((name, i): [string, Expression] => [fieldOf(name), NAME(`x${i}`)]),
  );
  return { fields, sources };
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

/** Value of a branch that failed: its variables are missing, and what it added to streams is dropped. */
export function failedBranch(exported: readonly string[]): Expression {
  const streams = exported
    .filter(isStream)
    .map((name): [string, Expression] => [fieldOf(name), CONSTANT([])]);
  const vars: Expression = { op: "record", fields: Object.fromEntries(streams) };
  return { op: "record", fields: { ok: CONSTANT(false), vars } };
}
