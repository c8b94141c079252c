import { contactRelay, type PinStore, type RelayContact } from "../ledger/relay-contact.ts";
import { relayAddress } from "../mesh/mesh-address.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import type { Cid } from "../protocol/cid.ts";
import { checkClock } from "../protocol/check-clock.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { FailureError } from "../protocol/failure.ts";
import type { IceServer } from "../protocol/relay-api.ts";
import type { SessionIdentity } from "../protocol/session-identity.ts";
import type { HoldingShelf } from "../storage/holdings.ts";
import type { OpeningShelf } from "../storage/openings.ts";
import type { Outbox } from "../storage/outbox.ts";
import { Activity } from "./activity.ts";
import { ChallengeDesk } from "./challenge-desk.ts";
import { EffectDesk, type EffectParts } from "./effects/effect-desk.ts";
import type { DrainReason, SuddenEnd } from "./farewell.ts";
import { type ContentCache, FunctionSource } from "./function-source.ts";
import type { Allowance } from "./governor/governor-view.ts";
import { KeptLine } from "./kept-line.ts";
import { type ModelParts, ModelJobs } from "./model-jobs.ts";
import { OfferLine } from "./offer-line.ts";
import { offeredCapacity } from "./offered-capacity.ts";
import { Reporting, type ReportingEvents } from "./reporting.ts";
import { RunDesk } from "./run-desk.ts";
import type { SandboxThread } from "./sandbox-thread.ts";
import { WorkDesk } from "./work-desk.ts";
import { WorkLinks } from "./work-links.ts";
import { WorkerPool } from "./worker-pool.ts";

/** What one run of a provider needs from its surroundings: a tab gives IndexedDB, workers and a browser's mesh. */
export interface ProviderSurroundings {
  readonly relayUrl: string;
  /** The key that acts for the account that earns. */
  session(): Promise<SessionIdentity>;
  readonly pins: PinStore;
  readonly outbox: Outbox;
  readonly holdings: HoldingShelf;
  readonly openings: OpeningShelf;
  readonly cache: ContentCache;
  readonly workers: number;
  /** Memory one function or model may have, bytes. */
  readonly memoryBytes: number;
  startThread(): SandboxThread;
  /** Takes a measure of a thread that has nothing to do. */
  readonly calibrate?: (thread: SandboxThread) => Promise<void>;
  /** The browser's own if not given. */
  readonly fetch?: typeof fetch;
  /** Without them no models run. */
  readonly models?: ModelParts;
  /** Without them it carries out no effects. */
  readonly effects?: EffectParts;
  /** Origin of the page that embeds the tab, where there is one. */
  readonly site?: string;
  createMesh(options: {
    readonly privateKey: Uint8Array;
    readonly relay: string;
    readonly iceServers: readonly IceServer[];
  }): Promise<Mesh>;
}

/** What the run tells while it goes. */
export interface RunEvents extends ReportingEvents {
  /** Ready to lease, at the first time and after every reconnect. */
  onReady(): void;
  /** The line to the relay is lost; the next attempt starts at `retryAt` (milliseconds since 1970). */
  onLost(failure: FailureError, retryAt: number): void;
  onActivity(): void;
}

function now(): number {
  return Date.now();
}

/** One run of a provider, from joining the mesh to the last report. */
export class ProviderRun {
  readonly contact: RelayContact;
  readonly identity: SessionIdentity;
  readonly pool: WorkerPool;
  readonly activity: Activity;
  readonly models: ModelJobs | undefined;
  readonly #mesh: Mesh;
  readonly #desk: WorkDesk;
  readonly #runs: RunDesk;
  readonly #reporting: Reporting;
  readonly #challenges: ChallengeDesk;
  readonly #events: RunEvents;
  readonly #line: KeptLine;
  readonly #stopping = new AbortController();
  /** Of one function or model. */
  #memoryBytes: number;
  #cpuPercent = 100;
  #isPaused = false;

  private constructor(
    surroundings: ProviderSurroundings,
    events: RunEvents,
    parts: {
      contact: RelayContact;
      identity: SessionIdentity;
      mesh: Mesh;
      client: RelayClient;
      relay: string;
    },
  ) {
    const { contact, identity, mesh, client, relay } = parts;
    const verify = verifierOf(crypto.subtle);
    this.contact = contact;
    this.identity = identity;
    this.#events = events;
    this.#mesh = mesh;
    this.activity = new Activity(now);
    const { calibrate, models, effects, site } = surroundings;
    this.pool = new WorkerPool(() => surroundings.startThread(), surroundings.workers, {
      onRested: () => this.#changed(),
      ...(calibrate === undefined ? {} : { calibrate }),
    });
    const ground = { origin: contact.info.origin, asset: contact.info.asset };
    const signer = identity.signer;
    const runs = new RunDesk({ mesh, relay, signer, verify, now, relayRuns: client });
    this.#runs = runs;
    const value = (cid: Cid): Uint8Array | undefined => runs.find(cid);
    this.#reporting = new Reporting({ surroundings, client, contact, identity, verify, now, events, value });
    const functions = new FunctionSource(surroundings.cache, mesh, client);
    const effectDesk = effects && new EffectDesk(effects, identity, now);
    this.#memoryBytes = surroundings.memoryBytes;
    const memory = (): number => this.#memoryBytes;
    this.models =
      models &&
      new ModelJobs({
        ...models,
        startThread: () => models.startThread(),
        mesh,
        client,
        onChange: () => this.#changed(),
      });
    const links = new WorkLinks();
    this.#desk = new WorkDesk({
      mesh,
      links,
      contact,
      source: client,
      root: identity.root,
      memory,
      hasModels: models !== undefined,
      effects: effectDesk,
      now,
      onChange: () => this.#changed(),
      ports: (remote) => ({
        signer,
        verify,
        pool: this.pool,
        loadWork: (order) => {
          const { kind } = order.job.body.work;
          if (kind === "model" && this.models !== undefined) return this.models.load(order, remote);
          if (kind === "effect" && effectDesk !== undefined) return effectDesk.load(order);
          return functions.load(order, remote);
        },
        hold: (order, onFreed) => this.#reporting.hold(order, onFreed),
        runs,
        saveReceipt: (receipt) => {
          this.#reporting.save(receipt);
          this.activity.earned(receipt.lease, receipt.amount);
          this.#changed();
        },
        onTask: (event, channel, task) => {
          this.activity.task(event, channel, task);
          this.#changed();
        },
        onOutcome: (end, isLast) => this.activity.outcome(end, isLast),
        onEnded: (lease, claim) => this.#reporting.ended(lease, claim),
      }),
    });
    this.#challenges = new ChallengeDesk({
      startThread: () => surroundings.startThread(),
      threads: () => this.pool.size,
      memory,
      cpuPercent: () => this.#cpuPercent,
      ...(this.models === undefined ? {} : { kernels: this.models }),
      isIdle: () => this.#isIdle,
    });
    const line = {
      mesh,
      relay,
      ground,
      root: identity.root,
      signer,
      verify,
      now,
      tariffMin: contact.info.tariff,
      note: () => contact.note(),
      capacity: () =>
        offeredCapacity({
          pool: this.pool,
          models: this.models,
          effects: effectDesk,
          challenges: this.#challenges,
          memoryBytes: this.#memoryBytes,
          isPaused: this.#desk.pausedFor !== undefined,
        }),
      links: () => links.list(),
      challenges: this.#challenges,
      ...(site === undefined ? {} : { site }),
    };
    this.#line = new KeptLine(
      {
        mesh,
        open: (signal) => OfferLine.open(line, signal),
        onReady: () => events.onReady(),
        onLost: (failure, retryAt) => {
          events.onLost(failure, retryAt);
          void this.#reporting.look();
        },
      },
      this.#stopping.signal,
    );
  }

  /** Joins the mesh and offers itself. @throws FailureError when the first attempt fails, with the reason. */
  static async start(surroundings: ProviderSurroundings, events: RunEvents): Promise<ProviderRun> {
    const client = createRelayClient({
      baseUrl: surroundings.relayUrl,
      fetch: surroundings.fetch ?? ((input, init) => fetch(input, init)),
    });
    const [contact, identity] = await Promise.all([
      contactRelay(client, surroundings.pins, verifierOf(crypto.subtle), now()),
      surroundings.session(),
    ]);
    checkClock(contact.info, now());
    const relay = relayAddress(surroundings.relayUrl, contact.info.peer);
    const mesh = await surroundings.createMesh({
      privateKey: identity.seed,
      relay,
      iceServers: contact.info.iceServers,
    });
    const run = new ProviderRun(surroundings, events, { contact, identity, mesh, client, relay });
    try {
      await mesh.start();
      run.#desk.start();
      await run.#reporting.start();
      run.#runs.serve((cid) => run.models?.find(cid));
      void run.models?.refresh();
      await run.#line.join();
    } catch (error) {
      await run.stop();
      throw error;
    }
    void run.#line.keep();
    return run;
  }

  /** Leases at work. */
  get leases(): number {
    return this.#desk.sessions.size;
  }

  /** Milliseconds that all threads together computed in the last DUTY_WINDOW_MS. */
  get busyMs(): number {
    return this.pool.busyMs + (this.models?.busyMs ?? 0);
  }

  /** What may be used from now on. Without any thread all tasks are given back, for this reason. */
  allow({ workers, cpuPercent, gpu }: Allowance, reason: DrainReason): void {
    const { pool, models } = this;
    const wasPaused = this.#isPaused;
    this.#isPaused = workers === 0;
    this.#cpuPercent = cpuPercent;
    pool.setDuty(cpuPercent);
    models?.setDuty(cpuPercent);
    if (!this.#isPaused) models?.setGpu(gpu);
    if (this.#isPaused && !wasPaused) void this.drainAll(reason);
    // Sessions have let go of their tasks by now, so that no thread is in the middle of one.
    pool.setSize(workers);
    if (this.#isPaused) this.#challenges.yieldToWork();
    else if (wasPaused) this.takeWork();
    this.#changed();
  }

  /** What the person allows has changed: tells the relay. What is under way goes on, what begins is asked anew. */
  renewGrants(): void {
    this.#line.renew();
  }

  /** Memory that one function or model may have from now on, bytes. */
  setMemory(bytes: number): void {
    this.#memoryBytes = bytes;
    this.#line.renew();
  }

  /** Withdraws the offer, drains, reports, leaves. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort(new FailureError("draining", "the provider is stopping"));
    // Both at once: what computes is to end now, not when the relay has heard of it.
    const withdrawn = this.#line.close();
    const drained = this.#desk.drain("draining");
    // Sessions have let go of their tasks in this very turn.
    this.#challenges.close();
    this.pool.stop();
    this.models?.stop();
    await drained;
    await withdrawn;
    await Promise.all([...this.#desk.sessions].map((session) => session.settled()));
    await this.#reporting.stop();
    await this.#mesh.stop();
  }

  /** Gives all tasks back and takes no orders, until `takeWork`. Resolves when the drains are on their way. */
  async drainAll(reason: DrainReason): Promise<void> {
    const drained = this.#desk.pause(reason);
    this.#line.renew();
    await drained;
  }

  /** Takes orders again. */
  takeWork(): void {
    this.#desk.takeWork();
    this.#line.renew();
  }

  /** The page's code stops now: everybody is told within this turn of the event loop. */
  depart(reason: SuddenEnd): void {
    this.#desk.depart(reason);
    this.#line.depart();
  }

  /** The page's code goes on: offers itself again at once. */
  comeBack(): void {
    this.#desk.comeBack();
    this.#line.comeBack();
  }

  /** No lease is at work here, and no task of one that has ended. */
  get #isIdle(): boolean {
    const { pool, models } = this;
    return this.leases === 0 && pool.free === pool.size && (models?.busy ?? 0) === 0;
  }

  #changed(): void {
    if (!this.#isIdle) this.#challenges.yieldToWork();
    this.#line.renew();
    this.#events.onActivity();
  }
}
