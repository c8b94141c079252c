import { type ReadonlySignal, signal } from "@preact/signals";
import type { Cid } from "../../protocol/cid.ts";
import type { FailureCode } from "../../protocol/failure-code.ts";
import { type Failure, FailureError } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { RecentLease } from "../../provider/tab-memory.ts";
import type { TaskResult, Workbench } from "../../provider/workbench.ts";
import type {
  JobHandle,
  JobOptions,
  JobProgress,
  JobSummary,
  LeaseSummary,
  MapResult,
  Tabmesh,
} from "../../sdk/index.ts";
import { type JobInput, readAll, sizesOf } from "./jobs-inputs.ts";
import { type KeptOutput, OutputKeeper } from "./jobs-kept.ts";
import { suffixOf } from "./jobs-output.ts";
import type { TiledPicture } from "./jobs-picture.ts";
import { type FunctionFile, isSame, type Signed, trialOf } from "./jobs-trial.ts";

/** What came back for an input. */
export interface TaskRecord {
  readonly index: number;
  readonly fuel: bigint;
  readonly provider?: PeerId;
  readonly end:
    | {
        readonly kind: "done";
        readonly output: KeptOutput;
        /** What a file of it ends in, by what it seems to be. */
        readonly suffix: string;
        readonly outputCid: Cid;
      }
    | { readonly kind: "failed"; readonly code: FailureCode; readonly detail: string };
}

/** Something that happened on the way. */
export interface JobEvent {
  /** Milliseconds since the start. */
  readonly at: number;
  readonly text: string;
}

/** A task computed again in this tab. */
export type Recomputed =
  | { readonly kind: "running" }
  | { readonly kind: "ended"; readonly same: boolean; readonly result: TaskResult; readonly tookMs: number }
  | { readonly kind: "failed"; readonly detail: string };

export type WorkPhase =
  | { readonly kind: "running" }
  | { readonly kind: "ended"; readonly summary: JobSummary }
  | { readonly kind: "failed"; readonly failure: Failure };

/** What a job is made of. */
export interface WorkOrder {
  /** What the person calls it. */
  readonly name: string;
  readonly file: FunctionFile;
  readonly inputs: readonly JobInput[];
  readonly options: JobOptions;
  /** Where the outputs are tiles. */
  readonly picture?: TiledPicture;
}

/** Inputs up to this are read before the job is signed, so that what it sets aside follows from them. */
const READ_AHEAD_BYTES: number = 64 * 1024 * 1024;
/** Pictures of the page are drawn anew that often at most, milliseconds: a job may have thousands of results a second. */
const TELL_MS = 100;
/** Events that are kept; the oldest go. */
const MOST_EVENTS = 200;

/** One job under way, or what became of it. Lives on while the person looks at other pages. */
export class JobWork {
  readonly order: WorkOrder;
  readonly startedAt: number;
  readonly #phase = signal<WorkPhase>({ kind: "running" });
  readonly #progress = signal<JobProgress | undefined>(undefined);
  readonly #events = signal<readonly JobEvent[]>([]);
  readonly #changes = signal(0);
  readonly #recomputed = signal<ReadonlyMap<number, Recomputed>>(new Map());
  readonly #records = new Map<number, TaskRecord>();
  readonly #keeper = new OutputKeeper();
  readonly #stop = new AbortController();
  readonly #bench: Workbench;
  readonly #began: number = performance.now();
  #failures = 0;
  #handle: JobHandle | undefined;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #endedAt: number | undefined;

  constructor(order: WorkOrder, bench: Workbench, startedAt: number) {
    this.order = order;
    this.#bench = bench;
    this.startedAt = startedAt;
  }

  get phase(): ReadonlySignal<WorkPhase> {
    return this.#phase;
  }

  get progress(): ReadonlySignal<JobProgress | undefined> {
    return this.#progress;
  }

  /** Oldest first. */
  get events(): ReadonlySignal<readonly JobEvent[]> {
    return this.#events;
  }

  /** Grows when there are new records. */
  get changes(): ReadonlySignal<number> {
    return this.#changes;
  }

  get recomputed(): ReadonlySignal<ReadonlyMap<number, Recomputed>> {
    return this.#recomputed;
  }

  /** Of inputs that are served. */
  get records(): ReadonlyMap<number, TaskRecord> {
    return this.#records;
  }

  /** How many of them failed. */
  get failures(): number {
    return this.#failures;
  }

  get job(): Cid | undefined {
    return this.#handle?.job;
  }

  /** The person has asked for its end. */
  get isCancelled(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Milliseconds from the start until now or its end. */
  elapsedMs(): number {
    return (this.#endedAt ?? performance.now()) - this.#began;
  }

  /** Carries the job out. Never rejects for what is expected. @param onJob told once the job is signed */
  async carry(connect: () => Promise<Tabmesh>, onJob: () => void): Promise<void> {
    try {
      const tabmesh = await connect();
      this.#stop.signal.throwIfAborted();
      const handle = await this.#open(tabmesh);
      this.#handle = handle;
      onJob();
      await this.#collect(handle);
      this.#end({ kind: "ended", summary: await handle.summary });
    } catch (error) {
      this.#end({ kind: "failed", failure: failureOf(error) });
    }
  }

  cancel(): void {
    if (this.#phase.value.kind !== "running" || this.isCancelled) return;
    this.#stop.abort(new FailureError("cancelled", "the job was cancelled"));
    this.#note("You cancelled the job.");
  }

  /** Computes a task again in this tab: its log, and whether the provider told the truth. */
  async recompute(index: number): Promise<void> {
    const record = this.#records.get(index);
    const input = this.order.inputs[index];
    const handle = this.#handle;
    if (record === undefined || input === undefined || handle === undefined) return;
    this.#putRecomputed(index, { kind: "running" });
    try {
      const { file, options } = this.order;
      const trial = trialOf(file, options, await input.read(), handle.seed(index));
      const { result, tookMs } = await this.#bench.run(trial, new AbortController().signal);
      this.#putRecomputed(index, { kind: "ended", same: isSame(result, signedOf(record)), result, tookMs });
    } catch (error) {
      this.#putRecomputed(index, { kind: "failed", detail: error instanceof Error ? error.message : "" });
    }
  }

  async #open(tabmesh: Tabmesh): Promise<JobHandle> {
    const { file, inputs, options } = this.order;
    const isSmall = sizesOf(inputs).total <= READ_AHEAD_BYTES;
    const given = isSmall ? await Promise.all(inputs.map((input) => input.read())) : readAll(inputs);
    return tabmesh.map(file.module, given, {
      ...options,
      maxTasks: inputs.length,
      signal: this.#stop.signal,
      onProgress: (progress) => this.#follow(progress),
    });
  }

  async #collect(handle: JobHandle): Promise<void> {
    try {
      for await (const result of handle) this.#take(result);
    } catch (error) {
      // A job that is cancelled has a summary all the same.
      if (!this.isCancelled) throw error;
    }
  }

  #take(result: MapResult): void {
    const { index, fuel, provider } = result;
    const from = provider === undefined ? {} : { provider };
    if (result.kind === "done") {
      const { output, outputCid } = result;
      this.order.picture?.place(index, output);
      const kept = this.#keeper.keep(output);
      const suffix = suffixOf(output);
      this.#records.set(index, {
        index,
        fuel,
        ...from,
        end: { kind: "done", output: kept, suffix, outputCid },
      });
    } else {
      const { code, detail } = result;
      this.#failures += 1;
      this.#records.set(index, { index, fuel, ...from, end: { kind: "failed", code, detail } });
    }
    this.#tellSoon();
  }

  #follow(progress: JobProgress): void {
    const before = this.#progress.value;
    this.#progress.value = progress;
    const { note } = progress;
    if (note !== undefined && note !== this.#events.value.at(-1)?.text) this.#note(note);
    if (before !== undefined && progress.providers > before.providers && before.providers === 0)
      this.#note(
        `${progress.providers === 1 ? "a tab has" : `${progress.providers} tabs have`} begun to work`,
      );
  }

  #note(text: string): void {
    this.#events.value = [...this.#events.value, { at: this.elapsedMs(), text }].slice(-MOST_EVENTS);
  }

  #tellSoon(): void {
    this.#telling ??= setTimeout(() => this.#tell(), TELL_MS);
  }

  #tell(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    this.#changes.value += 1;
  }

  #end(phase: WorkPhase): void {
    this.#endedAt = performance.now();
    this.#tell();
    this.#phase.value = phase;
  }

  #putRecomputed(index: number, state: Recomputed): void {
    this.#recomputed.value = new Map(this.#recomputed.value).set(index, state);
  }
}

/** Leases under which something was paid, as they are remembered. */
export function paidLeases({ leases }: JobSummary): readonly RecentLease[] {
  return leases.filter(({ tasks }) => tasks > 0).map(rememberedLease);
}

function rememberedLease({ lease, provider, tasks, amount, entryIndex }: LeaseSummary): RecentLease {
  const known = { lease, provider, tasks, amount };
  return entryIndex === undefined ? known : { ...known, entryIndex };
}

function signedOf({ fuel, end }: TaskRecord): Signed {
  return end.kind === "done"
    ? { kind: "done", outputCid: end.outputCid, fuel }
    : { kind: "failed", code: end.code, fuel };
}

/** What is not in the vocabulary is told as what it is: settings that do not fit the wire, or a fault of this page. */
function failureOf(error: unknown): Failure {
  if (error instanceof FailureError) return error.toFailure();
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError) return new FailureError("malformed", detail).toFailure();
  return new FailureError(error instanceof TypeError ? "disconnected" : "relay-fault", detail).toFailure();
}
