import { contactRelay, type PinStore, type RelayContact } from "../ledger/relay-contact.ts";
import { relayAddress } from "../mesh/mesh-address.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import { untilOnline } from "../mesh/until-online.ts";
import { checkClock } from "../protocol/check-clock.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { FailureError } from "../protocol/failure.ts";
import { ABIS, FUNCTION_ABIS } from "../protocol/messages/session.ts";
import type { IceServer } from "../protocol/relay-api.ts";
import type { SessionIdentity } from "../protocol/session-identity.ts";
import type { HoldingShelf } from "../storage/holdings.ts";
import type { OpeningShelf } from "../storage/openings.ts";
import type { Outbox } from "../storage/outbox.ts";
import { Activity } from "./activity.ts";
import { ChallengeDesk } from "./challenge-desk.ts";
import type { DrainReason, SuddenEnd } from "./farewell.ts";
import { type ContentCache, FunctionSource } from "./function-source.ts";
import { type ModelParts, ModelJobs } from "./model-jobs.ts";
import { type Capacity, OfferLine } from "./offer-line.ts";
import { Reporting, type ReportingEvents } from "./reporting.ts";
import type { SandboxThread } from "./sandbox-thread.ts";
import { WorkDesk } from "./work-desk.ts";
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
  /** Without them no models run. */
  readonly models?: ModelParts;
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

const RECONNECT_MIN_MS = 1_000;
const RECONNECT_MAX_MS = 30_000;
/** First contact: page, keys, log, reservation. */
const JOIN_TIMEOUT_MS = 30_000;

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
  readonly #reporting: Reporting;
  readonly #challenges: ChallengeDesk;
  readonly #events: RunEvents;
  readonly #openLine: (signal: AbortSignal) => Promise<OfferLine>;
  readonly #stopping = new AbortController();
  /** Of one function or model. */
  #memoryBytes: number;
  #line: OfferLine | undefined;
  /** Resolves when the page's code goes on. */
  #away: PromiseWithResolvers<void> | undefined;
  /** Ends the pause before the line is opened again. */
  #hurry: (() => void) | undefined;

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
    this.pool = new WorkerPool(() => surroundings.startThread(), surroundings.workers);
    const ground = { origin: contact.info.origin, asset: contact.info.asset };
    const signer = identity.signer;
    this.#reporting = new Reporting({ surroundings, client, contact, identity, verify, now, events });
    const functions = new FunctionSource(surroundings.cache, mesh, client);
    const { models } = surroundings;
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
    this.#desk = new WorkDesk({
      mesh,
      contact,
      source: client,
      root: identity.root,
      memory,
      hasModels: models !== undefined,
      now,
      onChange: () => this.#changed(),
      ports: (remote) => ({
        signer,
        verify,
        pool: this.pool,
        loadWork: (order) =>
          order.job.body.work.kind === "model" && this.models !== undefined
            ? this.models.load(order, remote)
            : functions.load(order, remote),
        hold: (order, onFreed) => this.#reporting.hold(order, onFreed),
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
      ...(this.models === undefined ? {} : { kernels: this.models }),
      isIdle: () => this.#isIdle,
    });
    const { site } = surroundings;
    this.#openLine = (signal) =>
      OfferLine.open(
        {
          mesh,
          relay,
          ground,
          root: identity.root,
          signer,
          verify,
          now,
          tariffMin: contact.info.tariff,
          note: () => contact.note(),
          capacity: () => this.#capacity(),
          challenges: this.#challenges,
          ...(site === undefined ? {} : { site }),
        },
        signal,
      );
  }

  /** Joins the mesh and offers itself. @throws FailureError when the first attempt fails, with the reason. */
  static async start(surroundings: ProviderSurroundings, events: RunEvents): Promise<ProviderRun> {
    const client = createRelayClient({
      baseUrl: surroundings.relayUrl,
      fetch: (input, init) => fetch(input, init),
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
      void run.models?.start();
      await run.#join();
    } catch (error) {
      await run.stop();
      throw error;
    }
    void run.#keepLine();
    return run;
  }

  /** Leases at work. */
  get leases(): number {
    return this.#desk.sessions.size;
  }

  /** Memory that one function or model may have from now on, bytes. */
  setMemory(bytes: number): void {
    this.#memoryBytes = bytes;
    this.#line?.renew();
  }

  /** Withdraws the offer, drains, reports, leaves. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort(new FailureError("draining", "the provider is stopping"));
    // Both at once: what computes is to end now, not when the relay has heard of it.
    const withdrawn = this.#line?.close();
    await this.#desk.drain("draining");
    await withdrawn;
    await Promise.all([...this.#desk.sessions].map((session) => session.settled()));
    this.#challenges.close();
    this.pool.stop();
    this.models?.stop();
    await this.#reporting.stop();
    await this.#mesh.stop();
  }

  /** Gives all tasks back and takes no orders, until `takeWork`. Resolves when the drains are on their way. */
  async drainAll(reason: DrainReason): Promise<void> {
    const drained = this.#desk.pause(reason);
    this.#line?.renew();
    await drained;
  }

  /** Takes orders again. */
  takeWork(): void {
    this.#desk.takeWork();
    this.#line?.renew();
  }

  /** The page's code stops now: everybody is told within this turn of the event loop. */
  depart(reason: SuddenEnd): void {
    this.#away ??= Promise.withResolvers();
    this.#desk.depart(reason);
    void this.#line?.close();
  }

  /** The page's code goes on: offers itself again at once. */
  comeBack(): void {
    this.#away?.resolve();
    this.#away = undefined;
    this.#desk.comeBack();
    this.#hurry?.();
  }

  /** A model at work takes the processor of a thread. */
  #capacity(): Capacity {
    const { pool, models } = this;
    return {
      workers: pool.size,
      free: this.#desk.pausedFor === undefined ? Math.max(0, pool.free - (models?.busy ?? 0)) : 0,
      memoryBytes: this.#memoryBytes,
      abis: models === undefined ? FUNCTION_ABIS : ABIS,
      ...(models === undefined ? {} : { models: models.held }),
      claims: this.#challenges.claims,
    };
  }

  /** No lease is at work here, and no task of one that has ended. */
  get #isIdle(): boolean {
    const { pool, models } = this;
    return this.leases === 0 && pool.free === pool.size && (models?.busy ?? 0) === 0;
  }

  #changed(): void {
    if (!this.#isIdle) this.#challenges.yieldToWork();
    this.#line?.renew();
    this.#events.onActivity();
  }

  async #join(): Promise<void> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(JOIN_TIMEOUT_MS)]);
    await untilOnline(this.#mesh, signal);
    this.#line = await this.#openLine(signal);
    this.#events.onReady();
  }

  /** Opens the line again whenever it is lost, with growing pauses. */
  async #keepLine(): Promise<void> {
    let pauseMs = RECONNECT_MIN_MS;
    let failure = await this.#lost();
    while (!this.#stopping.signal.aborted) {
      // Jitter keeps the tabs of one relay from coming back in the same moment.
      const waitMs = pauseMs * (0.75 + Math.random() / 2);
      this.#events.onLost(failure, Date.now() + waitMs);
      void this.#reporting.look();
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      await this.#pause(waitMs);
      // oxlint-disable-next-line no-await-in-loop
      await this.#away?.promise;
      try {
        // oxlint-disable-next-line no-await-in-loop
        await this.#join();
        pauseMs = RECONNECT_MIN_MS;
        // oxlint-disable-next-line no-await-in-loop
        failure = await this.#lost();
      } catch (error) {
        failure =
          error instanceof FailureError
            ? error
            : new FailureError("disconnected", "the relay does not answer", { cause: error });
        pauseMs = Math.min(pauseMs * 2, RECONNECT_MAX_MS);
      }
    }
  }

  async #lost(): Promise<FailureError> {
    const failure = await this.#line?.ended;
    this.#line = undefined;
    return failure ?? new FailureError("disconnected", "the line to the relay is closed");
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#hurry = resolve;
    this.#stopping.signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    this.#hurry = undefined;
    clearTimeout(timer);
  }
}
