import { createMemoryPins } from "../ledger/memory-pins.ts";
import { contactRelay, type PinStore, type RelayContact } from "../ledger/relay-contact.ts";
import { serveBlobs } from "../mesh/blob-exchange.ts";
import { relayAddress } from "../mesh/mesh-address.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import type { Plan } from "../plan/plan.ts";
import { checkClock } from "../protocol/check-clock.ts";
import type { Cid } from "../protocol/cid.ts";
import { SEED_BYTES, verifierOf } from "../protocol/ed25519.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { AccountView, IceServer, PublishedModel, RelayInfo } from "../protocol/relay-api.ts";
import { type SessionIdentity, startSessionIdentity } from "../protocol/session-identity.ts";
import type { JobOptions, JobSummary, MapResult } from "./job-options.ts";
import { embed } from "./embed.ts";
import { generate } from "./generate.ts";
import type { JobRunOptions } from "./job-run-options.ts";
import { JobRun } from "./job-run.ts";
import { SALTS_IN_STOCK, SECOND_DRAW_CLOSE_MS } from "./limits.ts";
import { Lookout } from "./lookout.ts";
import { type JobGround, makeJob } from "./make-job.ts";
import type { Embeddings, GenerateRequest, Generation, JobPayer, ModelJobOptions } from "./model-options.ts";
import type { ModelPorts } from "./model-ports.ts";
import type { PlanParams, PlanRun, PlanRunOptions } from "./plan-run.ts";
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

/** One job under way: iterate over it for the results, in the order they become final. */
export interface JobHandle extends AsyncIterable<MapResult> {
  readonly job: Cid;
  /** What clock and randomness of an input's task follow from, 32 bytes: with it anybody computes the same again. */
  seed(index: number): Uint8Array;
  /** Resolves after the last receipt is logged and the rest refunded. Rejects when the job could not be carried out. */
  readonly summary: Promise<JobSummary>;
  /** Cancels what is open at the providers and refunds the rest. */
  cancel(): void;
}

export interface RunResult {
  readonly output: Uint8Array;
  readonly outputCid: Cid;
  readonly fuel: bigint;
  readonly summary: JobSummary;
}

/**
 * A requester at one relay. Providers can read the inputs they are given: send nothing that a stranger must not see.
 */
export interface Tabmesh {
  readonly relay: RelayInfo;
  /** The account that pays. */
  readonly requester: PeerId;
  /**
   * Runs a function on every input. Inputs are taken as providers have room (back-pressure), results come as they become
   * final, in any order; unfinished tasks of a provider that leaves are given to another.
   * @param module the WASM module. @param inputs bytes for each task.
   */
  map(
    module: Uint8Array,
    inputs: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    options?: JobOptions,
  ): Promise<JobHandle>;
  /** Runs a function once. @throws FailureError with the function's own failure, or why it could not be run. */
  run(module: Uint8Array, input: Uint8Array, options?: JobOptions): Promise<RunResult>;
  /**
   * Writes a text, token by token; what is told is signed for. When a provider leaves, another one goes on, with the same
   * words: drawing follows from the seed and the position alone.
   * @param model published name, or the CID of a manifest
   */
  generate(model: string, request: GenerateRequest, options?: ModelJobOptions): Generation;
  /**
   * Turns texts into vectors of length 1, shared out over providers.
   * @param model published name, or the CID of a manifest
   */
  embed(model: string, texts: readonly string[], options?: ModelJobOptions): Promise<Embeddings>;
  /**
   * Runs a plan: its steps at providers, data straight from one to the next, and one budget for all of it.
   * @throws FailureError `malformed` naming the node, for a plan or parameters that cannot be run; `insufficient-funds` where
   * the budget covers not one step; what the relay says to the run.
   */
  startRun(plan: Plan, params?: PlanParams, options?: PlanRunOptions): Promise<PlanRun>;
  /**
   * Goes on with a run that this identity started, or is named a holder of: from the steps that its peers and the relay have.
   * @throws FailureError `not-found`; `denied` where it is neither.
   */
  continueRun(run: Cid, options?: PlanRunOptions): Promise<PlanRun>;
  /** What the relay keeps for everybody. */
  models(): Promise<readonly PublishedModel[]>;
  account(): Promise<AccountView | undefined>;
  /**
   * Cancels what is open and leaves the mesh. Waits up to five seconds for the openings that follow a job: results that the
   * requester's own secret has drawn to be recomputed.
   */
  close(): Promise<void>;
}

const SALT_BYTES = 16;

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** Salts in stock: a call for each costs as much as all the rest of sending a small task. */
function saltSource(): () => Uint8Array {
  let stock = new Uint8Array(0);
  return () => {
    if (stock.length === 0) stock = randomBytes(SALT_BYTES * SALTS_IN_STOCK);
    const salt = stock.slice(0, SALT_BYTES);
    stock = stock.subarray(SALT_BYTES);
    return salt;
  };
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
  return new RequesterClient(client, contact, identity, mesh, new Lookout({ mesh, relay }));
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
  readonly #stopServing: () => void;

  constructor(
    client: RelayClient,
    contact: RelayContact,
    identity: SessionIdentity,
    mesh: Mesh,
    lookout: Lookout,
  ) {
    this.relay = contact.info;
    this.requester = identity.root;
    this.#client = client;
    this.#contact = contact;
    this.#identity = identity;
    this.#mesh = mesh;
    this.#lookout = lookout;
    this.#stopServing = serveBlobs(mesh, (cid) => Promise.resolve(this.#blobs.get(cid)));
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

  startRun(_plan: Plan, _params: PlanParams = {}, _options: PlanRunOptions = {}): Promise<PlanRun> {
    return Promise.reject(new FailureError("unsupported", "plans are not run here yet"));
  }

  continueRun(_run: Cid, _options: PlanRunOptions = {}): Promise<PlanRun> {
    return Promise.reject(new FailureError("unsupported", "plans are not run here yet"));
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
    return {
      info: this.relay,
      requester: this.requester,
      payer: payer?.account ?? this.requester,
      apiKey: payer?.apiKey,
      signer: this.#identity.signer,
      available,
      largestInput,
      nowMs: Date.now(),
      nonce: randomBytes(16),
      drawSecret: randomBytes(32),
    };
  }

  #start(parts: Pick<JobRunOptions, "job" | "inputs" | "total" | "options" | "watch">): JobRun {
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
