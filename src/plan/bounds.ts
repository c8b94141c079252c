import { priceOf, type Tariff } from "../protocol/tariff.ts";
import { FailureError } from "../protocol/failure.ts";
import { type Fuel, fuel, type MicroCredits, microCredits, U64_MAX } from "../protocol/units.ts";
import { graphsOf } from "./node-parts.ts";
import type { AgentNode, CallNode, EffectNode, Graph, NodeId, Plan, PlanNode } from "./plan.ts";

/** The most that something takes, whatever happens. */
export interface Bounds {
  /** Steps: node by node and iteration by iteration, whoever carries them out. */
  readonly steps: bigint;
  /** Tasks that peers are given: repeats after a loss and each peer of a quorum counted. */
  readonly tasks: bigint;
  /** Fuel of all tasks. */
  readonly fuel: bigint;
  /** What the tasks cost; 2^64 - 1 where it is more than that. */
  readonly cost: MicroCredits;
}

export interface PlanBounds extends Bounds {
  /** What the dearest step costs when it is given out once, its whole quorum counted. */
  readonly dearestStep: MicroCredits;
  /** Nodes of the plan, inner graphs included. */
  readonly nodes: number;
  /** Of each node with all that is inside of it and around it. */
  readonly perNode: ReadonlyMap<NodeId, Bounds>;
}

/** What a bound is reckoned with. It holds as long as these do. */
export interface BoundsOptions {
  /** The dearest tariff that a provider may have. */
  readonly tariff: Tariff;
  /** Micro-credits for a task that is cancelled after it began. */
  readonly startFee?: MicroCredits;
  /** Micro-credits for a lease; each task may need one of its own. */
  readonly leaseFee?: MicroCredits;
  /** How often a step is given out at most, losses included. */
  readonly attempts?: number;
  /** Bytes of an input of a step at most. */
  readonly inputBytes?: number;
}

/** How often a coordinator gives a step out unless it says otherwise. */
export const DEFAULT_ATTEMPTS = 6;
/** Inputs that are larger than that are rare; whoever has such says so. */
const DEFAULT_INPUT_BYTES: number = 1024 * 1024;

const NONE: Bounds = { steps: 0n, tasks: 0n, fuel: 0n, cost: microCredits(0) };

function capped(cost: bigint): MicroCredits {
  return microCredits(cost > U64_MAX ? U64_MAX : cost);
}

function sum(all: readonly Bounds[]): Bounds {
  return all.reduce(
    (a, b) => ({
      steps: a.steps + b.steps,
      tasks: a.tasks + b.tasks,
      fuel: a.fuel + b.fuel,
      cost: capped(a.cost + b.cost),
    }),
    NONE,
  );
}

/** Each at most: of two that exclude each other. */
function dearest(all: readonly Bounds[]): Bounds {
  return all.reduce(
    (a, b) => ({
      steps: a.steps > b.steps ? a.steps : b.steps,
      tasks: a.tasks > b.tasks ? a.tasks : b.tasks,
      fuel: a.fuel > b.fuel ? a.fuel : b.fuel,
      cost: a.cost > b.cost ? a.cost : b.cost,
    }),
    NONE,
  );
}

function times(of: Bounds, count: bigint): Bounds {
  return {
    steps: of.steps * count,
    tasks: of.tasks * count,
    fuel: of.fuel * count,
    cost: capped(of.cost * count),
  };
}

/** How often the graphs of a node are run at most, each time that the node is. */
function turnsOf(node: PlanNode): bigint {
  if (node.kind === "map" || node.kind === "reduce" || node.kind === "loop") return BigInt(node.max);
  return node.kind === "retry" ? BigInt(node.attempts) : 1n;
}

class Reckoning {
  readonly perNode: Map<NodeId, Bounds> = new Map();
  dearest: MicroCredits = microCredits(0);
  readonly #options: Required<BoundsOptions>;

  constructor({ tariff, startFee, leaseFee, attempts, inputBytes }: BoundsOptions) {
    this.#options = {
      tariff,
      startFee: startFee ?? microCredits(0),
      leaseFee: leaseFee ?? microCredits(0),
      attempts: attempts ?? DEFAULT_ATTEMPTS,
      inputBytes: inputBytes ?? DEFAULT_INPUT_BYTES,
    };
  }

  /** @param around how often the graph is run at most */
  graph(graph: Graph, around: bigint): Bounds {
    return sum(Object.entries(graph.nodes).map(([id, node]) => this.#node(id, node, around)));
  }

  /** Of one turn; what is kept per node is of all turns. */
  #node(id: NodeId, node: PlanNode, around: bigint): Bounds {
    const turns = turnsOf(node);
    const graphs = graphsOf(node).map(({ graph }) => this.graph(graph, around * turns));
    const inside = node.kind === "branch" ? dearest(graphs) : sum(graphs);
    const one = sum([{ ...NONE, steps: 1n }, this.#own(node), times(inside, turns)]);
    this.perNode.set(id, times(one, around));
    return one;
  }

  /** What peers do for the node itself. */
  #own(node: PlanNode): Bounds {
    if (node.kind === "call" || node.kind === "effect") return this.#tasks(node);
    // Each of an agent's steps thinks once and uses one tool at most, under the same limits.
    if (node.kind !== "agent") return NONE;
    const two = 2n * BigInt(node.maxSteps);
    return { ...times(this.#tasks(node), two), steps: two };
  }

  #tasks({ provenance, limits }: CallNode | EffectNode | AgentNode): Bounds {
    const { tariff, startFee, leaseFee, attempts, inputBytes } = this.#options;
    const peers = provenance.check === "quorum" ? BigInt(provenance.n) : 1n;
    const count = peers * BigInt(attempts);
    const price = this.#price(limits.fuel, BigInt(inputBytes + limits.output), tariff);
    const each = (price > startFee ? price : startFee) + leaseFee;
    if (each * peers > this.dearest) this.dearest = capped(each * peers);
    return { steps: 0n, tasks: count, fuel: limits.fuel * count, cost: capped(each * count) };
  }

  #price(most: Fuel, bytes: bigint, tariff: Tariff): MicroCredits {
    try {
      return priceOf(tariff, { payable: 1, cancelled: 0, fuel: fuel(most), bytes }, microCredits(0));
    } catch (error) {
      if (error instanceof FailureError) return capped(U64_MAX);
      throw error;
    }
  }
}

/**
 * The most steps, tasks and money that a run of the plan takes, before anything starts: every map and loop to its end, every
 * branch the dearer way, every fallback taken, every alternative carried out, every step repeated as often as it may be. Plans
 * with problems have bounds too.
 */
export function boundsOf(plan: Plan, options: BoundsOptions): PlanBounds {
  const reckoning = new Reckoning(options);
  const whole = reckoning.graph(plan.graph, 1n);
  const { dearest: dearestStep, perNode } = reckoning;
  return { ...whole, dearestStep, nodes: perNode.size, perNode };
}
