import { createMemoryPins } from "../ledger/memory-pins.ts";
import { contactRelay, type PinStore, type RelayContact } from "../ledger/relay-contact.ts";
import { serveBlobs } from "../mesh/blob-exchange.ts";
import { relayAddress } from "../mesh/mesh-address.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import type { Plan } from "../plan/plan.ts";
import { checkClock } from "../protocol/check-clock.ts";
import { type Cid, cidOf, RAW } from "../protocol/cid.ts";
import { SEED_BYTES, verifierOf } from "../protocol/ed25519.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { AccountView, IceServer, PublishedModel, RelayInfo } from "../protocol/relay-api.ts";
import { type SessionIdentity, startSessionIdentity } from "../protocol/session-identity.ts";
import type { JobOptions, MapResult } from "./job-options.ts";
import { embed } from "./embed.ts";
import { generate } from "./generate.ts";
import type { JobRunOptions } from "./job-run-options.ts";
import { JobRun } from "./job-run.ts";
import { SECOND_DRAW_CLOSE_MS } from "./limits.ts";
import { Lookout } from "./lookout.ts";
import { randomBytes, saltSource } from "./salts.ts";
import { type JobGround, makeJob } from "./make-job.ts";
import type { Embeddings, GenerateRequest, Generation, JobPayer, ModelJobOptions } from "./model-options.ts";
import type { ModelPorts } from "./model-ports.ts";
import type { HoldRunsOptions, PlanParams, PlanRun, PlanRunOptions } from "./plan-run.ts";
import { chargedBy } from "./runs/charged-by.ts";
import type { HostedSchedule, HostScheduleOptions, ScheduleGround } from "./runs/host-schedule.ts";
import type { RunGround } from "./runs/run-ground.ts";
import type { JobHandle, RunResult, Tabmesh } from "./tabmesh.ts";
import { taskSeed } from "./work-queue.ts";

export interface ConnectOptions {
  /** Origin of the relay's HTTP server, as in "http://localhost:8787". */
  readonly relay: string;
  /**
   * Seed of the identity that pays, 32 bytes, to be kept secret and safe. Without one a new identity is made, which a
   * relay on this machine grants test credits.
   */
  readonly seed?: Uint8Array;
  /** Where the relay's keys are pinned. Default: for as long as the program runs. */
  readonly pins?: PinStore;
  /** STUN and TURN servers. Default: those the relay names. */
  readonly iceServers?: readonly IceServer[];
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
}

async function* eachOf(inputs: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* inputs;
}

function largestOf(inputs: readonly Uint8Array[]): number {
  return inputs.reduce((most, { length }) => Math.max(most, length), 0);
}

/** Contacts a relay and joins the mesh. @throws FailureError when the relay cannot be reached or contradicts its pinned keys. */
export async function connect(options: ConnectOptions): Promise<Tabmesh> {
  const client = createRelayClient({ baseUrl: options.relay, fetch: (input, init) => fetch(input, init) });
  const seeds = { root: options.seed ?? randomBytes(SEED_BYTES), session: randomBytes(SEED_BYTES) };
  const [contact, identity] = await Promise.all([
    contactRelay(client, options.pins ?? createMemoryPins(), verifierOf(crypto.subtle), Date.now()),
    startSessionIdentity(crypto.subtle, seeds, Date.now()),
  ]);
  checkClock(contact.info, Date.now());
  const relay = relayAddress(options.relay, contact.info.peer);
  const mesh = await joinMesh({
    privateKey: identity.seed,
    relay,
    iceServers: options.iceServers ?? contact.info.iceServers,
  });
  await mesh.start();
  return new RequesterClient(client, contact, identity, mesh, relay);
}

interface MeshSettings {
  readonly privateKey: Uint8Array;
  readonly relay: string;
  readonly iceServers: readonly IceServer[];
}

/** The mesh of where this runs: a page or Node. */
async function joinMesh(settings: MeshSettings): Promise<Mesh> {
  if ("document" in globalThis) {
    const { createTabMesh } = await import("../mesh/tab-mesh.ts");
    return createTabMesh(settings);
  }
  const { createNodeMesh } = await import("../mesh/node-mesh.ts");
  return createNodeMesh(settings);
}

class RequesterClient implements Tabmesh {
  readonly relay: RelayInfo;
  readonly requester: PeerId;
  readonly #client: RelayClient;
  readonly #contact: RelayContact;
  readonly #identity: SessionIdentity;
  readonly #mesh: Mesh;
  readonly #lookout: Lookout;
  readonly #blobs = new Map<Cid, Uint8Array>();
  readonly #runs = new Set<JobRun>();
  readonly #planRuns = new Set<PlanRun>();
  /** Of runs under way. */
  readonly #values = new Set<(cid: Cid) => Uint8Array | undefined>();
  readonly #relayAddress: string;
  readonly #stopServing: () => void;

  constructor(
    client: RelayClient,
    contact: RelayContact,
    identity: SessionIdentity,
    mesh: Mesh,
    relay: string,
  ) {
    this.relay = contact.info;
    this.requester = identity.root;
    this.#client = client;
    this.#contact = contact;
    this.#identity = identity;
    this.#mesh = mesh;
    this.#lookout = new Lookout({ mesh, relay });
    this.#relayAddress = relay;
    this.#stopServing = serveBlobs(mesh, (cid) => Promise.resolve(this.#find(cid)));
  }

  #find(cid: Cid): Uint8Array | undefined {
    const known = this.#blobs.get(cid);
    if (known !== undefined) return known;
    for (const find of this.#values) {
      const value = find(cid);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  async map(
    module: Uint8Array,
    inputs: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    options: JobOptions = {},
  ): Promise<JobHandle> {
    const total = Array.isArray(inputs) ? inputs.length : undefined;
    const maxTasks = options.maxTasks ?? total;
    const largestInput = Array.isArray(inputs) ? largestOf(inputs) : undefined;
    const job = await makeJob(
      module,
      { ...options, ...(maxTasks === undefined ? {} : { maxTasks: Math.max(1, maxTasks) }) },
      await this.#ground(largestInput, undefined),
    );
    for (const [cid, bytes] of job.blobs) this.#blobs.set(cid, bytes);
    const run = this.#start({
      job,
      inputs: eachOf(inputs),
      ...(total === undefined ? {} : { total }),
      options,
    });
    return {
      job: job.id,
      seed: (index) => taskSeed(job.body.nonce, index),
      summary: run.summary,
      cancel: () => run.cancel(),
      [Symbol.asyncIterator]: () => run.results[Symbol.asyncIterator](),
    };
  }

  async run(module: Uint8Array, input: Uint8Array, options: JobOptions = {}): Promise<RunResult> {
    const handle = await this.map(module, [input], { parallel: 1, ...options });
    let result: MapResult | undefined;
    for await (const each of handle) result = each;
    const summary = await handle.summary;
    if (result?.kind === "done") {
      return { output: result.output, outputCid: result.outputCid, fuel: result.fuel, summary };
    }
    throw result === undefined
      ? new FailureError("cancelled", "the job ended without a result")
      : new FailureError(result.code, result.detail);
  }

  generate(model: string, request: GenerateRequest, options: ModelJobOptions = {}): Generation {
    return generate(this.#modelPorts(), model, request, options);
  }

  embed(model: string, texts: readonly string[], options: ModelJobOptions = {}): Promise<Embeddings> {
    return embed(this.#modelPorts(), model, texts, options);
  }

  async startRun(plan: Plan, params: PlanParams = {}, options: PlanRunOptions = {}): Promise<PlanRun> {
    const { startRun } = await import("./runs/start-run.ts");
    return this.#follow(await startRun(this.#runGround(options), plan, params, options));
  }

  async continueRun(run: Cid, options: PlanRunOptions = {}): Promise<PlanRun> {
    const { continueRun } = await import("./runs/continue-run.ts");
    return this.#follow(await continueRun(this.#runGround(options), run, options));
  }

  async holdRuns(options: HoldRunsOptions = {}): Promise<void> {
    const { holdRuns } = await import("./runs/standing-runs.ts");
    await holdRuns(this.#runGround({}), (run) => this.#follow(run), options);
  }

  async hostSchedule(schedule: HostedSchedule, options: HostScheduleOptions = {}): Promise<void> {
    const { hostSchedule, startOnce } = await import("./runs/standing-runs.ts");
    const ground = this.#runGround(schedule.run ?? {});
    const start: ScheduleGround["start"] = async (...run) => this.#follow(await startOnce(ground, ...run));
    await hostSchedule({ root: ground.root, now: ground.now, start }, schedule, options);
  }

  #runGround({ modules = [] }: PlanRunOptions): RunGround {
    for (const module of modules) this.#blobs.set(cidOf(RAW, module), module);
    const { root, signer } = this.#identity;
    return {
      client: this.#client,
      info: this.relay,
      mesh: this.#mesh,
      relay: this.#relayAddress,
      root,
      signer,
      verify: verifierOf(crypto.subtle),
      now: () => Date.now(),
      available: async () => (await this.account())?.available,
      serve: (find) => {
        this.#values.add(find);
        return () => void this.#values.delete(find);
      },
      performer: {
        self: root,
        name: (name, signal) => this.#client.name(name, signal),
        ground: () => this.#plainGround(),
        start: (parts) => this.#start(parts),
        charged: (job) => chargedBy(this.#client, job),
      },
    };
  }

  #follow(run: PlanRun): PlanRun {
    this.#planRuns.add(run);
    void run.summary.finally(() => this.#planRuns.delete(run));
    return run;
  }

  models(): Promise<readonly PublishedModel[]> {
    return this.#client.models();
  }

  async account(): Promise<AccountView | undefined> {
    try {
      return await this.#client.account(this.requester);
    } catch (error) {
      if (error instanceof FailureError && error.code === failureCode("not-found")) return undefined;
      throw error;
    }
  }

  #modelPorts(): ModelPorts {
    return {
      client: this.#client,
      ground: (largestInput, payer) => this.#ground(largestInput, payer),
      start: (job, inputs, { watch, ...options }) =>
        this.#start({ job, inputs: eachOf(inputs), total: inputs.length, options, watch }),
    };
  }

  async #ground(largestInput: number | undefined, payer?: JobPayer): Promise<JobGround> {
    const available = payer?.available ?? (await this.account())?.available;
    const plain = this.#plainGround();
    return {
      ...plain,
      payer: payer?.account ?? plain.payer,
      apiKey: payer?.apiKey,
      available,
      largestInput,
    };
  }

  /** Of a job that this requester pays itself. */
  #plainGround(): Omit<JobGround, "apiKey" | "available" | "largestInput"> {
    return {
      info: this.relay,
      requester: this.requester,
      payer: this.requester,
      signer: this.#identity.signer,
      nowMs: Date.now(),
      nonce: randomBytes(16),
      drawSecret: randomBytes(32),
    };
  }

  #start(parts: Pick<JobRunOptions, "job" | "inputs" | "total" | "options" | "watch" | "steps">): JobRun {
    const run = new JobRun({
      ...parts,
      mesh: this.#mesh,
      client: this.#client,
      contact: this.#contact,
      lookout: this.#lookout,
      ports: {
        signer: this.#identity.signer,
        verify: verifierOf(crypto.subtle),
        randomSalt: saltSource(),
        sha256,
      },
      now: () => Date.now(),
    });
    this.#runs.add(run);
    void this.#forgetWhenEnded(run);
    return run;
  }

  async close(): Promise<void> {
    for (const run of this.#planRuns) run.cancel();
    await Promise.allSettled([...this.#planRuns].map((run) => run.summary));
    for (const run of this.#runs) run.cancel();
    await Promise.allSettled([...this.#runs].map((run) => run.summary));
    await this.#endSecondDraws();
    this.#stopServing();
    this.#lookout.close();
    await this.#mesh.stop();
  }

  /** Waits for what a job leaves to do after its end, a little. */
  async #endSecondDraws(): Promise<void> {
    const draws = [...this.#runs].map(({ secondDraw }) => secondDraw);
    const late = setTimeout(() => {
      for (const draw of draws) draw.stop();
    }, SECOND_DRAW_CLOSE_MS);
    await Promise.all(draws.map(({ over }) => over));
    clearTimeout(late);
  }

  async #forgetWhenEnded(run: JobRun): Promise<void> {
    await Promise.allSettled([run.summary]);
    await run.secondDraw.over;
    this.#runs.delete(run);
  }
}
