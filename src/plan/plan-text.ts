import { MAX_PLAN_TEXT_BYTES } from "./limits.ts";
import type { NodeId, Plan } from "./plan.ts";
import { PlanError, type PlanProblem } from "./plan-error.ts";
import { isLocatedList, isLocatedMap, type Located, type Position } from "./shape/located.ts";
import { planTextShape } from "./shape/plan-shape.ts";
import { readJson } from "./text/read-json.ts";

export type PlanFormat = "json" | "yaml";

/** A plan and the text that it was read from. */
export interface ParsedPlan {
  readonly plan: Plan;
  readonly format: PlanFormat;
  /** Where something that checkPlan finds stands in the text: the nearest part that is there. */
  readonly positionOf: (problem: Pick<PlanProblem, "node" | "path">) => Position;
}

/**
 * Reads a plan that people wrote, JSON or YAML: what begins with "{" is JSON. Its form is right then; whether it makes sense
 * is for checkPlan to say.
 * @throws PlanError naming line, column and node.
 */
export async function parsePlan(text: string, format: PlanFormat = formatOf(text)): Promise<ParsedPlan> {
  if (text.length > MAX_PLAN_TEXT_BYTES)
    throw new PlanError([
      { path: "", message: `a plan's text has ${MAX_PLAN_TEXT_BYTES} characters at most` },
    ]);
  const whole = format === "json" ? readJson(text) : (await import("./text/yaml-text.ts")).readYaml(text);
  const { v, name, ...graph } = planTextShape.text.read(whole);
  const nodes = new Map<NodeId, Located>();
  collectNodes(whole, nodes);
  return {
    plan: { v, name, graph },
    format,
    positionOf: ({ node, path }) =>
      nearest((node === undefined ? undefined : nodes.get(node)) ?? whole, path),
  };
}

function formatOf(text: string): PlanFormat {
  return /^\s*\{/u.test(text) ? "json" : "yaml";
}

/** A plan as people write it: parsePlan gives the same plan again, and printing that gives the same bytes. */
export async function printPlan({ v, name, graph }: Plan, format: PlanFormat): Promise<string> {
  const written = planTextShape.text.write({ v, name, ...graph });
  if (format === "json") return `${JSON.stringify(written, undefined, 2)}\n`;
  return (await import("./text/yaml-text.ts")).printYaml(written);
}

/** Every node's part of the text, inner graphs included: whatever stands under a name in a field "nodes". */
function collectNodes({ value }: Located, nodes: Map<NodeId, Located>): void {
  if (isLocatedList(value)) for (const each of value) collectNodes(each, nodes);
  if (!isLocatedMap(value)) return;
  for (const [name, field] of value) {
    if (name === "constant") continue;
    const inner = field.value.value;
    if (name === "nodes" && isLocatedMap(inner))
      for (const [id, node] of inner) if (!nodes.has(id)) nodes.set(id, { ...node.value, at: node.at });
    collectNodes(field.value, nodes);
  }
}

function nearest(from: Located, path: string): Position {
  let here = from;
  let { at } = from;
  for (const part of path.split(".")) {
    const { value } = here;
    const next = isLocatedMap(value)
      ? value.get(part)?.value
      : isLocatedList(value)
        ? value[Number(part)]
        : undefined;
    if (next === undefined) return at;
    here = next;
    ({ at } = next);
  }
  return at;
}
