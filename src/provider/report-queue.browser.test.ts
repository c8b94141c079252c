import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cidOf, type Cid, RAW } from "../protocol/cid.ts";
import { signerFromSeed } from "../protocol/ed25519.ts";
import { openEnvelope, seal } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { EMPTY_ROOT, leafHash, MerkleTree, verifyConsistency } from "../protocol/merkle.ts";
import {
  type Receipt,
  receiptMessage,
  type ReportAnswer,
  reportMessage,
} from "../protocol/messages/receipt.ts";
import type { JobView } from "../protocol/relay-api.ts";
import type { Signer } from "../protocol/signature.ts";
import { fuel, microCredits } from "../protocol/units.ts";
import { type BrowserStore, openBrowserStore } from "../storage/browser-store.ts";
import type { Outbox } from "../storage/outbox.ts";
import { StorageError } from "../storage/storage-error.ts";
import type { CountersignedReceipt } from "./provider-channel.ts";
import { ReportQueue } from "./report-queue.ts";

const ORIGIN = "localhost/log";
const GROUND = { origin: ORIGIN, asset: `test:${ORIGIN}` };
const HEAD = header(ORIGIN, GROUND.asset);

function named(name: string): Cid {
  return cidOf(RAW, new TextEncoder().encode(name));
}

const LEASE = named("lease");
const JOB = named("job");

let store: BrowserStore;
let signer: Signer;
let relay: Relay;
let queues: ReportQueue[];

beforeEach(async () => {
  store = await openBrowserStore(`reports-${crypto.randomUUID()}`);
  signer = await signerFromSeed(crypto.subtle, new Uint8Array(32).fill(7));
  relay = new Relay();
  queues = [];
});
afterEach(async () => {
  relay.isAway = false;
  for (const each of queues) await each.stop();
  store.close();
});

/** As a relay: takes a receipt of the one lease only when it provably extends the newest. */
class Relay {
  isAway = false;
  refuses: FailureError | undefined;
  readonly logged: Receipt[] = [];

  async report(envelope: Uint8Array): Promise<ReportAnswer> {
    if (this.isAway) throw new FailureError("disconnected", "the relay is away");
    if (this.refuses !== undefined) throw this.refuses;
    const { receipt, prevCount, consistency } = openEnvelope(reportMessage, envelope).body;
    const { body } = openEnvelope(receiptMessage, receipt);
    const newest = this.logged.at(-1);
    if (newest !== undefined && newest.seq > body.seq) throw new FailureError("stale-receipt", "");
    if (newest !== undefined && prevCount !== newest.count)
      throw new FailureError("inconsistent-receipt", `the proof has to begin at ${newest.count}`);
    if (
      newest !== undefined &&
      !verifyConsistency(prevCount, body.count, newest.root, body.root, consistency)
    )
      throw new FailureError("inconsistent-receipt", "the proof does not hold");
    this.logged.push(body);
    return { index: 0, leaf: EMPTY_ROOT, proof: [], checkpoint: "", entry: new Uint8Array() };
  }

  async job(): Promise<JobView> {
    const none = microCredits(0);
    const count = this.logged.at(-1)?.count ?? 0;
    const lease = {
      lease: LEASE,
      provider: signer.key,
      state: "open",
      count,
      amount: none,
      drawn: 0,
      judged: 0,
      forfeited: none,
    } as const;
    return { job: JOB, state: "open", cap: none, spent: none, refunded: none, leases: [lease] };
  }
}

/** One lease that earns; as the channel does, it remembers few earlier counts for a crash. */
class Work {
  readonly tree = new MerkleTree();
  #seq = 0;

  async next(outcomes: number, final = false): Promise<CountersignedReceipt> {
    for (let i = 0; i < outcomes; i += 1) this.tree.append(leafHash(Uint8Array.of(this.tree.size)));
    this.#seq += 1;
    const count = this.tree.size;
    const none = microCredits(0);
    const body: Receipt = {
      ...HEAD,
      job: JOB,
      lease: LEASE,
      rev: 0,
      seq: this.#seq,
      provider: signer.key,
      requester: signer.key,
      workCid: LEASE,
      profile: 1,
      policy: LEASE,
      tariff: LEASE,
      tree: "rfc6962-sha256",
      root: this.tree.root(),
      count,
      payable: count,
      cancelled: 0,
      tasksRoot: EMPTY_ROOT,
      taskCount: count,
      fuel: fuel(0),
      bytes: 0n,
      amount: none,
      final,
    };
    return {
      lease: LEASE,
      count,
      seq: this.#seq,
      amount: none,
      final,
      receipt: await seal(receiptMessage, body, [signer]),
      advance: new Uint8Array(),
      bases: [],
      prove: (from, to) => this.tree.consistencyProof(from, to),
    };
  }
}

function queue(outbox: Outbox = store.outbox): ReportQueue {
  const made = new ReportQueue({
    outbox,
    client: relay,
    ground: GROUND,
    signer,
    now: () => Date.now(),
    onChange: () => undefined,
  });
  queues.push(made);
  return made;
}

describe("receipts on their way to the relay", () => {
  test("wait while the relay is away, and arrive when it is back", async () => {
    const reports = queue();
    relay.isAway = true;
    reports.save(await new Work().next(3, true));
    await expect.poll(() => store.outbox.count()).toBe(1);
    relay.isAway = false;
    await expect.poll(() => relay.logged.at(-1)?.count, { timeout: 5_000 }).toBe(3);
    await expect.poll(() => store.outbox.count()).toBe(0);
  });

  test("are not lost when the disk is full for a while", async () => {
    let isFull = true;
    const put: Outbox["put"] = (item) =>
      isFull ? Promise.reject(new StorageError("full", "the disk is full")) : store.outbox.put(item);
    const reports = queue({ ...store.outbox, put });
    reports.save(await new Work().next(3));
    await reports.flush();
    expect(relay.logged).toEqual([]);
    isFull = false;
    await reports.flush();
    expect(relay.logged.at(-1)?.count).toBe(3);
  });

  test("left by a tab that is gone are sent by the next start", async () => {
    relay.isAway = true;
    const gone = queue();
    gone.save(await new Work().next(3, true));
    await expect.poll(() => store.outbox.count()).toBe(1);
    await gone.stop();
    relay.isAway = false;
    queue().start();
    await expect.poll(() => relay.logged.at(-1)?.count).toBe(3);
  });

  test("of one lease follow each other, also after one that the requester reported", async () => {
    const [reports, work] = [queue(), new Work()];
    reports.save(await work.next(3));
    await reports.flush();
    const theirs = await work.next(5);
    relay.logged.push(openEnvelope(receiptMessage, theirs.receipt).body);
    for (let i = 0; i < 40; i += 1) await work.next(1);
    reports.save(await work.next(2));
    await reports.flush();
    expect(relay.logged.map(({ count }) => count)).toEqual([3, 8, 50]);
    expect(await store.outbox.count()).toBe(0);
  });

  test("that were reported before a crash are followed by what the next start finds", async () => {
    const [first, work] = [queue(), new Work()];
    first.save(await work.next(3));
    await first.flush();
    relay.isAway = true;
    first.save(await work.next(40));
    await first.flush();
    relay.isAway = false;
    await queue().flush();
    expect(relay.logged.map(({ count }) => count)).toEqual([3, 43]);
  });

  test("that the relay refuses for good are not sent again", async () => {
    const reports = queue();
    relay.refuses = new FailureError("lease-ended", "the lease is settled");
    reports.save(await new Work().next(1));
    await reports.flush();
    expect(await store.outbox.count()).toBe(0);
  });
});
