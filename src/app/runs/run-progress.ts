import { graphsOf } from "../../plan/node-parts.ts";
import type { Graph, NodeId, Plan, PlanNode } from "../../plan/plan.ts";
import type { RunEvent } from "../../plan/runner-ports.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { FailureCode } from "../../protocol/failure-code.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { microCredits, type MicroCredits } from "../../protocol/units.ts";
import type { Mark } from "./state-mark.tsx";

/** What came of one attempt. */
export interface Receipt {
  /** CID of its body. */
  readonly cid: Cid;
  readonly envelope: Uint8Array;
  readonly peer: PeerId;
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly fuel: bigint;
  readonly cost: MicroCredits;
  readonly elapsedMs: number;
  readonly isEffect: boolean;
}

/** One attempt at one step. */
export interface Attempt {
  readonly iteration: string;
  readonly attempt: number;
  readonly state: "ready" | "given" | "done" | "failed" | "skipped" | "lost";
  readonly code?: FailureCode;
  readonly detail?: string;
  /** Present once somebody has signed for it. */
  readonly receipt?: Receipt;
}

/** How a node stands, all its iterations together. */
export interface NodeProgress {
  /** Iterations by what is newest of them. */
  readonly ready: number;
  readonly given: number;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  /** Attempts that nobody signed for. */
  readonly lost: number;
  /** Peers that signed, the newest last. */
  readonly peers: readonly PeerId[];
  readonly cost: MicroCredits;
  readonly fuel: bigint;
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** The longest of its steps, milliseconds. */
  readonly longestMs: number;
}

const UNTOUCHED: NodeProgress = {
  ready: 0,
  given: 0,
  done: 0,
  failed: 0,
  skipped: 0,
  lost: 0,
  peers: [],
  cost: microCredits(0),
  fuel: 0n,
  inputBytes: 0,
  outputBytes: 0,
  longestMs: 0,
};

/** All attempts at a node's steps: by iteration, and in it by attempt and peer. */
type NodeAttempts = Map<string, Map<string, Attempt>>;

/** What a run has come to so far, from its events. Events of one run may be told again: nothing counts twice. */
export class RunProgress {
  readonly #nodes = new Map<NodeId, NodeAttempts>();
  readonly #known = new Map<NodeId, NodeProgress>();

  take(event: RunEvent): void {
    switch (event.kind) {
      case "ready":
      case "given":
        this.#put(event.node, { iteration: event.iteration, attempt: event.attempt, state: event.kind });
        return;
      case "ended": {
        const { iteration, attempt, status, code, detail } = event;
        this.#put(event.node, {
          iteration,
          attempt,
          state: status,
          ...(code === undefined ? {} : { code }),
          ...(detail === undefined ? {} : { detail }),
          receipt: receiptOf(event),
        });
        return;
      }
      case "lost": {
        const { iteration, attempt, code, detail } = event;
        this.#put(event.node, { iteration, attempt, state: "lost", code, detail });
        return;
      }
      case "started":
      case "note":
      case "over":
        return;
      default:
        event satisfies never;
    }
  }

  of(node: NodeId): NodeProgress {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const made = summed(this.#nodes.get(node));
    this.#known.set(node, made);
    return made;
  }

  /** Attempts at a node's steps: iterations in their order, and each from its first attempt. */
  attemptsAt(node: NodeId): readonly Attempt[] {
    const iterations = [...(this.#nodes.get(node)?.entries() ?? [])];
    const all: Attempt[] = [];
    for (const [, attempts] of iterations.toSorted(([a], [b]) => compareIterations(a, b)))
      all.push(...attempts.values());
    return all;
  }

  #put(node: NodeId, attempt: Attempt): void {
    const iterations = this.#nodes.get(node) ?? new Map<string, Map<string, Attempt>>();
    this.#nodes.set(node, iterations);
    const attempts = iterations.get(attempt.iteration) ?? new Map<string, Attempt>();
    iterations.set(attempt.iteration, attempts);
    this.#known.delete(node);
    const open = `${attempt.attempt}`;
    const known = attempts.get(open);
    const key = attempt.receipt === undefined ? open : `${open} ${attempt.receipt.cid}`;
    // A step that was given is not ready any more, and one that ended stays ended.
    if (attempt.state === "ready" && known !== undefined) return;
    if (attempt.receipt === undefined && hasEnded(attempts, attempt.attempt)) return;
    if (attempt.receipt !== undefined) attempts.delete(open);
    attempts.set(key, attempt);
  }
}

function hasEnded(attempts: ReadonlyMap<string, Attempt>, attempt: number): boolean {
  return [...attempts.values()].some((each) => each.attempt === attempt && each.receipt !== undefined);
}

type Ended = Extract<RunEvent, { kind: "ended" }>;

function receiptOf(event: Ended): Receipt {
  const { receipt, envelope, peer, inputBytes, outputBytes, fuel, cost, elapsedMs, effect } = event;
  return {
    cid: receipt,
    envelope,
    peer,
    inputBytes,
    outputBytes,
    fuel,
    cost,
    elapsedMs,
    isEffect: effect === true,
  };
}

/** What an iteration has come to: done where one attempt is, and otherwise what is newest. */
function stateOf(attempts: readonly Attempt[]): Attempt["state"] {
  return attempts.find(({ state }) => state === "done")?.state ?? attempts.at(-1)?.state ?? "ready";
}

function summed(iterations: NodeAttempts | undefined): NodeProgress {
  if (iterations === undefined) return UNTOUCHED;
  const counts = { ready: 0, given: 0, done: 0, failed: 0, skipped: 0, lost: 0 };
  let [cost, fuel, inputBytes, outputBytes, longestMs] = [0n, 0n, 0, 0, 0];
  const peers = new Set<PeerId>();
  for (const byKey of iterations.values()) {
    const attempts = [...byKey.values()];
    const state = stateOf(attempts);
    // What was lost and is not given again yet waits.
    counts[state === "lost" ? "ready" : state] += 1;
    for (const { state: each, receipt } of attempts) {
      if (each === "lost") counts.lost += 1;
      if (receipt === undefined) continue;
      peers.add(receipt.peer);
      cost += receipt.cost;
      fuel += receipt.fuel;
      inputBytes += receipt.inputBytes;
      outputBytes += receipt.outputBytes;
      longestMs = Math.max(longestMs, receipt.elapsedMs);
    }
  }
  return { ...counts, peers: [...peers], cost: microCredits(cost), fuel, inputBytes, outputBytes, longestMs };
}

/** "2.10" after "2.9". */
function compareIterations(a: string, b: string): number {
  const [one, other] = [a.split("."), b.split(".")];
  for (const [index, part] of one.entries()) {
    const difference = Number(part) - Number(other[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

/** Iterations that have come to an end. */
export function endedOf({ done, failed, skipped }: NodeProgress): number {
  return done + failed + skipped;
}

/** How a node stands in one word. A node with steps inside is at work while they are. */
export function markOf(progress: RunProgress, id: NodeId, node: PlanNode): Mark {
  const own = progress.of(id);
  const { ready, given, done, failed, skipped } = own;
  const isInside = graphsOf(node).some(({ graph }) => hasBegun(progress, graph));
  if (given > 0) return "running";
  // What nobody else has to be found for is under way as soon as it can be.
  if (ready > 0) return isInside || endedOf(own) > 0 || !("place" in node) ? "running" : "ready";
  if (failed > 0) return "failed";
  if (done > 0) return "done";
  if (skipped > 0) return "skipped";
  return isInside ? "running" : "waiting";
}

function hasBegun(progress: RunProgress, graph: Graph): boolean {
  return Object.entries(graph.nodes).some(([id, node]) => {
    const { ready, given, done, failed } = progress.of(id);
    return (
      ready + given + done + failed > 0 || graphsOf(node).some((inner) => hasBegun(progress, inner.graph))
    );
  });
}

/** Sums over all nodes of a plan. */
export interface RunTotals {
  /** Nodes that have come to an end, and all. */
  readonly nodesEnded: number;
  readonly nodes: number;
  readonly steps: number;
  readonly lost: number;
  readonly peers: ReadonlySet<PeerId>;
  readonly cost: MicroCredits;
  readonly fuel: bigint;
}

export function totalsOf(progress: RunProgress, plan: Plan): RunTotals {
  const peers = new Set<PeerId>();
  let [nodesEnded, nodes, steps, lost, cost, fuel] = [0, 0, 0, 0, 0n, 0n];
  const add = (graph: Graph): void => {
    for (const [id, node] of Object.entries(graph.nodes)) {
      const each = progress.of(id);
      nodes += 1;
      if (["done", "failed", "skipped"].includes(markOf(progress, id, node))) nodesEnded += 1;
      steps += endedOf(each);
      lost += each.lost;
      cost += each.cost;
      fuel += each.fuel;
      for (const peer of each.peers) peers.add(peer);
      for (const inner of graphsOf(node)) add(inner.graph);
    }
  };
  add(plan.graph);
  return { nodesEnded, nodes, steps, lost, peers, cost: microCredits(cost), fuel };
}
