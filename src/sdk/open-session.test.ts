import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { createLogView } from "../ledger/log-view.ts";
import type { RelayContact } from "../ledger/relay-contact.ts";
import { FrameStream } from "../mesh/frame-stream.ts";
import { createMemoryNetwork } from "../mesh/memory-mesh.ts";
import { signCheckpoint } from "../protocol/checkpoint.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import { signerFromSeed, verifierOf } from "../protocol/ed25519.ts";
import { seal } from "../protocol/envelope.ts";
import { failureKind } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { greet } from "../protocol/greeting.ts";
import { header } from "../protocol/header.ts";
import { leafHash, MerkleTree } from "../protocol/merkle.ts";
import { acceptMessage, type Lease, leaseMessage } from "../protocol/messages/lease.ts";
import { keyFromPeerId } from "../protocol/peer-id.ts";
import { WORK_PROTOCOL } from "../protocol/protocol-id.ts";
import { type SessionIdentity, startSessionIdentity } from "../protocol/session-identity.ts";
import type { Signer } from "../protocol/signature.ts";
import type { Tariff } from "../protocol/tariff.ts";
import { microCredits } from "../protocol/units.ts";
import { FRAME } from "../protocol/work-frame.ts";
import type { WorkOrder } from "../provider/check-open.ts";
import { ASSET, leasePair, ORIGIN, seed, sha256, TARIFF } from "./lease-pair.contract.ts";
import type { MadeJob } from "./make-job.ts";
import { openSession, verifyGrant } from "./open-session.ts";
import type { RequesterPorts } from "./requester-session.ts";

const verify = verifierOf(crypto.subtle);
const HEAD = header(ORIGIN, ASSET);

let order: WorkOrder;
let job: MadeJob;
let us: SessionIdentity;
let them: SessionIdentity;
let log: Signer;
let leaseKey: Signer;
let stranger: SessionIdentity;
let ports: RequesterPorts;

function identity(root: number, session: number): Promise<SessionIdentity> {
  return startSessionIdentity(crypto.subtle, { root: seed(root), session: seed(session) }, Date.now());
}

beforeAll(async () => {
  const pair = await leasePair({ module: new Uint8Array() });
  pair.stop();
  ({ order } = pair);
  const { id, body, bytes } = order.job;
  job = {
    id,
    body,
    envelope: bytes,
    args: new Uint8Array(),
    blobs: new Map(),
    drawSecret: new Uint8Array(32),
  };
  [us, them, stranger] = await Promise.all([identity(2, 3), identity(4, 5), identity(30, 31)]);
  leaseKey = await signerFromSeed(crypto.subtle, seed(1));
  log = await signerFromSeed(crypto.subtle, seed(40));
  ports = {
    signer: us.signer,
    verify,
    randomSalt: () => new Uint8Array(16),
    sha256,
    onRoom: () => undefined,
  };
});

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function note(entry: string): Promise<string> {
  const tree = new MerkleTree();
  tree.append(leafHash(new TextEncoder().encode(entry)));
  return signCheckpoint({ origin: ORIGIN, size: 1, root: tree.root() }, keyFromPeerId(log.key), (message) =>
    log.sign(message),
  );
}

/** A relay's log with one entry, already believed. */
async function contact(): Promise<RelayContact> {
  const checkpoint = await note("true");
  const keys = { log: log.key, lease: leaseKey.key, draw: leaseKey.key };
  return {
    info: {
      name: "",
      version: "0",
      origin: ORIGIN,
      asset: ASSET,
      testMoney: true,
      wireVersions: [1],
      profiles: [0],
      keys,
      tariff: TARIFF,
      policy: order.lease.body.policy,
      peer: log.key,
      addresses: [],
      iceServers: [],
    },
    keys,
    log: createLogView({
      origin: ORIGIN,
      trusted: { logKey: log.key, checkpoint },
      fetchCheckpoint: () => Promise.resolve(checkpoint),
      fetchConsistency: () => Promise.resolve([]),
      verify,
      remember: () => Promise.resolve(),
    }),
    note: () => checkpoint,
  };
}

async function outcomeOf(step: Promise<unknown>): Promise<string> {
  try {
    await step;
    return "accepted";
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return `${failureKind(error.code).name}: ${error.detail}`;
  }
}

async function granted(changes: Partial<Lease> = {}, signer: Signer = leaseKey, tariff: Tariff = TARIFF) {
  const lease = await seal(leaseMessage, { ...order.lease.body, ...changes }, [signer]);
  return verifyGrant({ lease, tariff, addresses: [] }, job, await contact(), ports);
}

describe("a lease that the relay answers with", () => {
  test("is taken when it is this job's, for this key, under the relay's lease key", async () => {
    expect(await outcomeOf(granted())).toBe("accepted");
  });

  test("is refused under another key, for another job, key, relay or price", async () => {
    expect(await outcomeOf(granted({}, stranger.signer))).toMatch(/^bad-signature/u);
    expect(await outcomeOf(granted({}, log))).toMatch(/^bad-signature/u);
    expect(await outcomeOf(granted({ job: cidOf(RAW, Uint8Array.of(0)) }))).toMatch(/^malformed/u);
    expect(await outcomeOf(granted({ requesterKey: stranger.signer.key }))).toMatch(/^malformed/u);
    expect(await outcomeOf(granted({ ...header("relay.example/other", ASSET) }))).toMatch(/^wrong-relay/u);
    const dear = { ...TARIFF, perTask: microCredits(99) };
    expect(await outcomeOf(granted({}, leaseKey, dear))).toMatch(/^malformed/u);
  });
});

interface Answering {
  /** Who answers at the provider's address. */
  readonly hello?: Signer;
  readonly accept?: Signer;
  readonly acceptLease?: Lease["job"];
  readonly note?: string;
  /** Accepts before it has greeted. */
  readonly hasty?: boolean;
}

/** Opens a session at a provider that answers so. */
async function opened(answering: Answering = {}): Promise<unknown> {
  const network = createMemoryNetwork();
  const here = network.join(us.signer.key);
  const there = network.join((answering.hello ?? them.signer).key);
  await Promise.all([here.start(), there.start()]);
  closing.push(() => {
    void here.stop();
    void there.stop();
  });
  const lease = answering.acceptLease ?? order.lease.id;
  const accept = await seal(acceptMessage, { ...HEAD, lease }, [answering.accept ?? them.signer]);
  const hello = await greet("provider", HEAD, answering.hello ?? them.signer, answering.note);
  there.handle(WORK_PROTOCOL, (stream) => {
    const frames = new FrameStream(stream);
    frames.onFrame(
      (kind) => {
        if (kind === FRAME.hello && answering.hasty !== true) void frames.sendFrame(FRAME.hello, hello);
        else void frames.sendFrame(FRAME.accept, accept);
      },
      () => undefined,
    );
  });
  const { bytes } = order.lease;
  const grant = { lease: bytes, tariff: TARIFF, addresses: [`/p2p/${there.peerId}`] };
  return openSession({
    mesh: here,
    contact: await contact(),
    job,
    granted: { lease: order.lease, grant },
    ports,
    signal: AbortSignal.timeout(10_000),
    now: Date.now,
  });
}

describe("a requester that calls a provider", () => {
  test("begins when the lease's own provider accepts", async () => {
    expect(await outcomeOf(opened())).toBe("accepted");
  });

  test("shows its job to nobody but the provider of the lease", async () => {
    expect(await outcomeOf(opened({ hello: stranger.signer }))).toMatch(/^wrong-peer/u);
    expect(await outcomeOf(opened({ hasty: true }))).toMatch(/^malformed: accept/u);
  });

  test("is not begun by the acceptance of another key or lease", async () => {
    expect(await outcomeOf(opened({ accept: stranger.signer }))).toMatch(/^malformed: accept/u);
    expect(await outcomeOf(opened({ acceptLease: cidOf(RAW, Uint8Array.of(0)) }))).toMatch(
      /^malformed: accept/u,
    );
  });

  test("finds a split view: the provider's checkpoint contradicts the one it holds", async () => {
    expect(await outcomeOf(opened({ note: await note("true") }))).toBe("accepted");
    expect(await outcomeOf(opened({ note: await note("another history") }))).toMatch(/^forged-checkpoint/u);
  });
});
