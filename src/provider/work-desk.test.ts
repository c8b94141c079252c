import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { createMemoryPins } from "../ledger/memory-pins.ts";
import { contactRelay, type RelaySource } from "../ledger/relay-contact.ts";
import { FrameStream } from "../mesh/frame-stream.ts";
import { createMemoryNetwork } from "../mesh/memory-mesh.ts";
import { signCheckpoint } from "../protocol/checkpoint.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import { signerFromSeed, verifierOf } from "../protocol/ed25519.ts";
import { bodyId, seal } from "../protocol/envelope.ts";
import { failureKind } from "../protocol/failure-code.ts";
import { greet } from "../protocol/greeting.ts";
import { header } from "../protocol/header.ts";
import { leafHash, MerkleTree } from "../protocol/merkle.ts";
import { encodeEntryOf, type EscrowBody } from "../protocol/messages/entry.ts";
import { encodeJobArgs, type Job, type JobArgs, jobMessage } from "../protocol/messages/job.ts";
import { type Lease, leaseMessage } from "../protocol/messages/lease.ts";
import { keyFromPeerId, type PeerId } from "../protocol/peer-id.ts";
import { WORK_PROTOCOL } from "../protocol/protocol-id.ts";
import type { RelayInfo } from "../protocol/relay-api.ts";
import { decode, encode } from "../protocol/schema.ts";
import { type SessionIdentity, startSessionIdentity } from "../protocol/session-identity.ts";
import type { Signer } from "../protocol/signature.ts";
import { type Tariff, tariffCid } from "../protocol/tariff.ts";
import { microCredits } from "../protocol/units.ts";
import { failureSchema, FRAME, openSchema } from "../protocol/work-frame.ts";
import { ASSET, leasePair, ORIGIN, sandboxHere, seed, TARIFF } from "../sdk/lease-pair.contract.ts";
import type { WorkOrder } from "./check-open.ts";
import { WorkDesk } from "./work-desk.ts";
import { WorkerPool } from "./worker-pool.ts";

const verify = verifierOf(crypto.subtle);
const NO_ARGS: JobArgs = { args: [], env: [], files: [] };
const HEAD = header(ORIGIN, ASSET);
const NOBODY = cidOf(RAW, Uint8Array.of(0));

let order: WorkOrder;
let us: SessionIdentity;
let them: SessionIdentity;
let relayKeys: { readonly log: Signer; readonly lease: Signer; readonly stranger: Signer };

beforeAll(async () => {
  const pair = await leasePair({ module: new Uint8Array() });
  pair.stop();
  ({ order } = pair);
  us = await startSessionIdentity(crypto.subtle, { root: seed(2), session: seed(3) }, Date.now());
  them = await startSessionIdentity(crypto.subtle, { root: seed(4), session: seed(5) }, Date.now());
  relayKeys = {
    lease: await signerFromSeed(crypto.subtle, seed(1)),
    log: await signerFromSeed(crypto.subtle, seed(40)),
    stranger: await signerFromSeed(crypto.subtle, seed(41)),
  };
});

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A relay as far as a provider asks it: a log whose first entry is an escrow. */
class LogOfOne implements RelaySource {
  readonly baseUrl = "http://relay.test";
  readonly tree = new MerkleTree();
  readonly entries: Uint8Array[] = [];

  constructor(...entries: readonly Uint8Array[]) {
    for (const entry of entries) {
      this.entries.push(entry);
      this.tree.append(leafHash(entry));
    }
  }

  async info(): Promise<RelayInfo> {
    return {
      name: "a relay",
      version: "0",
      origin: ORIGIN,
      asset: ASSET,
      testMoney: true,
      wireVersions: [1],
      profiles: [1],
      keys: { log: relayKeys.log.key, lease: relayKeys.lease.key, draw: relayKeys.stranger.key },
      tariff: TARIFF,
      policy: NOBODY,
      peer: relayKeys.stranger.key,
      addresses: [],
      iceServers: [],
    };
  }

  async checkpoint(): Promise<string> {
    const { log } = relayKeys;
    const { size } = this.tree;
    return signCheckpoint(
      { origin: ORIGIN, size, root: this.tree.root() },
      keyFromPeerId(log.key),
      (message) => log.sign(message),
    );
  }

  consistency = async (from: number, to: number): Promise<readonly Uint8Array[]> =>
    this.tree.consistencyProof(from, to);
  keyRotations = async (): Promise<readonly number[]> => [];
  entry = async (index: number): Promise<Uint8Array> => this.entries[index]!;

  async inclusion(index: number): ReturnType<RelaySource["inclusion"]> {
    return {
      index,
      leaf: this.tree.node(0, index),
      proof: this.tree.inclusionProof(index),
      checkpoint: await this.checkpoint(),
    };
  }
}

interface Shown {
  readonly job?: Partial<Job>;
  readonly lease?: Partial<Lease>;
  readonly jobSigner?: Signer;
  readonly leaseSigner?: Signer;
  readonly tariff?: Tariff;
  readonly args?: Uint8Array;
  /** Whose key the connection and the hello have. */
  readonly caller?: SessionIdentity;
  readonly helloSigner?: Signer;
  /** A checkpoint that the requester passes on. */
  readonly note?: string;
  readonly escrow?: Partial<EscrowBody>;
  /** The log, where it is not the one with the job's escrow. */
  readonly log?: (escrow: Uint8Array) => LogOfOne;
}

function escrowEntry(changes: Partial<EscrowBody>, job: EscrowBody["job"]): Uint8Array {
  const amount = order.lease.body.budget;
  const body = { job, payer: us.root, amount, envelope: order.job.bytes, ...changes };
  return encodeEntryOf("escrow", Date.now(), body);
}

/** Shows a provider an order, as often as `times`, and says what it answers to the last. */
async function answerTo(shown: Shown = {}, times = 1): Promise<string> {
  const jobBody: Job = { ...order.job.body, ...shown.job };
  const leaseBody: Lease = { ...order.lease.body, job: bodyId(jobMessage, jobBody), ...shown.lease };
  const escrow = escrowEntry(shown.escrow ?? {}, bodyId(jobMessage, jobBody));
  const source = shown.log?.(escrow) ?? new LogOfOne(escrow);
  const contact = await contactRelay(source, createMemoryPins(), verify, Date.now());
  const caller = shown.caller ?? us;

  const network = createMemoryNetwork();
  const here = network.join(caller.signer.key);
  const there = network.join(them.signer.key);
  await Promise.all([here.start(), there.start()]);
  const pool = new WorkerPool(sandboxHere, 1);
  const desk = new WorkDesk({
    mesh: there,
    contact,
    source,
    root: them.root,
    memory: () => 1 << 30,
    hasModels: false,
    now: Date.now,
    onChange: () => undefined,
    ports: () => ({
      signer: them.signer,
      verify,
      pool,
      loadWork: ({ job }) =>
        Promise.resolve({
          kind: "function",
          spec: { cid: job.body.work.cid, abi: "bytes-1", entry: "" },
          module: new Uint8Array(),
          args: { args: [], env: {}, files: [] },
        }),
      saveReceipt: () => undefined,
      onTask: () => undefined,
      onOutcome: () => undefined,
      onEnded: () => undefined,
    }),
  });
  desk.start();
  closing.push(() => {
    pool.stop();
    void desk.drain("closed");
    void here.stop();
    void there.stop();
  });

  const open = encode(openSchema, {
    job: await seal(jobMessage, jobBody, [shown.jobSigner ?? us.signer]),
    lease: await seal(leaseMessage, leaseBody, [shown.leaseSigner ?? relayKeys.lease]),
    tariff: shown.tariff ?? TARIFF,
    args: shown.args ?? encodeJobArgs(NO_ARGS),
  });
  const hello = await greet("requester", HEAD, shown.helloSigner ?? caller.signer, shown.note);
  let answer = "";
  for (let time = 0; time < times; time += 1) answer = await visit(here, them.signer.key, hello, open);
  return answer;
}

async function visit(
  mesh: ReturnType<ReturnType<typeof createMemoryNetwork>["join"]>,
  provider: PeerId,
  hello: Uint8Array,
  open: Uint8Array,
): Promise<string> {
  const stream = await mesh.dial(`/p2p/${provider}`, WORK_PROTOCOL, { signal: AbortSignal.timeout(5_000) });
  const frames = new FrameStream(stream);
  const answered = Promise.withResolvers<string>();
  frames.onFrame(
    (kind, payload) => {
      if (kind === FRAME.hello) void frames.sendFrame(FRAME.open, open);
      else if (kind === FRAME.accept) answered.resolve("accepted");
      else if (kind === FRAME.refuse) {
        const { code, detail } = decode(failureSchema, payload);
        answered.resolve(`${failureKind(code).name}: ${detail}`);
      }
    },
    () => answered.resolve("the stream ended"),
  );
  await frames.sendFrame(FRAME.hello, hello);
  return answered.promise;
}

describe("a provider that is shown an order", () => {
  test("accepts one that holds, once its escrow is proven", async () => {
    expect(await answerTo()).toBe("accepted");
  });

  test("refuses the lease of another provider, of another session and of another connection", async () => {
    const stranger = relayKeys.stranger.key;
    expect(await answerTo({ lease: { provider: stranger } })).toMatch(/^wrong-provider/u);
    expect(await answerTo({ lease: { instance: stranger } })).toMatch(/^wrong-provider/u);
    expect(await answerTo({ lease: { requesterKey: stranger } })).toMatch(/^wrong-peer/u);
  });

  test("refuses a lease that another key than the relay's lease key signed", async () => {
    expect(await answerTo({ leaseSigner: relayKeys.stranger })).toMatch(/^bad-signature: lease/u);
    expect(await answerTo({ leaseSigner: relayKeys.log })).toMatch(/^bad-signature: lease/u);
  });

  test("refuses what was made for another relay or about other money", async () => {
    const elsewhere = header("relay.example/other", ASSET);
    const other = header(ORIGIN, "test:other");
    expect(await answerTo({ lease: elsewhere })).toMatch(/^wrong-relay/u);
    expect(await answerTo({ job: elsewhere })).toMatch(/^wrong-relay/u);
    expect(await answerTo({ lease: other })).toMatch(/^wrong-asset/u);
  });

  test("refuses a job that somebody else signed, or that the lease is not for", async () => {
    expect(await answerTo({ jobSigner: relayKeys.stranger })).toMatch(/^bad-signature: job/u);
    expect(await answerTo({ job: { requester: relayKeys.stranger.key } })).toMatch(/^bad-signature: job/u);
    expect(await answerTo({ lease: { job: NOBODY } })).toMatch(/^malformed: lease: for another job/u);
  });

  test("refuses a price or arguments other than those that were signed", async () => {
    const dear = { ...TARIFF, perTask: microCredits(TARIFF.perTask + 1n) };
    expect(await answerTo({ tariff: dear })).toMatch(/^malformed: tariff/u);
    expect(await answerTo({ tariff: dear, lease: { tariff: tariffCid(dear) } })).toMatch(
      /above the job's highest/u,
    );
    const args = encodeJobArgs({ ...NO_ARGS, args: ["--other"] });
    expect(await answerTo({ args })).toMatch(/^malformed: arguments/u);
  });

  test("refuses a sandbox profile that it does not have", async () => {
    const work = { ...order.job.body.work, profile: 9 };
    expect(await answerTo({ job: { work }, lease: { profile: 9 } })).toMatch(/^profile-unsupported/u);
  });

  test("refuses a lease whose escrow is not in the log, is another job's or is too small", async () => {
    const budget = order.lease.body.budget;
    expect(await answerTo({ escrow: { job: NOBODY } })).toMatch(/^insufficient-funds/u);
    expect(await answerTo({ escrow: { amount: microCredits(budget - 1n) } })).toMatch(/^insufficient-funds/u);
    const grant = { account: us.root, amount: budget, reference: "no escrow" };
    const log = (): LogOfOne => new LogOfOne(encodeEntryOf("grant", 1, grant));
    expect(await answerTo({ log })).toMatch(/^insufficient-funds/u);
    const elsewhere = (escrow: Uint8Array): LogOfOne => {
      const shown = new LogOfOne(encodeEntryOf("grant", 1, grant));
      shown.entry = async () => escrow;
      return shown;
    };
    expect(await answerTo({ log: elsewhere })).toMatch(/^forged-checkpoint/u);
  });

  test("begins a lease once, however often it is shown", async () => {
    expect(await answerTo({}, 2)).toMatch(/^declined: this lease was begun already/u);
  });

  test("finds a split view: the requester's checkpoint contradicts the one it holds", async () => {
    const other = new LogOfOne(
      encodeEntryOf("grant", 1, { account: us.root, amount: microCredits(1), reference: "" }),
    );
    expect(await answerTo({ note: await other.checkpoint() })).toMatch(/^forged-checkpoint/u);
  });

  test("takes no offence at a checkpoint that the log did not sign", async () => {
    const { stranger } = relayKeys;
    const note = await signCheckpoint(
      { origin: ORIGIN, size: 1, root: new Uint8Array(32) },
      keyFromPeerId(stranger.key),
      (message) => stranger.sign(message),
    );
    expect(await answerTo({ note })).toBe("accepted");
  });

  test("refuses a hello that another key than the connection's signed", async () => {
    expect(await answerTo({ helloSigner: relayKeys.stranger })).toMatch(/^wrong-peer/u);
  });
});

/** How a lease of these terms ends for a requester that sends nothing. */
async function endOf(lease: Partial<Lease>): Promise<string> {
  const pair = await leasePair({ module: new Uint8Array(), lease });
  closing.push(() => pair.stop());
  const failure = await pair.requester.ended;
  return failure === undefined ? "" : failureKind(failure.code).name;
}

describe("a lease's time", () => {
  test("ends it at the provider: an expired lease takes no more tasks", async () => {
    expect(await endOf({ dispatchMs: 50 })).toBe("lease-ended");
  });

  test("ends it when no first task comes", async () => {
    expect(await endOf({ firstTaskMs: 50 })).toBe("lease-ended");
  });
});
