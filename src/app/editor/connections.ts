import { inputsOf } from "../../plan/node-parts.ts";
import type { NodeId, Plan, PlanNode, Source } from "../../plan/plan.ts";
import type { PlanProblem } from "../../plan/plan-error.ts";
import type { ValueType } from "../../plan/value-type.ts";
import { findNode, graphAt, type GraphPlace } from "./find-node.ts";
import { changeNode, isNothing, withInput, withName } from "./plan-edits.ts";
import { problemsOf, typeOf, withSettledParams } from "./plan-lore.ts";

export type Connection =
  | { readonly kind: "connected"; readonly plan: Plan; readonly slot: string }
  /** A sentence: why a value does not go there. */
  | { readonly kind: "refused"; readonly why: string };

const ANY: ValueType = { type: "json" };

/** Gives a node's value to another: where nothing is given yet and it fits, or under a new name. */
export function connectNodes(plan: Plan, from: NodeId, to: NodeId): Connection {
  const [giver, taker] = [findNode(plan, from), findNode(plan, to)];
  if (giver === undefined || taker === undefined) return refused("One of the steps is gone.");
  if (from === to) return refused("A step cannot have its own value.");
  if (giver.graph !== taker.graph)
    return refused(
      `“${from}” and “${to}” are not in the same graph. What goes into a step with steps inside goes in by a name of that step.`,
    );
  if (taker.node.kind === "observe")
    return judged(plan, to, "of", (node) =>
      node.kind === "observe" ? { ...node, of: [...new Set([...node.of, from])] } : node,
    );
  const source: Source = { from: "node", node: from };
  return giveSource(plan, to, source, nameFor(from));
}

/** The first step of a graph is given what comes into the graph, where that fits. @returns the plan, perhaps as it was */
export function connectParam(plan: Plan, place: GraphPlace | undefined, to: NodeId): Plan {
  const [param] = Object.keys(graphAt(plan, place)?.params ?? {});
  if (param === undefined) return plan;
  const given = giveSource(plan, to, { from: "param", param }, param);
  return given.kind === "connected" ? given.plan : plan;
}

/** @param name under which it is given where the node takes names */
function giveSource(plan: Plan, to: NodeId, source: Source, name: string): Connection {
  const taker = findNode(plan, to);
  if (taker === undefined) return refused("The step is gone.");
  const { node, place } = taker;
  const free = inputsOf(node).filter((input) => isNothing(input.source));
  let why: string | undefined;
  for (const { slot } of free) {
    const tried = giveTo(plan, to, slot, source);
    if (tried.kind === "connected") return tried;
    why ??= tried.why;
  }
  // It was most likely meant for what is still missing.
  if (why !== undefined) return refused(why);
  if (node.kind === "stream")
    return judged(plan, to, `of.${node.of.length}`, (each) =>
      each.kind === "stream" ? { ...each, of: [...each.of, source] } : each,
    );
  if ("with" in node) {
    const given = freeName(node.with, name);
    const type = typeOf(plan, place, source) ?? ANY;
    return judged(plan, to, `with.${given}`, (each) => named(withName(each, given, source, type), given));
  }
  const [only] = inputsOf(node);
  // Where all is taken, the newest counts: so that drawing a line anew moves it.
  return only === undefined ? refused(`“${to}” takes no value.`) : giveTo(plan, to, only.slot, source);
}

/** An expression that says nothing yet is the value that it is given. */
function named(node: PlanNode, name: string): PlanNode {
  const isBlank =
    node.kind === "expr" && node.expression.op === "constant" && node.expression.json === "null";
  return isBlank ? { ...node, expression: { op: "name", name } } : node;
}

/** Gives a source to one place of a node. */
export function giveTo(plan: Plan, to: NodeId, slot: string, source: Source): Connection {
  return judged(plan, to, slot, (node) => withInput(node, slot, source));
}

/** Tries a change, and refuses it where it makes something wrong that was not wrong before. */
function judged(plan: Plan, to: NodeId, slot: string, change: (node: PlanNode) => PlanNode): Connection {
  const changed = withSettledParams(changeNode(plan, to, change));
  const before = new Set(problemsOf(plan).map(keyOf));
  const news = problemsOf(changed).find(
    (problem) => isAbout(problem, to, slot) && !before.has(keyOf(problem)),
  );
  return news === undefined ? { kind: "connected", plan: changed, slot } : refused(sentence(news.message));
}

function isAbout({ node, path }: PlanProblem, id: NodeId, slot: string): boolean {
  return (node === id && (path === slot || path.startsWith(`${slot}.`) || path === "")) || node === undefined;
}

function keyOf({ node, path, message }: PlanProblem): string {
  return `${node ?? ""}\n${path}\n${message}`;
}

function refused(why: string): Connection {
  return { kind: "refused", why };
}

/** "the list is missing" as "The list is missing." */
export function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.?]$/u.test(text) ? text : `${text}.`;
}

/** A node's id as a name of an expression: "split-2" as "split_2". */
export function nameFor(id: NodeId): string {
  const name = id.replaceAll(/\W/gu, "_");
  return /^[A-Za-z_]/u.test(name) && !["true", "false", "null"].includes(name) ? name : `v_${name}`;
}

function freeName(taken: Readonly<Record<string, Source>>, wanted: string): string {
  let name = wanted;
  for (let number = 2; Object.hasOwn(taken, name); number += 1) name = `${wanted}_${number}`;
  return name;
}
