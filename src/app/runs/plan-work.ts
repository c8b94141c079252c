import { type ReadonlySignal, signal } from "@preact/signals";
import type { Plan } from "../../plan/plan.ts";
import type { RunEvent, RunFailure } from "../../plan/runner-ports.ts";
import type { Cid } from "../../protocol/cid.ts";
import { type Failure, FailureError } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { PlanResult, PlanRun, PlanRunSummary } from "../../sdk/index.ts";
import { RunProgress } from "./run-progress.ts";

/** How a run that this page coordinates stands. */
export type RunPhase =
  | { readonly kind: "starting" }
  | { readonly kind: "running" }
  /** Its result is here; its jobs may still be settling. */
  | { readonly kind: "done"; readonly result: PlanResult }
  | { readonly kind: "failed"; readonly failure: Failure; readonly run?: RunFailure };

/** Something that happened on the way. */
export interface RunNote {
  /** Milliseconds since the start. */
  readonly at: number;
  readonly text: string;
}

/** The page is drawn anew that often at most, milliseconds: a run may have thousands of steps a second. */
const TELL_MS = 100;
const MOST_NOTES = 200;

/** One run under way, or what became of it. Lives on while the person looks at other pages. */
export class PlanWork {
  readonly plan: Plan;
  readonly progress: RunProgress = new RunProgress();
  /** Root identity of this page, which evaluates what is no work for others. */
  readonly self: { value: PeerId | undefined } = signal<PeerId | undefined>(undefined);
  /** It began before this page took it up: how long it took is not known here. */
  readonly isResumed: boolean;
  readonly #phase = signal<RunPhase>({ kind: "starting" });
  readonly #summary = signal<PlanRunSummary | undefined>(undefined);
  readonly #run = signal<PlanRun | undefined>(undefined);
  readonly #notes = signal<readonly RunNote[]>([]);
  readonly #changes = signal(0);
  readonly #isCancelled = signal(false);
  readonly #began: number = performance.now();
  #endedAt: number | undefined;
  #telling: ReturnType<typeof setTimeout> | undefined;

  constructor(plan: Plan, { isResumed }: { readonly isResumed: boolean }) {
    this.plan = plan;
    this.isResumed = isResumed;
  }

  get phase(): ReadonlySignal<RunPhase> {
    return this.#phase;
  }

  /** Present once all its jobs are settled. */
  get summary(): ReadonlySignal<PlanRunSummary | undefined> {
    return this.#summary;
  }

  /** Present once it is signed. */
  get run(): ReadonlySignal<PlanRun | undefined> {
    return this.#run;
  }

  /** Oldest first. */
  get notes(): ReadonlySignal<readonly RunNote[]> {
    return this.#notes;
  }

  /** Grows when there is something new in `progress`. */
  get changes(): ReadonlySignal<number> {
    return this.#changes;
  }

  get isCancelled(): ReadonlySignal<boolean> {
    return this.#isCancelled;
  }

  get id(): Cid | undefined {
    return this.#run.value?.id;
  }

  /** Neither is its result there, nor is it known that there will be none. */
  get isRunning(): boolean {
    return this.#phase.value.kind === "starting" || this.#phase.value.kind === "running";
  }

  /** Milliseconds from the start until now or its end. */
  elapsedMs(): number {
    return (this.#endedAt ?? performance.now()) - this.#began;
  }

  /** Carries the run out. Never rejects for what is expected. @param begin signs it and begins */
  async carry(begin: () => Promise<PlanRun>): Promise<void> {
    try {
      const run = await begin();
      this.#run.value = run;
      if (this.#isCancelled.value) run.cancel();
      this.#phase.value = { kind: "running" };
      const following = this.#follow(run);
      const result = await run.result();
      await following;
      this.#end({ kind: "done", result });
    } catch (error) {
      this.#end(failedPhase(error));
    }
    this.#summary.value = await this.#run.value?.summary;
  }

  cancel(): void {
    if (!this.isRunning || this.#isCancelled.value) return;
    this.#isCancelled.value = true;
    this.#note("You cancelled the run.");
    this.#run.value?.cancel();
  }

  async #follow(run: PlanRun): Promise<void> {
    for await (const event of run.events) this.#take(event);
  }

  #take(event: RunEvent): void {
    this.progress.take(event);
    if (event.kind === "note") this.#note(event.text);
    if (event.kind === "lost") this.#note(`${event.node}: ${event.detail}; given to somebody else`);
    this.#telling ??= setTimeout(() => this.#tell(), TELL_MS);
  }

  #tell(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    this.#changes.value += 1;
  }

  #note(text: string): void {
    this.#notes.value = [...this.#notes.value, { at: this.elapsedMs(), text }].slice(-MOST_NOTES);
  }

  #end(phase: RunPhase): void {
    this.#endedAt = performance.now();
    this.#tell();
    this.#phase.value = phase;
  }
}

/** What is not in the vocabulary is told as what it is: a fault of the connection or of this page. */
function failedPhase(error: unknown): RunPhase {
  if (error instanceof FailureError)
    return { kind: "failed", failure: error.toFailure(), ...("failure" in error ? runFailure(error) : {}) };
  const detail = error instanceof Error ? error.message : String(error);
  const name = error instanceof TypeError ? "disconnected" : "relay-fault";
  return { kind: "failed", failure: new FailureError(name, detail).toFailure() };
}

function runFailure(error: FailureError): { readonly run: RunFailure } | Record<string, never> {
  return isPlanRunError(error) ? { run: error.failure } : {};
}

function isPlanRunError(error: FailureError): error is FailureError & { readonly failure: RunFailure } {
  return (
    "failure" in error &&
    typeof error.failure === "object" &&
    error.failure !== null &&
    "node" in error.failure
  );
}
