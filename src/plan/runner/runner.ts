import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { clipText } from "../../protocol/text.ts";
import { type MicroCredits, microCredits } from "../../protocol/units.ts";
import type { RunnerPorts } from "../runner-ports.ts";
import type { RunRecord } from "../run-record.ts";
import type { RunState } from "../state/run-state.ts";
import { WHOLE_RUN } from "../state/attempts.ts";
import type { GraphEnd, Known, NodeFailure } from "./known.ts";
import { RunCore } from "./run-core.ts";
import { failureOf, type RunEnd, type RunnerOptions } from "./runner-options.ts";

const OVER = new FailureError("cancelled", "the run is over");

/**
 * Carries a plan out: order is what data asks for, everything else goes on at once. All that it decides follows from receipts,
 * so another coordinator goes on from what receipts it has, and comes to the same.
 */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #core: RunCore;
  readonly #cancelling = new AbortController();
  readonly #stopping = new AbortController();
  #ending: Promise<RunEnd> | undefined;
  #resultCid: Cid | undefined;

  constructor(options: RunnerOptions, ports: RunnerPorts) {
    this.#options = options;
    this.#core = new RunCore(options, ports, this.#stopping.signal);
  }

  /** All receipts, for exchange with others. Read only: `learn` adds. */
  get state(): RunState {
    return this.#core.state;
  }

  get spent(): MicroCredits {
    return microCredits(this.#core.spent());
  }

  /** Begins, or goes on. Resolves when the run is over; rejects when this coordinator stopped, or for a bug. */
  async start(): Promise<RunEnd> {
    this.#ending ??= this.#run();
    return this.#ending;
  }

  /** Ends the run: what is under way is cancelled, and that is signed. */
  cancel(why = "the run was cancelled"): void {
    this.#cancelling.abort(new FailureError("cancelled", why));
  }

  /** Leaves the run to others: nothing more is given out or signed here. */
  stop(why = "this coordinator stopped"): void {
    const reason = new FailureError("cancelled", why);
    this.#stopping.abort(reason);
    this.#cancelling.abort(reason);
  }

  /** Receipts from peers or a mailbox. @returns why those were refused that were */
  async learn(steps: readonly Uint8Array[]): Promise<readonly FailureError[]> {
    return this.#core.learn(steps);
  }

  /** From now on this coordinator gives out everything itself: the other fell silent. */
  takeOver(): void {
    this.#core.takeOver();
  }

  /** What somebody else needs to check the run as far as it has come. */
  record(): RunRecord {
    const { run, planBytes, params } = this.#options;
    return {
      v: 1,
      run: run.envelope,
      holders: run.holdersEnvelope === undefined ? [] : [run.holdersEnvelope],
      plan: planBytes,
      params: Object.entries(params).map(([name, bytes]) => ({ name, bytes })),
      steps: this.state.sorted().map(({ envelope }) => envelope),
      values: this.#core.memory.recorded(this.#resultCid),
    };
  }

  async #run(): Promise<RunEnd> {
    const core = this.#core;
    core.emit({
      kind: "started",
      run: core.run,
      nodes: core.nodes.size,
      costBound: this.#options.costBound ?? this.#options.run.body.budget,
    });
    await core.learn(this.#options.steps ?? []);
    const closed = core.settled({ node: WHOLE_RUN, iteration: "" }, this.#options.run.body.params);
    const over = closed === undefined ? await this.#carryOut() : await core.closedBy(closed);
    this.#resultCid = over.result?.cid;
    core.emit({
      kind: "over",
      ...(over.failure === undefined ? {} : { failure: over.failure }),
      ...(over.result === undefined ? {} : { result: over.result }),
    });
    return over;
  }

  async #carryOut(): Promise<RunEnd> {
    const core = this.#core;
    const stopped = whenAborted(this.#stopping.signal);
    const clock = new AbortController();
    const end = this.#untilOver(clock.signal);
    end.catch(() => undefined);
    try {
      return await this.#close(await Promise.race([end, stopped]));
    } catch (error) {
      this.#stopping.signal.throwIfAborted();
      if (!(error instanceof FailureError)) {
        // A bug must not leave peers at work.
        this.#stopping.abort(error);
        throw error;
      }
      const failure: NodeFailure = { node: WHOLE_RUN, iteration: "", code: error.code, detail: error.detail };
      return await this.#close({ kind: "failed", failure, tail: [] });
    } finally {
      clock.abort(OVER);
      core.quit();
    }
  }

  /** The plan's own graph, and its last moment. */
  async #untilOver(clock: AbortSignal): Promise<GraphEnd> {
    const core = this.#core;
    const { body } = this.#options.run;
    const left = Math.max(0, body.notAfter - core.ports.now());
    core.ports
      .pause(left, clock)
      .then(() => this.#cancelling.abort(new FailureError("expired", "the run's time is over")))
      .catch(() => undefined);
    const end = await core.graph({
      graph: this.#options.plan.graph,
      iteration: "",
      params: this.#params(),
      signal: this.#cancelling.signal,
    });
    if (end.kind === "done") await core.bring(end.value);
    return end;
  }

  #params(): ReadonlyMap<string, Known> {
    const { plan, params } = this.#options;
    const known = new Map<string, Known>();
    for (const [name, type] of Object.entries(plan.graph.params)) {
      const bytes = params[name];
      if (bytes === undefined) throw new FailureError("malformed", `the parameter ${name} is not given`);
      const ref = { ...this.#core.ports.keepValue(bytes), bytes };
      known.set(name, { ref, type, parents: [], by: [] });
    }
    return known;
  }

  async #close(end: GraphEnd): Promise<RunEnd> {
    const core = this.#core;
    const base = { args: this.#options.run.body.params, parents: end.tail };
    const key = { node: WHOLE_RUN, iteration: "" };
    if (end.kind === "done") {
      const bytes = await core.memory.bytesOf(end.value);
      const receipt = await core.settle(key, { ...base, status: "done", result: end.value });
      return { receipt: receipt.id, result: { ...end.value.ref, bytes } };
    }
    const { code, detail } = end.failure;
    const receipt = await core.settle(key, {
      ...base,
      status: "failed",
      code,
      detail: clipText(detail, 500),
    });
    return { receipt: receipt.id, failure: failureOf(end.failure, this.spent) };
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  promise.catch(() => undefined);
  return promise;
}
