import type { Graph, NodeId, Plan, PlanNode } from "../../plan/plan.ts";
import { graphsOf } from "../../plan/node-parts.ts";
import type { RunEvent } from "../../plan/runner-ports.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { roleOf } from "./node-words.ts";

/** What is known of a run at one moment, from its events. */

/** How one node stands, over all its iterations. */
export interface NodeTally {
  readonly id: NodeId;
  readonly node: PlanNode;
  /** Graphs around it. */
  readonly depth: number;
  /** Iterations that are under way, and that have ended so. */
  readonly running: number;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  /** Attempts without a receipt. */
  readonly lost: number;
  /** Root identities of the peers that carried it out, in the order in which they came. */
  readonly peers: readonly PeerId[];
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly fuel: bigint;
  readonly cost: bigint;
  /** The longest of its iterations, milliseconds. */
  readonly slowestMs: number;
}

interface Counted {
  readonly id: NodeId;
  readonly node: PlanNode;
  readonly depth: number;
  /** By iteration. */
  readonly states: Map<string, "running" | "done" | "failed" | "skipped">;
  readonly receipts: Set<string>;
  readonly peers: Set<PeerId>;
  lost: number;
  inputBytes: number;
  outputBytes: number;
  fuel: bigint;
  cost: bigint;
  slowestMs: number;
}

/** Nodes of a plan with those inside of them behind them. */
export function nodesOf(
  graph: Graph,
  depth = 0,
): readonly { readonly id: NodeId; readonly node: PlanNode; readonly depth: number }[] {
  return Object.entries(graph.nodes).flatMap(([id, node]) => {
    const inside = graphsOf(node).flatMap((inner) => nodesOf(inner.graph, depth + 1));
    return [{ id, node, depth }].concat(inside);
  });
}

export class RunTally {
  readonly #nodes: ReadonlyMap<NodeId, Counted>;

  constructor(plan: Plan) {
    this.#nodes = new Map(
      nodesOf(plan.graph).map(({ id, node, depth }) => [
        id,
        {
          id,
          node,
          depth,
          states: new Map<string, "running">(),
          receipts: new Set<string>(),
          peers: new Set<PeerId>(),
          lost: 0,
          inputBytes: 0,
          outputBytes: 0,
          fuel: 0n,
          cost: 0n,
          slowestMs: 0,
        },
      ]),
    );
  }

  /** @returns the node that it is about, if it is about one of the plan's */
  add(event: RunEvent): NodeTally | undefined {
    if (event.kind === "started" || event.kind === "note" || event.kind === "over") return undefined;
    const counted = this.#nodes.get(event.node);
    if (counted === undefined) return undefined;
    if (event.kind === "ended") addEnd(counted, event);
    else if (event.kind === "lost") counted.lost += 1;
    else if (!counted.states.has(event.iteration)) counted.states.set(event.iteration, "running");
    return tallyOf(counted);
  }

  get nodes(): readonly NodeTally[] {
    return [...this.#nodes.values()].map(tallyOf);
  }

  /** Peers that signed for calls and effects. */
  get peers(): ReadonlySet<PeerId> {
    const peers = new Set<PeerId>();
    for (const counted of this.#nodes.values())
      if (roleOf(counted.node) === "peer") for (const peer of counted.peers) peers.add(peer);
    return peers;
  }

  get cost(): bigint {
    return [...this.#nodes.values()].reduce((sum, { cost }) => sum + cost, 0n);
  }
}

function addEnd(counted: Counted, event: Extract<RunEvent, { kind: "ended" }>): void {
  // A receipt may be told twice, by its peer and by somebody who has seen it.
  if (counted.receipts.has(event.receipt)) return;
  counted.receipts.add(event.receipt);
  counted.states.set(event.iteration, event.status);
  counted.peers.add(event.peer);
  counted.inputBytes += event.inputBytes;
  counted.outputBytes += event.outputBytes;
  counted.fuel += event.fuel;
  counted.cost += event.cost;
  counted.slowestMs = Math.max(counted.slowestMs, event.elapsedMs);
}

function tallyOf(counted: Counted): NodeTally {
  const { id, node, depth, peers, lost, inputBytes, outputBytes, fuel, cost, slowestMs } = counted;
  const all = [...counted.states.values()];
  const count = (state: "running" | "done" | "failed" | "skipped"): number =>
    all.filter((each) => each === state).length;
  return {
    id,
    node,
    depth,
    lost,
    inputBytes,
    outputBytes,
    fuel,
    cost,
    slowestMs,
    peers: [...peers],
    running: count("running"),
    done: count("done"),
    failed: count("failed"),
    skipped: count("skipped"),
  };
}
