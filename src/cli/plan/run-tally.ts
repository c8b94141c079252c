import type { Graph, NodeId, Plan, PlanNode } from "../../plan/plan.ts";
import { graphsOf } from "../../plan/node-parts.ts";
import { orderOfNodes } from "../../plan/shape/order-of-nodes.ts";
import type { RunEvent } from "../../plan/runner-ports.ts";
import { isPeerAttempt } from "../../plan/state/attempts.ts";
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
  /** Times that a step was given out once more, after a loss or because the first was late. */
  readonly again: number;
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
  /** Iterations that were given out. */
  readonly given: Set<string>;
  readonly peers: Set<PeerId>;
  again: number;
  inputBytes: number;
  outputBytes: number;
  fuel: bigint;
  cost: bigint;
  slowestMs: number;
}

/** Nodes of a plan, each behind those that it needs, with those inside of it behind it. */
export function nodesOf(
  graph: Graph,
  depth = 0,
): readonly { readonly id: NodeId; readonly node: PlanNode; readonly depth: number }[] {
  return orderOfNodes(graph.nodes).flatMap((id) => {
    const node = graph.nodes[id];
    if (node === undefined) return [];
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
          given: new Set<string>(),
          peers: new Set<PeerId>(),
          again: 0,
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
    else if (event.kind !== "lost") addStart(counted, event);
    return tallyOf(counted);
  }

  get nodes(): readonly NodeTally[] {
    return [...this.#nodes.values()].map(tallyOf);
  }

  /** A node of the plan's own graph, and behind it all that is inside of it and has begun. */
  withInside(id: NodeId): readonly NodeTally[] {
    const nodes = this.nodes;
    const from = nodes.findIndex((node) => node.id === id);
    const after = nodes.findIndex((node, place) => place > from && node.depth === 0);
    return nodes
      .slice(from, after < 0 ? undefined : after)
      .filter(
        ({ depth, done, failed, skipped, running }) => depth === 0 || done + failed + skipped + running > 0,
      );
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

function addStart(counted: Counted, event: Extract<RunEvent, { kind: "ready" | "given" }>): void {
  if (event.kind === "given") {
    if (counted.given.has(event.iteration)) counted.again += 1;
    counted.given.add(event.iteration);
  }
  if (!counted.states.has(event.iteration)) counted.states.set(event.iteration, "running");
}

function addEnd(counted: Counted, event: Extract<RunEvent, { kind: "ended" }>): void {
  // A receipt may be told twice, by its peer and by somebody who has seen it.
  if (counted.receipts.has(event.receipt)) return;
  counted.receipts.add(event.receipt);
  counted.states.set(event.iteration, event.status);
  // What a coordinator settles or computes again is no work of a peer.
  if (roleOf(counted.node) === "peer" && !isPeerAttempt(event.attempt)) return;
  counted.peers.add(event.peer);
  counted.inputBytes += event.inputBytes;
  counted.outputBytes += event.outputBytes;
  counted.fuel += event.fuel;
  counted.cost += event.cost;
  counted.slowestMs = Math.max(counted.slowestMs, event.elapsedMs);
}

function tallyOf(counted: Counted): NodeTally {
  const { id, node, depth, peers, again, inputBytes, outputBytes, fuel, cost, slowestMs } = counted;
  const all = [...counted.states.values()];
  const count = (state: "running" | "done" | "failed" | "skipped"): number =>
    all.filter((each) => each === state).length;
  return {
    id,
    node,
    depth,
    again,
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
