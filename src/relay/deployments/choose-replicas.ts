import type { Candidate } from "../../market/match-job.ts";
import type { Callee, Graph, Plan, PlanNode } from "../../plan/plan.ts";
import type { Abi } from "../../protocol/messages/session.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { graphsOf } from "../../plan/node-parts.ts";

/** What a provider must be able to do so that any step of a plan may go there. */
export interface Needs {
  readonly abis: ReadonlySet<Abi>;
  /** Bytes. */
  readonly memory: number;
}

function* nodesOf(graph: Graph): Generator<PlanNode, void, undefined> {
  for (const node of Object.values(graph.nodes)) {
    yield node;
    for (const inner of graphsOf(node)) yield* nodesOf(inner.graph);
  }
}

/** Steps that name a peer, the coordinator or the relay are not the replicas'. */
function isAnybodys(node: PlanNode): node is Extract<PlanNode, { readonly place: unknown }> {
  return "place" in node && node.place.at === "any";
}

export function needsOf(plan: Plan): Needs {
  const abis = new Set<Abi>();
  let memory = 0;
  for (const node of nodesOf(plan.graph)) {
    if (!isAnybodys(node)) continue;
    memory = Math.max(memory, node.limits.memory);
    if (node.kind === "call") abis.add(node.callee.abi);
    if (node.kind === "agent") abis.add(node.mind.abi);
    if (node.kind === "effect") abis.add("effect-1");
  }
  return { abis, memory };
}

/** Modules and manifests that a plan calls. */
export function calleesOf(plan: Plan): readonly Callee[] {
  const callees: Callee[] = [];
  for (const node of nodesOf(plan.graph)) {
    if (node.kind === "call") callees.push(node.callee);
    if (node.kind !== "agent") continue;
    callees.push(node.mind);
    for (const { tool } of node.tools) if (tool.kind === "function") callees.push(tool.callee);
  }
  return callees;
}

export function fits({ offer }: Candidate, { abis, memory }: Needs): boolean {
  return offer.memoryBytes >= memory && [...abis].every((abi) => offer.abis.includes(abi));
}

/**
 * Providers of distinct owners that are to stand ready: those that do already stay, others join in the order given until there are enough.
 * @param kept those that stand ready now @param candidates providers that fit, best first
 * @returns those that join
 */
export function chooseReplicas(
  kept: readonly PeerId[],
  candidates: readonly PeerId[],
  wanted: number,
  sameOwner: (a: PeerId, b: PeerId) => boolean,
): readonly PeerId[] {
  const chosen = [...kept];
  for (const provider of candidates) {
    if (chosen.length >= wanted) break;
    if (!chosen.some((other) => other === provider || sameOwner(other, provider))) chosen.push(provider);
  }
  return chosen.slice(kept.length);
}
