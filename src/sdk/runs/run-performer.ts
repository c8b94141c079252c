import {
  MAX_INLINE_BYTES,
  MAX_RUN_HOLDERS,
  MAX_TASK_BYTES,
  MAX_TASKS_PER_JOB,
} from "../../protocol/limits.ts";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Capability } from "../../plan/plan.ts";
import type { StepEnd, StepOrder, ValueRef } from "../../plan/runner-ports.ts";
import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { isStreamed, type RunStep } from "../../protocol/messages/job.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { signedBytes } from "../../protocol/signature.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { microCredits } from "../../protocol/units.ts";
import type { JobOptions } from "../job-options.ts";
import type { JobRun } from "../job-run.ts";
import type { JobRunOptions } from "../job-run-options.ts";
import { STEP_PARALLEL, TASKS_PER_STEP } from "../limits.ts";
import { forecastCap, type JobGround, type MadeJob } from "../make-job.ts";
import { makeStepJob, stepContent, type StepPlace } from "../make-step-job.ts";
import type { PlanRunOptions } from "../plan-run.ts";
import type { StepAnswer } from "../step-watch.ts";
import type { StepInput } from "../work-queue.ts";
import { checkEffect } from "./check-effect.ts";
import { jobKey, NodeJob } from "./node-job.ts";
import { placeOf, type PlacePorts } from "./place-of.ts";
import { RunBudget, type Share } from "./run-budget.ts";
import type { RunValues } from "./run-values.ts";
import { TextSteps } from "./text-steps.ts";

/** What steps of a run need from the requester around them. */
export interface PerformerPorts extends PlacePorts {
  /** Key and randomness of the next job; who pays is the run's payer. */
  ground(): Omit<JobGround, "largestInput" | "available" | "apiKey">;
  /** What a job that broke off has of the run's budget, micro-credits: nothing where the relay never took it. @throws FailureError */
  charged(job: Cid): Promise<bigint>;
  /** Begins to carry a job out. */
  start(
    parts: Pick<JobRunOptions, "inputs" | "steps" | "options" | "watch"> & { readonly job: MadeJob },
  ): JobRun;
}

export interface PerformerOptions extends Pick<
  PlanRunOptions,
  "tariffMax" | "noProviderTimeoutMs" | "providers" | "secrets"
> {
  readonly run: Cid;
  readonly payer: PeerId;
  readonly budget: bigint;
  readonly values: RunValues;
  readonly ports: PerformerPorts;
  /** First turn of the jobs of a node that nobody has used: another coordinator may have had some. */
  readonly turnsFrom?: (node: string) => number;
  /** Something that a person may want to know. */
  readonly onNote: (text: string) => void;
}

/** One job, and what it was made for. */
interface Opened {
  readonly work: NodeJob;
  /** Bytes of the largest input that its caps were reckoned with. */
  readonly largest: number;
  readonly ready: Promise<void>;
}

/** Least input that a job is reckoned with, bytes: the next step's may be larger than the first one's. */
const LEAST_INPUT_BYTES: number = 64 * 1024;

/** Carries out steps by jobs: one for each node, whose tasks are the node's iterations. */
export class RunPerformer {
  readonly #options: PerformerOptions;
  readonly #budget: RunBudget;
  readonly #jobs = new Map<string, Opened>();
  readonly #turns = new Map<string, number>();
  readonly #all = new Set<NodeJob>();
  readonly #settling = new Set<Promise<void>>();
  readonly #cids: Cid[] = [];

  constructor(options: PerformerOptions) {
    this.#options = options;
    this.#budget = new RunBudget(options.budget);
  }

  /** Jobs that were opened. */
  get jobs(): readonly Cid[] {
    return this.#cids;
  }

  /** Micro-credits that settled jobs have cost. */
  get spent(): bigint {
    return this.#budget.spent;
  }

  /** Coordinators before have given back so much of the budget, micro-credits. */
  addBudget(freed: bigint): void {
    this.#budget.add(freed);
  }

  /** One attempt at a step, at one provider or at several that are compared. See RunnerPorts. */
  async perform(order: StepOrder, signal: AbortSignal): Promise<StepEnd> {
    const input = await this.#input(order, signal);
    const job = await this.#jobFor(order, signal);
    const answers = await job.give(input, signal);
    if (order.what.kind === "effect") await this.#checkEffects(order, answers, signal);
    this.#options.values.wasTaken(order.input.cid);
    return this.#endOf(order, answers);
  }

  /** Ends all jobs, when the steps under way have ended or at once. Resolves when they are settled. */
  async close(how: "end" | "cancel"): Promise<void> {
    const settled = this.#options.values.settleHeld();
    for (const job of this.#all)
      if (how === "cancel") job.cancel();
      else job.end();
    await settled;
    while (this.#settling.size > 0)
      // oxlint-disable-next-line no-await-in-loop -- one that is just being opened follows
      await Promise.all(this.#settling);
  }

  /** Where peers hold it they give it to each other; what is small, or is here alone, goes along. */
  async #input(
    { iteration, attempt, parents, hold, input, node }: StepOrder,
    signal: AbortSignal,
  ): Promise<StepInput> {
    const { run, values } = this.#options;
    const { cid, size } = input;
    // Bytes in a later attempt are there because those who hold it could not be reached.
    const isHere = input.bytes !== undefined && (size <= MAX_INLINE_BYTES || attempt % 1_000 > 0);
    const from = isHere || size <= MAX_INLINE_BYTES ? [] : input.holders.slice(0, MAX_RUN_HOLDERS);
    const bytes = from.length > 0 ? new Uint8Array() : await values.fetch(input, signal);
    return {
      cid,
      size,
      bytes,
      seed: stepSeed(run, node, iteration),
      step: { iteration, attempt, parents, from, hold },
    };
  }

  async #jobFor(order: StepOrder, signal: AbortSignal): Promise<NodeJob> {
    const key = jobKey(order);
    for (;;) {
      const known = this.#jobs.get(key);
      if (known !== undefined && known.work.hasRoom && known.largest >= order.input.size) {
        // oxlint-disable-next-line no-await-in-loop -- it may be full by the time it is open
        await known.ready;
        if (known.work.hasRoom) return known.work;
      } else {
        const opened = this.#open(key, order, signal);
        this.#jobs.set(key, opened);
        // oxlint-disable-next-line no-await-in-loop
        await opened.ready;
        return opened.work;
      }
    }
  }

  #open(key: string, order: StepOrder, signal: AbortSignal): Opened {
    const steps = Math.max(1, order.expected);
    const maxTasks = Math.min(MAX_TASKS_PER_JOB, steps * TASKS_PER_STEP);
    const texts = isStreamed(stepContent(order.what).work) ? new TextSteps() : undefined;
    const work = new NodeJob(steps, maxTasks, texts);
    const largest = Math.min(MAX_TASK_BYTES, Math.max(LEAST_INPUT_BYTES, 2 * order.input.size));
    const ready = this.#begin(work, order, { steps, maxTasks, largest }, signal);
    ready.catch(() => {
      if (this.#jobs.get(key)?.work === work) this.#jobs.delete(key);
    });
    return { work, largest, ready };
  }

  async #begin(
    work: NodeJob,
    order: StepOrder,
    {
      steps,
      maxTasks,
      largest,
    }: { readonly steps: number; readonly maxTasks: number; readonly largest: number },
    signal: AbortSignal,
  ): Promise<void> {
    const place = await placeOf(order, this.#options, this.#options.ports, signal);
    const replicas = order.provenance.check === "quorum" ? order.provenance.n : 1;
    const wanted = place.only === undefined ? STEP_PARALLEL : Math.max(place.only.length, replicas);
    const parallel = Math.min(steps * replicas, wanted);
    const share = await this.#share(order, { steps, parallel, replicas, largest }, signal);
    let run: JobRun;
    try {
      const turn = this.#nextTurn(order.node);
      const made = await this.#make(order, place, { turn, maxTasks, parallel, replicas, largest, share });
      run = this.#start(work, order, made);
    } catch (error) {
      share.end(0n);
      throw error;
    }
    work.begin(run);
    this.#all.add(work);
    this.#cids.push(run.job);
    const settled = this.#settle(work, run, share);
    this.#settling.add(settled);
    void settled.then(() => this.#settling.delete(settled));
  }

  #share(
    { limits }: StepOrder,
    need: {
      readonly steps: number;
      readonly parallel: number;
      readonly replicas: number;
      readonly largest: number;
    },
    signal: AbortSignal,
  ): Promise<Share> {
    const { tariffMax, ports } = this.#options;
    const bounds: JobOptions = {
      fuel: limits.fuel,
      memoryBytes: limits.memory,
      outputBytes: limits.output,
      ...(tariffMax === undefined ? {} : { tariffMax }),
    };
    const { info } = ports.ground();
    const { mostOfOne, leaseFee } = forecastCap(bounds, {
      info,
      available: undefined,
      largestInput: need.largest,
    });
    return this.#budget.share({ ...need, mostOfOne, leaseFee }, () => this.#endIdle(), signal);
  }

  /** @returns whether some job ends now */
  #endIdle(): boolean {
    const idle = [...this.#all].filter((job) => job.isIdle);
    for (const job of idle) job.end();
    return idle.length > 0;
  }

  #nextTurn(node: string): number {
    const turn = this.#turns.get(node) ?? this.#options.turnsFrom?.(node) ?? 0;
    this.#turns.set(node, turn + 1);
    return turn;
  }

  /** @throws FailureError `effect-refused` for one that the run was not given */
  #secretsOf({ secrets: names }: Capability): Readonly<Record<string, string>> {
    const { secrets = {} } = this.#options;
    const named = new Map(Object.entries(secrets));
    return Object.fromEntries(
      names.map((name): [string, string] => {
        const secret = named.get(name);
        if (secret === undefined)
          throw new FailureError("effect-refused", `the run was given no secret ${name}`);
        return [name, secret];
      }),
    );
  }

  async #make(
    order: StepOrder,
    place: StepPlace,
    parts: {
      readonly turn: number;
      readonly maxTasks: number;
      readonly parallel: number;
      readonly replicas: number;
      readonly largest: number;
      readonly share: Share;
    },
  ): Promise<MadeJob> {
    const { run: id, payer, ports, tariffMax } = this.#options;
    const { turn, largest, share, ...sizes } = parts;
    const run: RunStep = { id, node: order.node, turn };
    const ground: JobGround = { ...ports.ground(), payer, available: share.cap, largestInput: largest };
    const made = await makeStepJob({ run, order, place, ...sizes, cap: share.cap, tariffMax }, ground);
    const { what } = order;
    return what.kind === "effect" ? { ...made, secrets: this.#secretsOf(what.capability) } : made;
  }

  #start(work: NodeJob, order: StepOrder, job: MadeJob): JobRun {
    const { noProviderTimeoutMs, ports, onNote } = this.#options;
    const accept: JobOptions["accept"] = order.provenance.check === "audited" ? "audited" : "signed";
    let note: string | undefined;
    const options = {
      accept,
      ...(noProviderTimeoutMs === undefined ? {} : { noProviderTimeoutMs }),
      onProgress: (progress: { readonly note?: string }) => {
        if (progress.note === undefined || progress.note === note) return;
        note = progress.note;
        onNote(`${order.node}: ${progress.note}`);
      },
    };
    const parts = { job, inputs: work.source, steps: work, options };
    const { texts } = work;
    return ports.start(texts === undefined ? parts : { ...parts, watch: texts });
  }

  async #settle(work: NodeJob, run: JobRun, share: Share): Promise<void> {
    try {
      const { spent } = await run.summary;
      share.end(spent);
    } catch {
      // Only the relay knows what it has cost then; while it does not say so, it may be all of its cap.
      share.end(await this.#options.ports.charged(run.job).catch(() => share.cap));
    } finally {
      this.#all.delete(work);
    }
  }

  /** @throws FailureError `verification-failed`; of values that stay at their peers nothing is looked at here: audits do */
  async #checkEffects(order: StepOrder, answers: readonly StepAnswer[], signal: AbortSignal): Promise<void> {
    const { run, values } = this.#options;
    const request = await values.fetch(order.input, signal);
    for (const { answer, instance: signer } of answers) {
      const record = answer.step?.record;
      if (answer.kind !== "done" || answer.held !== undefined || record === undefined) continue;
      // oxlint-disable-next-line no-await-in-loop -- one or a few
      await checkEffect(order, run, { signer, request, record, value: answer.output });
    }
  }

  #endOf({ hold }: StepOrder, answers: readonly StepAnswer[]): StepEnd {
    const { values } = this.#options;
    const signed = answers.flatMap(({ answer, instance, price }) =>
      answer.step === undefined ? [] : [{ answer, instance, price, step: answer.step }],
    );
    const [first] = signed;
    if (first === undefined) throw new FailureError("bad-receipt", "nobody has signed for the step");
    const cost = microCredits(signed.reduce((sum, { price }) => sum + price, 0n));
    const receipts = signed.map(({ step }) => step.envelope);
    for (const { step } of signed) if (step.record !== undefined) values.keep(step.record);
    const { result, size } = first.step.body;
    if (result === undefined) return { receipts, cost };
    const alike = signed.filter(({ step }) => step.body.result === result);
    const holders = alike.map(({ instance }) => instance);
    const { answer } = first;
    const value: ValueRef = { cid: result, size, holders };
    if (answer.kind === "done" && answer.held !== undefined) {
      values.hold(value, answer.held);
      return { receipts, cost, value };
    }
    const bytes = answer.kind === "done" ? answer.output : new Uint8Array();
    if (!hold) values.came(result, bytes);
    return { receipts, cost, value: { ...value, bytes } };
  }
}

/** What clock and randomness of a step follow from: the same for every attempt, whoever carries it out. */
export function stepSeed(run: Cid, node: string, iteration: string): Uint8Array {
  return sha256(signedBytes("step-seed", encodeUtf8(`${run} ${node} ${iteration}`)));
}
