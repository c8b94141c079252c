import type { Plan } from "../../plan/plan.ts";
import type { RunRecord } from "../../plan/run-record.ts";
import type { RunEvent, RunnerPorts, StepEnd, StepOrder } from "../../plan/runner-ports.ts";
import type { RunEnd } from "../../plan/runner/runner-options.ts";
import { Runner } from "../../plan/runner/runner.ts";
import type { OpenRun } from "../../plan/state/open-run.ts";
import { readValue } from "../../plan/values.ts";
import type { Cid } from "../../protocol/cid.ts";
import { seal } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { header } from "../../protocol/header.ts";
import { MAX_TASK_BYTES } from "../../protocol/limits.ts";
import { type RunEnd as EndBody, runEndMessage, stepMessage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { microCredits } from "../../protocol/units.ts";
import { pause } from "../pause.ts";
import {
  type PlanResult,
  type PlanRun,
  PlanRunError,
  type PlanRunOptions,
  type PlanRunSummary,
} from "../plan-run.ts";
import { RunEvents } from "./run-events.ts";
import { type AtRelayParts, performAtRelay } from "./at-relay.ts";
import { isHere, performHere } from "./perform-here.ts";
import type { RunGround } from "./run-ground.ts";
import { RunMailbox } from "./run-mailbox.ts";
import { outcomeOf } from "./run-outcome.ts";
import { type ParamBytes, resultType } from "./run-params.ts";
import { RunPerformer } from "./run-performer.ts";
import { RunValues } from "./run-values.ts";

export interface LiveRunOptions {
  readonly ground: RunGround;
  readonly run: OpenRun;
  readonly plan: Plan;
  readonly planBytes: Uint8Array;
  readonly params: ParamBytes;
  readonly options: PlanRunOptions;
  /** Receipts that are there already. */
  readonly steps?: readonly Uint8Array[];
  readonly attemptsFrom?: number;
  /** Of the budget, where it has been drawn on before: what is left, and what is spent, micro-credits. */
  readonly left?: bigint;
  readonly spentBefore?: bigint;
  readonly turnsFrom?: (node: string) => number;
}

/** One run of a plan that this program coordinates. */
export class LiveRun implements PlanRun {
  readonly id: Cid;
  readonly plan: Plan;
  readonly summary: Promise<PlanRunSummary>;
  readonly #parts: LiveRunOptions;
  readonly #runner: Runner;
  readonly #values: RunValues;
  readonly #performer: RunPerformer;
  readonly #mailbox: RunMailbox;
  readonly #events = new RunEvents();
  /** How each step ended, by node and iteration: the last receipt of it counts. */
  readonly #ended = new Map<string, "done" | "failed" | "skipped">();
  #lost = 0;
  readonly #providers = new Set<PeerId>();
  readonly #end: Promise<RunEnd>;
  readonly #startedAt: number;
  readonly #stopServing: () => void;

  constructor(parts: LiveRunOptions) {
    const { ground, run, plan, planBytes, params, options, steps, attemptsFrom } = parts;
    this.#parts = parts;
    this.id = run.id;
    this.plan = plan;
    this.#startedAt = performance.now();
    this.#values = new RunValues({
      mesh: ground.mesh,
      relay: ground.relay,
      now: ground.now,
      fromRelay: async (cid, maxBytes, signal) =>
        ground.client.runValue(run.id, await this.#mailbox.access(), cid, maxBytes, signal),
    });
    this.#mailbox = new RunMailbox({
      run: run.id,
      client: ground.client,
      info: ground.info,
      signer: ground.signer,
      now: ground.now,
      since: (place, most) => this.#runner.state.since(place, most).map(({ envelope }) => envelope),
    });
    this.#performer = new RunPerformer({
      ...options,
      run: run.id,
      payer: run.body.payer,
      budget: parts.left ?? run.body.budget,
      values: this.#values,
      ports: ground.performer,
      ...(parts.turnsFrom === undefined ? {} : { turnsFrom: parts.turnsFrom }),
      onNote: (text) => this.#tell({ kind: "note", text }),
    });
    this.#runner = new Runner(
      {
        run,
        plan,
        planBytes,
        params,
        self: ground.root,
        verify: ground.verify,
        relay: ground.info.peer,
        onEvent: (event) => this.#tell(event),
        ...(steps === undefined ? {} : { steps }),
        ...(attemptsFrom === undefined ? {} : { attemptsFrom }),
        ...(options.hedgeAfterMs === undefined ? {} : { hedgeAfterMs: options.hedgeAfterMs }),
      },
      this.#ports(),
    );
    this.#stopServing = ground.serve((cid) => this.#values.find(cid));
    options.signal?.addEventListener("abort", () => this.cancel(), { once: true });
    this.#end = this.#runner.start();
    this.#end.catch(() => undefined);
    this.summary = this.#carry();
    if (options.signal?.aborted === true) this.cancel();
  }

  get events(): AsyncIterable<RunEvent> {
    return this.#events;
  }

  [Symbol.asyncIterator](): AsyncIterator<RunEvent> {
    return this.#events[Symbol.asyncIterator]();
  }

  async result(): Promise<PlanResult> {
    const { result, failure } = await this.#end;
    if (failure !== undefined) throw new PlanRunError(failure);
    if (result?.bytes === undefined) throw new FailureError("relay-fault", "the run ended without a value");
    const { cid, bytes } = result;
    return { cid, bytes, value: readValue(resultType(this.plan), bytes) };
  }

  record(): RunRecord {
    return this.#runner.record();
  }

  value(cid: Cid, signal: AbortSignal = new AbortController().signal): Promise<Uint8Array> {
    const makers = this.#runner.state.sorted().filter(({ step }) => step.result === cid);
    const size = makers[0]?.step.size ?? MAX_TASK_BYTES;
    return this.#values.fetch({ cid, size, holders: makers.map(({ key }) => key) }, signal);
  }

  /** A run-access envelope. */
  access(): Promise<Uint8Array> {
    return this.#mailbox.access();
  }

  cancel(): void {
    this.#runner.cancel();
  }

  #atRelay(): AtRelayParts {
    const { ground, options } = this.#parts;
    const { secrets } = options;
    return { ground, run: this.id, values: this.#values, ...(secrets === undefined ? {} : { secrets }) };
  }

  /** Coordinators before have given back so much of the budget, micro-credits. */
  addBudget(freed: bigint): void {
    this.#performer.addBudget(freed);
  }

  async leave(): Promise<void> {
    this.#runner.stop("its coordinator left the run to others");
    await this.summary;
  }

  #perform(order: StepOrder, signal: AbortSignal): Promise<StepEnd> {
    if (order.place.at === "relay") return performAtRelay(order, this.#atRelay(), signal);
    if (!isHere(order)) return this.#performer.perform(order, signal);
    const { ground, run, options } = this.#parts;
    const { initiator } = run.body;
    const here = { run: run.id, initiator, ground, values: this.#values, compute: options.compute };
    return performHere(order, here, signal);
  }

  #ports(): RunnerPorts {
    const { signer, now } = this.#parts.ground;
    return {
      perform: (order: StepOrder, signal) => this.#perform(order, signal),
      fetchValue: (value, signal) => this.#values.fetch(value, signal),
      keepValue: (bytes) => this.#values.keep(bytes),
      signStep: (step) => seal(stepMessage, step, [signer]),
      pause,
      now,
    };
  }

  #tell(event: RunEvent): void {
    if (event.kind === "lost") this.#lost += 1;
    if (event.kind === "ended") {
      this.#mailbox.bringSoon();
      this.#ended.set(`${event.node} ${event.iteration}`, event.status);
      if (event.peer !== this.#parts.ground.root) this.#providers.add(event.peer);
    }
    this.#events.tell(event);
    this.#parts.options.onEvent?.(event);
  }

  async #carry(): Promise<PlanRunSummary> {
    this.#mailbox.start();
    let end: RunEnd | undefined;
    try {
      end = await this.#end;
    } catch (error) {
      this.#tell({ kind: "note", text: error instanceof Error ? error.message : String(error) });
    }
    await this.#performer.close(end?.result === undefined ? "cancel" : "end");
    await this.#leave(end).catch(() => undefined);
    this.#stopServing();
    this.#events.end();
    const { run } = this.#parts;
    return {
      run: run.id,
      done: this.#count("done"),
      failed: this.#count("failed"),
      skipped: this.#count("skipped"),
      lost: this.#lost,
      providers: [...this.#providers],
      jobs: this.#performer.jobs,
      spent: microCredits(this.#performer.spent + (this.#parts.spentBefore ?? 0n)),
      budget: run.body.budget,
      elapsedMs: performance.now() - this.#startedAt,
      ...(end?.failure === undefined ? {} : { failure: end.failure }),
    };
  }

  #count(status: "done" | "failed" | "skipped"): number {
    let count = 0;
    for (const each of this.#ended.values()) if (each === status) count += 1;
    return count;
  }

  /** Leaves receipts and result at the relay, and says that the run is over. */
  async #leave(end: RunEnd | undefined): Promise<void> {
    const { ground, run } = this.#parts;
    await this.#mailbox.stop({ leaving: end === undefined });
    if (end === undefined) return;
    const { result, failure } = end;
    const { client, info, signer } = ground;
    if (result?.bytes !== undefined)
      await client
        .putRunValue(run.id, await this.#mailbox.access(), result.cid, result.bytes)
        .catch(() => undefined);
    const body: EndBody = {
      ...header(info.origin, info.asset),
      run: run.id,
      ...outcomeOf(result?.cid, failure),
    };
    await client.endRun(run.id, await seal(runEndMessage, body, [signer]));
  }
}
