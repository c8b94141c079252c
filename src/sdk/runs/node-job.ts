import type { StepOrder } from "../../plan/runner-ports.ts";
import { type Cid, cidOf, RAW } from "../../protocol/cid.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import type { JobSummary } from "../job-options.ts";
import type { JobRun } from "../job-run.ts";
import { IDLE_JOB_MS } from "../limits.ts";
import { stepContent } from "../make-step-job.ts";
import type { StepAnswer, StepWatch } from "../step-watch.ts";
import type { StepInput, WorkItem } from "../work-queue.ts";
import { StepSource } from "./step-source.ts";
import type { TextSteps } from "./text-steps.ts";

/** A step that was given to a job and has not come back. */
interface Given {
  readonly input: StepInput;
  readonly answered: PromiseWithResolvers<readonly StepAnswer[]>;
  /** Ends it at the provider that has it. */
  stop: (() => void) | undefined;
  isUnwanted: boolean;
}

/** One job of a run: the steps of one node at one place, given out as they become ready. */
export class NodeJob implements StepWatch {
  readonly source: StepSource = new StepSource();
  readonly #expected: number;
  readonly #mostTasks: number;
  readonly texts: TextSteps | undefined;
  readonly #given = new Map<StepInput["step"], Given>();
  #run: JobRun | undefined;
  #count = 0;
  #ending = false;
  #idle: ReturnType<typeof setTimeout> | undefined;

  /** @param expected steps of this node at most @param mostTasks tasks that the job has room for @param texts of a model that writes */
  constructor(expected: number, mostTasks: number, texts?: TextSteps) {
    this.texts = texts;
    this.#expected = expected;
    this.#mostTasks = mostTasks;
  }

  /** The job is under way. */
  begin(run: JobRun): void {
    this.#run = run;
    void this.#failRest(run.summary);
  }

  get job(): Cid | undefined {
    return this.#run?.job;
  }

  /** Whether another step may be given to it. */
  get hasRoom(): boolean {
    return !this.#ending && this.#count < this.#mostTasks;
  }

  get isIdle(): boolean {
    return this.#given.size === 0;
  }

  /** Has a step carried out. @throws FailureError where nobody has signed for it; the signal's reason */
  async give(input: StepInput, signal: AbortSignal): Promise<readonly StepAnswer[]> {
    clearTimeout(this.#idle);
    this.#count += 1;
    const given: Given = { input, answered: Promise.withResolvers(), stop: undefined, isUnwanted: false };
    given.answered.promise.catch(() => undefined);
    this.#given.set(input.step, given);
    const abort = (): void => this.#abort(given, signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.source.push(input);
    try {
      signal.throwIfAborted();
      return await given.answered.promise;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#rest();
    }
  }

  /** Takes no more steps, and ends when those under way have. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    clearTimeout(this.#idle);
    this.source.end();
  }

  /** Cancels what is under way. */
  cancel(): void {
    this.end();
    this.#run?.cancel();
  }

  given(item: WorkItem, stop: () => void): void {
    const given = this.#of(item);
    if (given === undefined) return;
    given.stop = stop;
    if (given.isUnwanted) stop();
  }

  ended(item: WorkItem, answers: readonly StepAnswer[]): void {
    const given = this.#take(item);
    try {
      given?.answered.resolve(this.texts === undefined ? answers : withText(this.texts, item, answers));
    } catch (error) {
      given?.answered.reject(error);
    }
  }

  lost(item: WorkItem, failure: FailureError): void {
    this.#take(item)?.answered.reject(failure);
  }

  #abort(given: Given, reason: unknown): void {
    given.isUnwanted = true;
    given.answered.reject(reason);
    if (this.source.drop(given.input)) this.#given.delete(given.input.step);
    given.stop?.();
  }

  #of({ step }: WorkItem): Given | undefined {
    return step === undefined ? undefined : this.#given.get(step);
  }

  #take(item: WorkItem): Given | undefined {
    const given = this.#of(item);
    if (item.step !== undefined) this.#given.delete(item.step);
    return given;
  }

  /** Nothing is under way: it ends at once where no other step is expected, else soon, for its providers are kept from others. */
  #rest(): void {
    if (!this.isIdle || this.#ending) return;
    clearTimeout(this.#idle);
    if (this.#count >= this.#expected) this.end();
    else this.#idle = setTimeout(() => this.end(), IDLE_JOB_MS);
  }

  /** A job that is over has nothing more to say of the steps it was given. */
  async #failRest(summary: Promise<JobSummary>): Promise<void> {
    let failure = new FailureError("disconnected", "the job ended before the step was carried out");
    try {
      await summary;
    } catch (error) {
      if (error instanceof FailureError) failure = passing(error);
    }
    this.end();
    for (const { answered } of this.#given.values()) answered.reject(failure);
    this.#given.clear();
  }
}

/** Money that is bound elsewhere for a moment: what the run may cost in all was reckoned with before the job was made. */
function passing(failure: FailureError): FailureError {
  return failure.code === failureCode("insufficient-funds")
    ? new FailureError("no-provider", `the budget is bound elsewhere: ${failure.detail}`, { cause: failure })
    : failure;
}

/** The value of a text that came piece by piece is all of it, and that is what the step is signed for. */
function withText(texts: TextSteps, item: WorkItem, answers: readonly StepAnswer[]): readonly StepAnswer[] {
  const output = encodeUtf8(texts.textOf(item.index));
  return answers.map((each) => {
    if (each.answer.kind !== "done") return each;
    if (cidOf(RAW, output) !== each.answer.step?.body.result)
      throw new FailureError("content-mismatch", "the text is not the one that the step is signed for");
    return { ...each, answer: { ...each.answer, output } };
  });
}

/** Which job of a run a step belongs to: one for each node, and for each callee and place that differs from step to step. */
export function jobKey({
  node,
  what,
  place,
  peers,
}: Pick<StepOrder, "node" | "what" | "place" | "peers">): string {
  const { callee } = stepContent(what);
  const isPlaced = place.at === "with" || (place.at === "any" && place.apartFrom !== undefined);
  return [node, callee, ...(isPlaced ? peers.toSorted() : [])].join(" ");
}
