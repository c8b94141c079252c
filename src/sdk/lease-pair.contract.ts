import { FrameStream } from "../mesh/frame-stream.ts";
import { createMemoryNetwork } from "../mesh/memory-mesh.ts";
import type { MeshStream } from "../mesh/mesh.ts";
import { cidOf, DAG_CBOR, RAW } from "../protocol/cid.ts";
import { SEED_BYTES, signerFromSeed, verifierOf } from "../protocol/ed25519.ts";
import { openEnvelope, seal, type Verified, verified } from "../protocol/envelope.ts";
import { header } from "../protocol/header.ts";
import { encodeJobArgs, type Job, jobMessage } from "../protocol/messages/job.ts";
import { type Lease, leaseMessage } from "../protocol/messages/lease.ts";
import { WORK_PROTOCOL } from "../protocol/protocol-id.ts";
import { startSessionIdentity } from "../protocol/session-identity.ts";
import type { Signer } from "../protocol/signature.ts";
import { type Tariff, tariffCid } from "../protocol/tariff.ts";
import { fuel, microCredits } from "../protocol/units.ts";
import type { WorkOrder } from "../provider/check-open.ts";
import type { CountersignedReceipt } from "../provider/provider-channel.ts";
import type { LoadedWork, SessionPorts } from "../provider/session-ports.ts";
import type { SandboxThread } from "../provider/sandbox-thread.ts";
import { WorkerPool } from "../provider/worker-pool.ts";
import { WorkSession } from "../provider/work-session.ts";
import { createSandbox } from "../sandbox/sandbox.ts";
import { RequesterSession, type RequesterPorts } from "./requester-session.ts";

/** The real sandbox in this thread; for tests of what happens around it. */
export function sandboxHere(): SandboxThread {
  const sandbox = createSandbox();
  return {
    load: (cid, bytes) => sandbox.load(cid, bytes),
    runAll: (requests) => Promise.all(requests.map(async (request) => sandbox.run(request))),
    rest: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    terminate: () => undefined,
    onDeath: () => undefined,
  };
}

export const TARIFF: Tariff = {
  perGfuel: microCredits(1_000_000),
  perTask: microCredits(10),
  perKiB: microCredits(1),
  perInstantiation: microCredits(2),
};

export const ORIGIN = "localhost/test";
export const ASSET = "test:localhost/test";

export function seed(fill: number): Uint8Array {
  return new Uint8Array(SEED_BYTES).fill(fill);
}

export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
}

export interface LeasePair {
  readonly requester: RequesterSession;
  readonly provider: WorkSession;
  readonly order: WorkOrder;
  readonly saved: CountersignedReceipt[];
  readonly ports: RequesterPorts;
  readonly streams: { readonly requester: MeshStream; readonly provider: MeshStream };
  /** Changes frames on their way from the provider to the requester. */
  fromProvider: (kind: number, payload: Uint8Array) => Uint8Array | undefined;
  /** Changes frames on their way from the requester to the provider. */
  fromRequester: (kind: number, payload: Uint8Array) => Uint8Array | undefined;
  stop(): void;
}

export interface PairOptions {
  readonly module: Uint8Array;
  readonly lease?: Partial<Lease>;
  readonly job?: Partial<Job>;
  readonly threads?: number;
  /** Fills of the provider's seeds, root and session; 4 and 5 when absent. */
  readonly seeds?: readonly [root: number, session: number];
  /** What runs the tasks instead of the module in a sandbox. */
  readonly work?: LoadedWork;
  /** A relay that keeps the books of the lease; without one nobody has heard of it. */
  readonly relay?: PairRelay;
  /** Ports of the provider's session that are not the plain ones. */
  readonly provider?: Partial<SessionPorts>;
}

/** A relay, as far as a lease comes to be by it. */
export interface PairRelay {
  readonly signer: Signer;
  /** Sets the job's money aside. @returns the escrow's entry */
  openJob(job: Verified<Job>): Promise<number>;
  addLease(lease: Verified<Lease>): Promise<void>;
}

/** Both sides of one lease in one process, over a memory mesh, with real signatures and the real sandbox. */
export async function leasePair(options: PairOptions): Promise<LeasePair> {
  const relayLease = options.relay?.signer ?? (await signerFromSeed(crypto.subtle, seed(1)));
  const now = Date.now();
  const [theirRoot, theirSession] = options.seeds ?? [4, 5];
  const [us, them] = await Promise.all([
    startSessionIdentity(crypto.subtle, { root: seed(2), session: seed(3) }, now),
    startSessionIdentity(crypto.subtle, { root: seed(theirRoot), session: seed(theirSession) }, now),
  ]);
  const verify = verifierOf(crypto.subtle);
  const args = { args: [], env: [], files: [] };
  const jobBody: Job = {
    ...header(ORIGIN, ASSET),
    requester: us.root,
    payer: us.root,
    nonce: new Uint8Array(16).fill(9),
    issuedAt: now,
    expires: now + 3_600_000,
    work: {
      kind: "function",
      cid: cidOf(RAW, options.module),
      entry: "tabmesh_run",
      abi: "bytes-1",
      profile: 1,
      effects: [],
    },
    argsCid: cidOf(DAG_CBOR, encodeJobArgs(args)),
    limits: {
      fuel: fuel(100_000_000),
      memory: 16 * 1024 * 1024,
      output: 8 * 1024 * 1024,
      deadlineMs: 10_000,
    },
    maxTasks: 100_000,
    parallel: 1,
    cap: microCredits(1_000_000_000_000),
    tariffMax: TARIFF,
    verify: { policy: "sampled", k: 1, disclosure: "relay", drawCommit: new Uint8Array(32) },
    ...options.job,
  };
  const job = await verified(openEnvelope(jobMessage, await seal(jobMessage, jobBody, [us.signer])), verify);
  const leaseBody: Lease = {
    ...header(ORIGIN, ASSET),
    job: job.id,
    rev: 0,
    provider: them.root,
    instance: them.signer.key,
    requesterKey: us.signer.key,
    replica: 0,
    gateway: false,
    budget: microCredits(1_000_000_000_000),
    tariff: tariffCid(TARIFF),
    profile: 1,
    policy: cidOf(RAW, Uint8Array.of(1)),
    windowMax: 64,
    inflightMax: 512,
    startFee: microCredits(5),
    disputeDeposit: microCredits(0),
    holdBytes: 1 << 20,
    issuedAt: now,
    firstTaskMs: 10_000,
    dispatchMs: 600_000,
    reportMs: 700_000,
    openMs: 60_000,
    escrowIndex: (await options.relay?.openJob(job)) ?? 0,
    checkpoint: "",
    ...options.lease,
  };
  const lease = await verified(
    openEnvelope(leaseMessage, await seal(leaseMessage, leaseBody, [relayLease])),
    verify,
  );
  await options.relay?.addLease(lease);
  const order: WorkOrder = { job, lease, tariff: TARIFF, args };

  const network = createMemoryNetwork();
  const here = network.join(us.signer.key);
  const there = network.join(them.signer.key);
  await Promise.all([here.start(), there.start()]);
  const arrived = Promise.withResolvers<MeshStream>();
  there.handle(WORK_PROTOCOL, (stream) => arrived.resolve(stream));
  const near = await here.dial(`/p2p/${them.signer.key}`, WORK_PROTOCOL, {
    signal: AbortSignal.timeout(5_000),
  });
  const far = await arrived.promise;

  const saved: CountersignedReceipt[] = [];
  const pool = new WorkerPool(sandboxHere, options.threads ?? 1);
  const farFrames = new FrameStream(far);
  const nearFrames = new FrameStream(near);
  const provider = new WorkSession(farFrames, order, {
    signer: them.signer,
    verify,
    pool,
    loadWork: () =>
      Promise.resolve(
        options.work ?? {
          kind: "function",
          spec: { cid: job.body.work.cid, abi: "bytes-1", entry: job.body.work.entry },
          module: options.module,
          args: { args: [], env: {}, files: [] },
        },
      ),
    saveReceipt: (receipt) => saved.push(receipt),
    onTask: () => undefined,
    onOutcome: () => undefined,
    onEnded: () => undefined,
    ...options.provider,
  });
  const ports: RequesterPorts = {
    signer: us.signer,
    verify,
    randomSalt: () => crypto.getRandomValues(new Uint8Array(16)),
    sha256,
    onRoom: () => undefined,
  };
  const requester = new RequesterSession(nearFrames, { job, lease, tariff: TARIFF }, ports, true);
  const pair: LeasePair = {
    requester,
    provider,
    order,
    saved,
    ports,
    streams: { requester: near, provider: far },
    fromProvider: (_, payload) => payload,
    fromRequester: (_, payload) => payload,
    stop() {
      pool.stop();
      void here.stop();
      void there.stop();
    },
  };
  farFrames.onFrame(
    (kind, payload) => {
      const passed = pair.fromRequester(kind, payload);
      if (passed === undefined) return;
      try {
        provider.frame(kind, passed);
      } catch (error) {
        provider.fail(error as never);
      }
    },
    (failure) => provider.disconnected(failure),
  );
  nearFrames.onFrame(
    (kind, payload) => {
      const passed = pair.fromProvider(kind, payload);
      if (passed === undefined || kind === 3) return;
      try {
        requester.frame(kind, passed);
      } catch (error) {
        requester.fail(error as never);
      }
    },
    (failure) => requester.disconnected(failure),
  );
  await provider.start();
  return pair;
}
