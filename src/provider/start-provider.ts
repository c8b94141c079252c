import { ForgedCheckpointError } from "../ledger/log-view.ts";
import { createTabMesh } from "../mesh/tab-mesh.ts";
import { SEED_BYTES } from "../protocol/ed25519.ts";
import { type EffectGrants, FIRST_GRANTS } from "../protocol/effect-grants.ts";
import { FailureError } from "../protocol/failure.ts";
import { type SessionIdentity, startSessionIdentity } from "../protocol/session-identity.ts";
import { microCredits } from "../protocol/units.ts";
import type { ProviderStore } from "../storage/browser-store.ts";
import { type ProviderLimits, UNLIMITED } from "../storage/provider-limits.ts";
import type { UsageShelf } from "../storage/usage.ts";
import { tabEffects } from "./effects/tab-effects.ts";
import { embeddingSite, placeOfPage } from "./embedding-site.ts";
import { type Decision, drainReason } from "./governor/decide-allowance.ts";
import { countFetch, countMesh } from "./governor/line-count.ts";
import { TabGovernor } from "./governor/tab-governor.ts";
import { startModelThread } from "./model-thread.ts";
import { watchPageLife } from "./page-life.ts";
import { ProviderRun } from "./provider-run.ts";
import type { OpeningsState, Provider, ProviderPhase, ProviderState, RelayFault } from "./provider-state.ts";
import { ForgedDrawError } from "./read-draw.ts";
import type { SandboxFiles } from "./thread-host.ts";
import { storageFailure } from "./storage-failure.ts";
import { ThreadStarter } from "./thread-starter.ts";

export interface TabProviderOptions {
  /** Origin of the relay's HTTP server. */
  readonly relayUrl: string;
  readonly store: ProviderStore;
  /** Acts for another account than this browser's own, with a key that was given leave to. */
  readonly session?: SessionIdentity;
  /** What threads are made from; the page says it, so that its bundler sees the files. */
  readonly sandbox: SandboxFiles;
  /** URL of the script of workers/inference.worker.ts, in one file; without it no models run. */
  readonly modelScript?: string;
  /** URL of the script of workers/fetch.worker.ts, in one file; without it no web servers are asked. */
  readonly fetchScript?: string;
  /** What the person lets it do for others; FIRST_GRANTS when absent. */
  readonly grants?: EffectGrants;
  /** What the person gives; all cores but one, always, when absent. */
  readonly limits?: ProviderLimits;
  /** Where the data of the month are counted on; without it the count begins with the page. */
  readonly usage?: UsageShelf;
}

/** One provider per browser: this lock is held while it runs. */
const LOCK = "tabmesh-provider";

/** Memory one function or model may have in a tab, MiB: half a gigabyte leaves the page and others room. */
const MEMORY_MIB = 512;

/** State changes are told at most four times a second: more nobody can read, and each costs a paint. Rates are refreshed every second while they fall. */
const NOTIFY_INTERVAL_MS = 250;
const RATE_INTERVAL_MS = 1_000;

/** What is given unless told otherwise: all threads but one, at least one, and at any time. */
function defaultLimits(): ProviderLimits {
  return { ...UNLIMITED, workers: defaultWorkers(), gpu: true };
}

/** All threads but one, at least one. */
export function defaultWorkers(): number {
  return Math.max(1, navigator.hardwareConcurrency - 1);
}

/** Of one function or model. */
function memoryBytes({ memoryMiB = MEMORY_MIB }: ProviderLimits): number {
  return Math.min(memoryMiB, MEMORY_MIB) * 1024 * 1024;
}

export function createTabProvider(options: TabProviderOptions): Promise<Provider> {
  return Promise.resolve(new TabProvider(options));
}

class TabProvider implements Provider {
  readonly #options: TabProviderOptions;
  readonly #listeners = new Set<(state: ProviderState) => void>();
  #limits: ProviderLimits;
  #grants: EffectGrants;
  #phase: ProviderPhase = "stopped";
  #failure: FailureError | undefined;
  #retryAt: number | undefined;
  #outbox = 0;
  #openings: OpeningsState = { waiting: 0, opened: 0 };
  #barred: string | undefined;
  #relayFault: RelayFault | undefined;
  #run: ProviderRun | undefined;
  #threads: ThreadStarter | undefined;
  #starting: Promise<void> | undefined;
  #release: (() => void) | undefined;
  #notifying: ReturnType<typeof setTimeout> | undefined;
  #rates: ReturnType<typeof setInterval> | undefined;
  #leavePage: (() => void) | undefined;
  #governor: TabGovernor | undefined;

  constructor(options: TabProviderOptions) {
    this.#options = options;
    this.#limits = options.limits ?? defaultLimits();
    this.#grants = options.grants ?? FIRST_GRANTS;
  }

  state(): ProviderState {
    const run = this.#run;
    const isolation = this.#threads?.isolation;
    const governor = this.#governor?.view(run?.busyMs ?? 0);
    const nothing = {
      running: [],
      tasksDone: 0,
      tasksFailed: 0,
      fuel: 0n,
      tasksPerSecond: 0,
      fuelPerSecond: 0,
      earned: microCredits(0),
    };
    return {
      phase: this.#phaseNow,
      ...(this.#failure === undefined ? {} : { failure: this.#failure.toFailure() }),
      ...(this.#failure instanceof ForgedCheckpointError ? { evidence: this.#failure.file } : {}),
      ...(this.#retryAt === undefined ? {} : { retryAt: this.#retryAt }),
      ...(run === undefined
        ? { testMoney: false }
        : {
            peer: run.identity.root,
            origin: run.contact.info.origin,
            asset: run.contact.info.asset,
            testMoney: run.contact.info.testMoney,
          }),
      workers: governor?.allowed.workers ?? this.#limits.workers,
      ...(governor === undefined ? {} : { governor }),
      ...(isolation === undefined ? {} : { isolation }),
      ...(run?.models === undefined ? {} : { models: run.models.view() }),
      ...(run?.activity.view() ?? nothing),
      outbox: this.#outbox,
      openings: this.#openings,
      ...(this.#barred === undefined ? {} : { barred: this.#barred }),
      ...(this.#relayFault === undefined ? {} : { relayFault: this.#relayFault }),
    };
  }

  subscribe(listener: (state: ProviderState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async stop(): Promise<void> {
    await this.#starting;
    const run = this.#run;
    if (run === undefined) return;
    this.#enter("draining");
    await run.stop();
    this.#end("stopped");
  }

  setLimits(limits: ProviderLimits): void {
    this.#limits = limits;
    this.#governor?.setLimits(limits);
    this.#run?.setMemory(memoryBytes(limits));
    this.#changed();
  }

  setGrants(grants: EffectGrants): void {
    this.#grants = grants;
    this.#run?.renewGrants();
  }

  get #phaseNow(): ProviderPhase {
    if (this.#phase !== "waiting") return this.#phase;
    if (this.#governor?.allowed.workers === 0) return "paused";
    return (this.#run?.leases ?? 0) > 0 ? "working" : "waiting";
  }

  #allow({ allowed, reasons }: Decision): void {
    this.#run?.allow(allowed, drainReason(reasons));
    this.#changed();
  }

  refreshModels(): void {
    void this.#run?.models?.refresh();
  }

  async #start(): Promise<void> {
    if (this.#run !== undefined) return;
    this.#enter("starting");
    if (!(await this.#takeLock())) {
      this.#enter("elsewhere");
      return;
    }
    const { usage } = this.#options;
    const governor = new TabGovernor({
      limits: this.#limits,
      ...(usage === undefined ? {} : { usage }),
      onDecision: (decision) => this.#allow(decision),
    });
    this.#governor = governor;
    try {
      this.#run = await this.#startRun(governor);
      this.#allow(governor.decision);
      this.#rates = setInterval(() => this.#refreshRates(), RATE_INTERVAL_MS);
      this.#leavePage = watchPageLife({
        onLeave: (reason) => this.#run?.depart(reason),
        onReturn: () => this.#run?.comeBack(),
      });
      this.#changed();
    } catch (error) {
      this.#end(
        "failed",
        error instanceof FailureError
          ? error
          : (storageFailure(error) ?? new FailureError("disconnected", messageOf(error), { cause: error })),
      );
    }
  }

  async #startRun(governor: TabGovernor): Promise<ProviderRun> {
    const count = (bytes: number): void => governor.count(bytes);
    const { store, relayUrl, sandbox, modelScript, fetchScript, session } = this.#options;
    const threads = new ThreadStarter(sandbox);
    this.#threads = threads;
    // Ahead of the first task.
    void threads.open();
    // Nobody waits for the answer: Firefox asks the person, who may never say a word.
    void store.persist().catch(() => false);
    const site = embeddingSite(placeOfPage());
    return ProviderRun.start(
      {
        ...(site === undefined ? {} : { site }),
        relayUrl,
        session: async () => session ?? freshSession((await store.identity.ensure()).seed),
        pins: store.relays,
        outbox: store.outbox,
        holdings: store.holdings,
        openings: store.openings,
        cache: store.blobs,
        workers: governor.allowed.workers,
        memoryBytes: memoryBytes(this.#limits),
        startThread: () => threads.start(),
        calibrate: (thread) => governor.calibrate(thread),
        fetch: countFetch((input, init) => fetch(input, init), count),
        ...(modelScript === undefined
          ? {}
          : {
              models: {
                store: store.models,
                startThread: () => startModelThread(modelScript),
                gpu: this.#limits.gpu,
              },
            }),
        effects: tabEffects({ relayUrl, fetchScript, grants: () => this.#grants, count }),
        createMesh: async (options) => countMesh(await createTabMesh(options), count),
      },
      {
        onReady: () => this.#enter("waiting"),
        onLost: (failure, retryAt) => this.#enter("reconnecting", failure, retryAt),
        onActivity: () => this.#changed(),
        onOutbox: (waiting) => {
          this.#outbox = waiting;
          this.#changed();
        },
        onOpenings: (openings) => {
          this.#openings = openings;
          this.#changed();
        },
        onWrongAnswer: (failure) => {
          const { detail } = failure;
          const { evidence } = failure instanceof ForgedDrawError ? failure : {};
          this.#relayFault = { detail, ...(evidence === undefined ? {} : { evidence }) };
          this.#changed();
        },
        onBarred: (reason) => {
          this.#barred = reason;
          this.#changed();
        },
      },
    );
  }

  /** Holds the browser-wide lock until `#release`, unless another tab has it. */
  async #takeLock(): Promise<boolean> {
    const { promise: answer, resolve } = Promise.withResolvers<boolean>();
    const held = navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
      resolve(lock !== null);
      if (lock === null) return;
      const { promise, resolve: release } = Promise.withResolvers<void>();
      this.#release = release;
      await promise;
    });
    // A frame of another site may have no locks: then each of them is on its own.
    held.catch(() => resolve(true));
    return answer;
  }

  #end(phase: "stopped" | "failed", failure?: FailureError): void {
    clearInterval(this.#rates);
    this.#leavePage?.();
    this.#governor?.stop();
    this.#governor = undefined;
    this.#run = undefined;
    this.#threads?.close();
    this.#threads = undefined;
    this.#release?.();
    this.#release = undefined;
    this.#enter(phase, failure);
  }

  #enter(phase: ProviderPhase, failure?: FailureError, retryAt?: number): void {
    this.#phase = phase;
    this.#failure = failure;
    this.#retryAt = retryAt;
    this.#changed();
  }

  #refreshRates(): void {
    if (this.#run?.activity.hasRecent === true || (this.#run?.busyMs ?? 0) > 0) this.#changed();
  }

  #changed(): void {
    if (this.#notifying !== undefined) return;
    this.#notifying = setTimeout(() => {
      this.#notifying = undefined;
      const state = this.state();
      for (const listener of this.#listeners) listener(state);
    }, NOTIFY_INTERVAL_MS);
  }
}

/** @param root seed of the identity that it acts for */
function freshSession(root: Uint8Array): Promise<SessionIdentity> {
  const session = crypto.getRandomValues(new Uint8Array(SEED_BYTES));
  return startSessionIdentity(crypto.subtle, { root, session }, Date.now());
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "the provider could not start";
}
