import { effect, signal } from "@preact/signals";
import { FailureError } from "../../protocol/failure.ts";
import type { JobView } from "../../protocol/relay-api.ts";
import { microCredits } from "../../protocol/units.ts";
import type { RecentJob } from "../../provider/tab-memory.ts";
import { openWorkbench, type Workbench } from "../../provider/workbench.ts";
import { connect, type JobOptions, type Tabmesh } from "../../sdk/index.ts";
import type { Able, AppState } from "./app-state.ts";
import { JobDraft } from "./jobs-draft.ts";
import { type Estimate, estimateOf } from "./jobs-estimate.ts";
import { sizesOf } from "./jobs-inputs.ts";
import { leasesAt } from "./jobs-receipts.ts";
import { JobWork, paidLeases } from "./jobs-work.ts";
import { valueOf } from "./loadable.ts";
import { SANDBOX_FILES } from "./sandbox-files.ts";

/** What a job would be, from the fields as they stand. */
export type Offer =
  | { readonly kind: "ready"; readonly options: JobOptions; readonly estimate: Estimate }
  | { readonly kind: "wrong"; readonly problem: string }
  | { readonly kind: "incomplete" }
  /** Nobody says what it would cost. */
  | { readonly kind: "no-relay" };

interface Kept<T> {
  value: T;
}

const DESKS = new WeakMap<Able, Jobs>();

/** One desk for all visits of the page: a job goes on while the person looks elsewhere. */
export function jobsOf(state: AppState, able: Able): Jobs {
  const known = DESKS.get(able);
  if (known !== undefined) return known;
  const desk = new Jobs(state, able);
  DESKS.set(able, desk);
  return desk;
}

/** The desk of a person who asks for work: a draft, the job under way, and those before. */
export class Jobs {
  readonly draft: JobDraft;
  /** Under way, or the one that ended last and is still looked at. */
  readonly work: Kept<JobWork | undefined> = signal<JobWork | undefined>(undefined);
  /** Newest first. */
  readonly recent: Kept<readonly RecentJob[]> = signal<readonly RecentJob[]>([]);
  /** Jobs that another tab of this browser carries out right now. */
  readonly elsewhere: Kept<ReadonlySet<string>> = signal<ReadonlySet<string>>(new Set());
  readonly #state: AppState;
  readonly #able: Able;
  readonly #bench: Workbench = openWorkbench(SANDBOX_FILES);
  #connection: Promise<Tabmesh> | undefined;

  constructor(state: AppState, able: Able) {
    this.#state = state;
    this.#able = able;
    this.draft = new JobDraft(this.#bench);
    effect(() => guard(this.isRunning));
  }

  get isRunning(): boolean {
    return this.work.value?.phase.value.kind === "running";
  }

  offer(): Offer {
    const { draft } = this;
    const relay = this.#state.relay.info.value;
    const info = valueOf(relay);
    const list = draft.inputs();
    if (list.kind === "wrong") return list;
    if (relay.kind === "failed") return { kind: "no-relay" };
    if (draft.chosen.value === undefined || list.kind !== "ready" || info === undefined)
      return { kind: "incomplete" };
    const measured = draft.measured();
    const { total, largest } = sizesOf(list.inputs);
    try {
      const options = draft.options(measured);
      const estimate = estimateOf(options, {
        info,
        available: this.#able.account.view.value?.available,
        tasks: list.inputs.length,
        inputBytes: total,
        largestInput: largest,
        measured,
      });
      return { kind: "ready", options, estimate };
    } catch (error) {
      if (error instanceof FailureError) return { kind: "wrong", problem: error.detail };
      if (error instanceof RangeError) return { kind: "wrong", problem: error.message };
      throw error;
    }
  }

  start(): void {
    const { value: chosen } = this.draft.chosen;
    const offer = this.offer();
    const list = this.draft.inputs();
    if (chosen === undefined || offer.kind !== "ready" || list.kind !== "ready" || this.isRunning) return;
    const plan = chosen.isPicture ? valueOf(this.draft.plan.value) : undefined;
    const order = {
      name: chosen.name,
      file: chosen,
      inputs: list.inputs,
      options: offer.options,
      ...(plan === undefined ? {} : { picture: plan.blank() }),
    };
    const work = new JobWork(order, this.#bench, Date.now());
    this.work.value = work;
    void this.#carry(work);
  }

  /** Puts the job that has ended aside: the draft is there again. */
  leaveWork(): void {
    if (!this.isRunning) this.work.value = undefined;
  }

  forget({ job }: RecentJob): void {
    this.recent.value = this.recent.value.filter((each) => each.job !== job);
    this.#able.memory.jobs.remove(job).catch(() => undefined);
  }

  /** Reads the jobs before from memory. */
  async recall(): Promise<void> {
    try {
      const all = await this.#able.memory.jobs.list();
      this.elsewhere.value = await jobsUnderWay();
      this.recent.value = all.filter(({ relayUrl }) => relayUrl === this.#state.relay.url);
    } catch {
      // A list that cannot be read is no reason to hinder a new job.
    }
  }

  /** The person has ended a job whose page is gone. */
  async settle(job: RecentJob, view: JobView): Promise<void> {
    const leases = leasesAt(view);
    const done = leases.reduce((sum, { tasks }) => sum + tasks, 0);
    const { spent } = view;
    const settled = { ...job, state: "cancelled", spent, leases, done, endedAt: Date.now() } as const;
    this.recent.value = this.recent.value.map((each) => (each.job === job.job ? settled : each));
    await this.#able.memory.jobs.put(settled).catch(() => undefined);
    await this.#able.account.refresh();
  }

  /** The person has left the page: what nobody waits for is closed. */
  rest(): void {
    this.draft.stopTrying();
    if (this.isRunning) return;
    this.#bench.close();
    void this.#disconnect();
  }

  async #carry(work: JobWork): Promise<void> {
    const over = Promise.withResolvers<void>();
    await work.carry(
      () => this.#connected(),
      () => {
        if (work.job !== undefined) void navigator.locks.request(`${LOCK}${work.job}`, () => over.promise);
        void this.#remember(work);
      },
    );
    over.resolve();
    // Perhaps it is the connection that does not work.
    if (work.phase.value.kind === "failed") await this.#disconnect();
    await this.#remember(work);
    void this.#able.account.refresh();
    if (this.#state.page.value !== "jobs") this.rest();
  }

  async #remember(work: JobWork): Promise<void> {
    const record = recordOf(work, this.#state.relay.url);
    if (record === undefined) return;
    this.recent.value = [record, ...this.recent.value.filter(({ job }) => job !== record.job)];
    await this.#able.memory.jobs.put(record).catch(() => undefined);
  }

  #connected(): Promise<Tabmesh> {
    this.#connection ??= this.#join().catch((error: unknown) => {
      this.#connection = undefined;
      throw error;
    });
    return this.#connection;
  }

  async #join(): Promise<Tabmesh> {
    const { memory, account } = this.#able;
    const { seed } = await memory.identity.ensure();
    void account.refresh();
    return connect({ relay: this.#state.relay.url, seed, pins: memory.relays });
  }

  async #disconnect(): Promise<void> {
    const left = this.#connection;
    this.#connection = undefined;
    await left?.then((tabmesh) => tabmesh.close()).catch(() => undefined);
  }
}

/** A job under way holds a lock of this name, so that another tab does not take it for one that was cut off. */
const LOCK = "tabmesh-job:";

async function jobsUnderWay(): Promise<ReadonlySet<string>> {
  const { held = [] } = await navigator.locks.query();
  const names = held.flatMap(({ name }) =>
    name?.startsWith(LOCK) === true ? [name.slice(LOCK.length)] : [],
  );
  return new Set(names);
}

/** A job ends with its page: the browser asks before it goes. */
function guard(isRunning: boolean): void {
  if (isRunning) addEventListener("beforeunload", askToStay);
  else removeEventListener("beforeunload", askToStay);
}

function askToStay(event: Event): void {
  event.preventDefault();
}

/** What is kept of a job; nothing before it is signed. */
function recordOf(work: JobWork, relayUrl: string): RecentJob | undefined {
  const { job, order, startedAt, records, failures } = work;
  if (job === undefined) return undefined;
  const phase = work.phase.value;
  const base = {
    job,
    relayUrl,
    startedAt,
    name: order.name,
    workCid: order.file.cid,
    tasks: order.inputs.length,
    done: records.size - failures,
    failed: failures,
  };
  if (phase.kind === "running") return { ...base, state: "running", spent: microCredits(0), leases: [] };
  const endedAt = startedAt + Math.round(work.elapsedMs());
  if (phase.kind === "failed") {
    const spent = work.progress.value?.spent ?? microCredits(0);
    const state = work.isCancelled ? "cancelled" : "failed";
    return { ...base, endedAt, state, spent, failure: phase.failure, leases: [] };
  }
  const { summary } = phase;
  const state = summary.cancelled ? "cancelled" : "done";
  return { ...base, endedAt, state, spent: summary.spent, leases: paidLeases(summary) };
}
