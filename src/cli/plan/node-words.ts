import type { Callee, Capability, Place, PlanNode, Provenance } from "../../plan/plan.ts";
import { printExpression } from "../../plan/expression/print-expression.ts";
import { countText, durationText } from "../quantities.ts";

/** Nodes of a plan in words: short enough for a box and for a line of a terminal. */

/** Who does it: another peer, whoever coordinates, or nobody in particular because it only arranges others. */
export type NodeRole = "peer" | "here" | "order";

export function roleOf({ kind }: PlanNode): NodeRole {
  switch (kind) {
    case "call":
    case "effect":
    case "agent":
      return "peer";
    case "expr":
    case "delay":
    case "observe":
    case "stream":
    case "fail":
      return "here";
    case "map":
    case "reduce":
    case "branch":
    case "select":
    case "attempt":
    case "retry":
    case "timeout":
    case "loop":
    case "subplan":
      return "order";
    default:
      return kind satisfies never;
  }
}

/** The last characters of a CID or peer: those at the beginning are the same for all. */
export function tail(id: string): string {
  return id.length > 10 ? `…${id.slice(-6)}` : id;
}

function calleeText({ kind, cid, entry }: Callee): string {
  const name = entry === "" || entry === "_start" ? "" : ` ${entry}`;
  return `${kind}${name} ${tail(cid)}`;
}

function hostOf(origin: string): string {
  return URL.parse(origin)?.host ?? origin;
}

function capabilityText({ kind, origins, methods, namespace, chains }: Capability): string {
  const where = [...origins.map(hostOf), ...(namespace === "" ? [] : [`“${namespace}”`]), ...chains];
  const how = kind === "fetch" && methods.length > 0 ? `${methods.join("/")} ` : `${kind} `;
  const shown =
    where.length > 2 ? `${where.slice(0, 2).join(", ")} and ${where.length - 2} more` : where.join(", ");
  return `${how}${shown}`.trim();
}

/** What a node does, in a few words. */
export function whatText(node: PlanNode): string {
  switch (node.kind) {
    case "call":
      return calleeText(node.callee);
    case "effect":
      return capabilityText(node.capability);
    case "agent":
      return `agent, ${countText(node.tools.length, "tool")}, ${node.maxSteps} steps at most`;
    case "expr":
      return printExpression(node.expression);
    case "map":
      return `for each, ${node.parallel} at a time, ${node.max} at most`;
    case "reduce":
      return `one after the other, ${node.max} at most`;
    case "branch":
      return "one of two";
    case "select":
      return `${node.k} of ${node.of.length}: ${node.rule}`;
    case "attempt":
      return "with a fallback";
    case "retry":
      return `${countText(node.attempts, "attempt")}, ${durationText(node.backoffMs)} apart`;
    case "timeout":
      return `within ${durationText(node.ms)}`;
    case "delay":
      return `after ${durationText(node.ms)}`;
    case "loop":
      return `until done, ${countText(node.max, "turn")} at most`;
    case "subplan":
      return "a plan of its own";
    case "observe":
      return `sees ${node.of.length}, ${node.atLeast} at least, within ${durationText(node.ms)}`;
    case "stream":
      return `in the order they come, ${node.max} at most`;
    case "fail":
      return "fails on purpose";
    default:
      return node satisfies never;
  }
}

function apartText(apartFrom: readonly string[] | undefined): string {
  return apartFrom === undefined || apartFrom.length === 0 ? "" : `, not where ${apartFrom.join(", ")} was`;
}

const PREFERRED = {
  price: "the cheapest peer",
  reputation: "the best proven peer",
  distance: "the nearest peer",
  fair: "peers in turn",
} as const;

export function placeText(place: Place): string {
  switch (place.at) {
    case "coordinator":
      return "at the coordinator";
    case "initiator":
      return "at the initiator";
    case "peer":
      return `at ${tail(place.peer)}`;
    case "with":
      return `where ${place.node} was`;
    case "any":
      return `${place.prefer === undefined ? "any peer" : PREFERRED[place.prefer]}${apartText(place.apartFrom)}`;
    case "name":
      return `whoever is “${place.name}”`;
    case "relay":
      return "at the relay";
    default:
      return place satisfies never;
  }
}

/** How far a result is to be believed; nothing for a signature, which all have. */
export function provenanceText(provenance: Provenance): string {
  switch (provenance.check) {
    case "signature":
      return "";
    case "quorum":
      return `${provenance.k} of ${provenance.n} agree`;
    case "audited":
      return "audited";
    case "replay":
      return "computed again";
    default:
      return provenance satisfies never;
  }
}

/** Where a node runs, and how it is believed; empty for what is not given to anybody. */
export function whereText(node: PlanNode): string {
  if (node.kind !== "call" && node.kind !== "effect" && node.kind !== "agent") return "";
  const believed = provenanceText(node.provenance);
  return `${placeText(node.place)}${believed === "" ? "" : ` · ${believed}`}`;
}
