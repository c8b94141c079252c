import { effect, signal } from "@preact/signals";
import type { Callee } from "../../plan/plan.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { PublishedModel } from "../../protocol/relay-api.ts";
import type { RunSummary } from "../../protocol/run-views.ts";
import { createRunViews } from "../../provider/run-views.ts";
import { connect, type PlanRun, type Tabmesh } from "../../sdk/index.ts";
import { calleeOf } from "../editor/functions-on-hand.ts";
import { PlanDraft } from "../editor/plan-draft.ts";
import type { Able, AppState } from "../state/app-state.ts";
import { failed, type Loadable, LOADING, ready } from "../state/loadable.ts";
import type { PlanExample } from "./plan-examples.ts";
import { type ParamDraft, type ParamDrafts, readParams } from "./plan-params.ts";
import { PlanWork } from "./plan-work.ts";

interface Kept<T> {
  value: T;
}

/** What the page shows: a plan to be run, its drawing, or a run. */
export type RunsView = "start" | "editor" | "run";

/** Runs of the account that are listed. */
const SHOWN_RUNS = 20;

const DESKS = new WeakMap<Able, RunsDesk>();

/** One desk for all visits of the page: a run goes on while the person looks elsewhere. */
export function runsDeskOf(state: AppState, able: Able): RunsDesk {
  const known = DESKS.get(able);
  if (known !== undefined) return known;
  const desk = new RunsDesk(state, able);
  DESKS.set(able, desk);
  return desk;
}

/** The desk of a person who runs plans: the plan in hand, the run under way, and those of the account. */
export class RunsDesk {
  readonly draft: PlanDraft = new PlanDraft(() => performance.now());
  readonly view: Kept<RunsView> = signal<RunsView>("start");
  readonly params: Kept<ParamDrafts> = signal<ParamDrafts>({});
  /** Credits, as typed; empty stands for the most that the plan can cost. */
  readonly budget: Kept<string> = signal("");
  /** Under way, or the one that is looked at. */
  readonly work: Kept<PlanWork | undefined> = signal<PlanWork | undefined>(undefined);
  /** Newest first. */
  readonly recent: Kept<Loadable<readonly RunSummary[]>> = signal<Loadable<readonly RunSummary[]>>(LOADING);
  readonly models: Kept<readonly PublishedModel[]> = signal<readonly PublishedModel[]>([]);
  readonly #state: AppState;
  readonly #able: Able;
  #connection: Promise<Tabmesh> | undefined;

  constructor(state: AppState, able: Able) {
    this.#state = state;
    this.#able = able;
    effect(() => guard(this.isRunning));
  }

  get isRunning(): boolean {
    return this.work.value?.isRunning === true;
  }

  setParam(name: string, draft: ParamDraft): void {
    this.params.value = { ...this.params.value, [name]: draft };
  }

  async useExample(example: PlanExample): Promise<void> {
    const { functions } = this.draft;
    try {
      await functions.bring();
      const calleeFor = (name: string): Callee => {
        const found = functions.list.value.find((each) => each.name === name);
        if (found === undefined) throw new TypeError(`${name} is not there`);
        return calleeOf(found);
      };
      const { plan, params } = example.make(calleeFor);
      this.draft.open(plan, `Opened the example “${example.title}”.`);
      this.params.value = params;
      this.budget.value = "";
    } catch {
      this.draft.say("The example could not be loaded. Check your connection and try again.", true);
    }
  }

  /** Micro-credits that the person allows; undefined where the field says nothing, or nothing that is money. */
  budgetAsked(): bigint | undefined {
    const text = this.budget.value.trim();
    return /^\d{1,9}(?:\.\d{0,6})?$/u.test(text) ? BigInt(Math.round(Number(text) * 1_000_000)) : undefined;
  }

  start(): void {
    const { plan } = this.draft;
    const read = readParams(plan, this.params.value);
    if (read.kind === "wrong" || this.isRunning) return;
    const budget = this.budgetAsked();
    const modules = this.draft.functions.list.value.map(({ module }) => module);
    this.#carry(new PlanWork(plan, { isResumed: false }), async (work) => {
      const tabmesh = await this.#connected();
      work.self.value = tabmesh.requester;
      return tabmesh.startRun(plan, read.params, { modules, ...(budget === undefined ? {} : { budget }) });
    });
  }

  /** Goes on with a run of this account that nobody carries any more, or looks at what became of it. */
  async resume({ run }: Pick<RunSummary, "run">): Promise<void> {
    if (this.isRunning) return;
    const begun = this.#connected().then((tabmesh) => tabmesh.continueRun(run, { atOnce: true }));
    try {
      const { plan } = await begun;
      const work = new PlanWork(plan, { isResumed: true });
      work.self.value = (await this.#connected()).requester;
      this.#carry(work, () => begun);
    } catch (error) {
      this.draft.say(`The run could not be opened. ${error instanceof Error ? error.message : ""}`, true);
    }
  }

  /** Puts the run aside: the plan is there again. */
  leaveRun(): void {
    if (this.isRunning) return;
    this.work.value = undefined;
    this.view.value = "start";
  }

  /** Asks the relay for the account's runs and for the models it keeps. */
  async refresh(): Promise<void> {
    const { memory } = this.#able;
    const { relay } = this.#state;
    try {
      const [identity, views] = await Promise.all([memory.identity.load(), relay.views()]);
      // Who has no account yet has no runs.
      const asked = identity && createRunViews(relay.url).runs(identity.peer, { limit: SHOWN_RUNS });
      const [runs, models] = await Promise.all([asked ?? [], views.models().catch(() => [])]);
      this.models.value = models;
      this.recent.value = ready(runs);
    } catch (error) {
      this.recent.value = failed(error);
    }
  }

  /** The person has left the page: what nobody waits for is closed. */
  rest(): void {
    if (!this.isRunning) void this.#disconnect();
  }

  /** Whether the run is the one that is looked at. */
  isShown(run: Cid): boolean {
    return this.work.value?.id === run;
  }

  #carry(work: PlanWork, begin: (work: PlanWork) => Promise<PlanRun>): void {
    this.work.value = work;
    this.view.value = "run";
    void this.#toTheEnd(work, begin);
  }

  async #toTheEnd(work: PlanWork, begin: (work: PlanWork) => Promise<PlanRun>): Promise<void> {
    await work.carry(() => begin(work));
    // Perhaps it is the connection that does not work.
    if (work.id === undefined) await this.#disconnect();
    void this.#able.account.refresh();
    if (this.#state.page.value === "runs") await this.refresh();
    else this.rest();
  }

  #connected(): Promise<Tabmesh> {
    this.#connection ??= this.#join().catch((error: unknown) => {
      this.#connection = undefined;
      throw error;
    });
    return this.#connection;
  }

  async #join(): Promise<Tabmesh> {
    const { memory } = this.#able;
    const { seed } = await memory.identity.ensure();
    return connect({ relay: this.#state.relay.url, seed, pins: memory.relays });
  }

  async #disconnect(): Promise<void> {
    const left = this.#connection;
    this.#connection = undefined;
    await left?.then((tabmesh) => tabmesh.close()).catch(() => undefined);
  }
}

/** A run whose page goes has to be continued by somebody: the browser asks first. */
function guard(isRunning: boolean): void {
  if (isRunning) addEventListener("beforeunload", askToStay);
  else removeEventListener("beforeunload", askToStay);
}

function askToStay(event: Event): void {
  event.preventDefault();
}
