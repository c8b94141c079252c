import type { Graph, NodeId } from "../plan.ts";
import type { Ending, Known } from "./known.ts";

/** A promise and what settles it. */
interface Slot {
  readonly promise: Promise<Ending>;
  readonly resolve: (ending: Ending) => void;
}

/** One graph under way, in one place of the maps, loops and retries around it. */
export class Scope {
  readonly graph: Graph;
  readonly iteration: string;
  readonly params: ReadonlyMap<string, Known>;
  readonly outer: Scope | undefined;
  /** How often this graph is run in this run, as far as is known. */
  readonly turns: number;
  readonly #slots = new Map<NodeId, Slot>();
  readonly #ended = new Map<NodeId, Ending>();
  readonly #controller = new AbortController();
  #forget: (() => void) | undefined;

  constructor(parts: {
    readonly graph: Graph;
    readonly iteration: string;
    readonly params: ReadonlyMap<string, Known>;
    readonly turns: number;
    readonly outer?: Scope;
    readonly signal: AbortSignal;
  }) {
    this.graph = parts.graph;
    this.iteration = parts.iteration;
    this.params = parts.params;
    this.outer = parts.outer;
    this.turns = parts.turns;
    const { signal } = parts;
    if (signal.aborted) this.#controller.abort(signal.reason);
    else {
      const abort = (): void => this.#controller.abort(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      this.#forget = () => signal.removeEventListener("abort", abort);
    }
    for (const id of Object.keys(parts.graph.nodes)) this.#slots.set(id, Promise.withResolvers<Ending>());
  }

  /** Aborts when what is under way in here is not needed any more. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Nothing more comes from the scope around it. */
  close(): void {
    this.#forget?.();
  }

  /** How a node of this graph, or of one around it, ended; waits until it has. `undefined` when there is none of that name. */
  ending(id: NodeId): Promise<Ending> | undefined {
    return this.#slots.get(id)?.promise ?? this.outer?.ending(id);
  }

  end(id: NodeId, ending: Ending): void {
    if (this.#ended.has(id)) return;
    this.#ended.set(id, ending);
    this.#slots.get(id)?.resolve(ending);
  }

  /** Nodes that have ended, in the order in which they did. */
  get ended(): ReadonlyMap<NodeId, Ending> {
    return this.#ended;
  }
}
