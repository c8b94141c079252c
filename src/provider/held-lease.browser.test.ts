import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { leafHash, MerkleTree, verifyInclusion } from "../protocol/merkle.ts";
import { type BrowserStore, openBrowserStore } from "../storage/browser-store.ts";
import type { OpeningItem } from "../storage/openings.ts";
import { StorageError } from "../storage/storage-error.ts";
import { HeldLease } from "./held-lease.ts";
import { HeldMemory } from "./held-memory.ts";
import { OpeningQueue, type OpeningQueueOptions } from "./opening-queue.ts";

const ORIGIN = "localhost/test";
const LEASE = cidOf(RAW, Uint8Array.of(1));

let name: string;
let store: BrowserStore;
const queues: OpeningQueue[] = [];

beforeEach(async () => {
  name = `held-${crypto.randomUUID()}`;
  store = await openBrowserStore(name);
});
afterEach(async () => {
  for (const each of queues.splice(0)) await each.stop();
  store.close();
});

/** As a tab that is closed: nobody gets to say good bye. */
async function reopen(): Promise<void> {
  store = await openBrowserStore(name);
}

describe("what a tab holds for a draw", () => {
  test("outlives the tab, to the byte and with its proofs", async () => {
    const terms = { lease: LEASE, origin: ORIGIN, job: LEASE, holdBytes: 1e6, until: Date.now() + 1e6 };
    const held = new HeldLease(terms, { shelf: store.holdings, memory: new HeldMemory() });
    const tasks = new MerkleTree();
    const outcomes = new MerkleTree();
    for (let seq = 0; seq < 40; seq += 1) {
      const [header, leaf] = [Uint8Array.of(1, seq), Uint8Array.of(2, seq)];
      tasks.append(leafHash(header));
      outcomes.append(leafHash(leaf));
      held.task(header);
      held.input(seq, crypto.getRandomValues(new Uint8Array(1_000)));
      held.outcome(leaf, seq, true);
      if (seq % 10 === 9) await held.keep();
      if (seq === 25) await held.cover(21);
    }
    const advance = { envelope: Uint8Array.of(5), taskCount: 40, tasksRoot: tasks.root() };
    held.named(advance);
    await held.keep();
    await reopen();
    const [stored] = await store.holdings.load(ORIGIN);
    if (stored === undefined) throw new Error("nothing was kept");
    const next = HeldLease.restored(stored, store.holdings, new HeldMemory());
    expect(next.covered).toBe(21);
    expect(next.lost(40)).toEqual([]);
    for (let index = 21; index < 40; index += 1) {
      const [mine, theirs] = [await held.open(index, 40, advance), await next.open(index, 40, advance)];
      if (theirs === undefined) throw new Error(`outcome ${index} was lost`);
      expect(theirs).toEqual(mine);
      expect(verifyInclusion(leafHash(theirs.leaf), index, 40, theirs.path, outcomes.root())).toBe(true);
    }
    await next.forget();
    expect(await store.holdings.load(ORIGIN)).toEqual([]);
  });
});

function item(index: number, changes: Partial<OpeningItem> = {}): OpeningItem {
  const envelope = Uint8Array.of(index);
  return {
    lease: LEASE,
    origin: ORIGIN,
    entryIndex: 3,
    index,
    envelope,
    openBy: 1_000 + index,
    keptAt: Date.now(),
    ...changes,
  };
}

/** As a relay: takes openings unless told otherwise. */
class Relay {
  readonly opened: number[] = [];
  readonly blobs = new Set<string>();
  readonly unwanted = new Set<number>();
  refuses: FailureError | undefined;

  readonly client: OpeningQueueOptions["client"] = {
    open: async ([index = -1]) => {
      if (this.refuses !== undefined) throw this.refuses;
      if (this.unwanted.has(index)) throw new FailureError("malformed", "not this one");
      this.opened.push(index);
    },
    hasBlob: async (cid) => this.blobs.has(cid),
    putBlob: async (cid) => void this.blobs.add(cid),
  };
}

function queue(relay: Relay, shelf = store.openings): OpeningQueue {
  const made = new OpeningQueue({
    shelf,
    client: relay.client,
    origin: ORIGIN,
    now: () => Date.now(),
    onChange: () => undefined,
  });
  queues.push(made);
  return made;
}

describe("drawn outcomes on their way to the relay", () => {
  test("left by a tab that is gone are sent by the next start, large inputs before them", async () => {
    const relay = new Relay();
    relay.refuses = new FailureError("disconnected", "the relay is away");
    const gone = queue(relay);
    const blob = { cid: LEASE, bytes: new Uint8Array(100_000) };
    await gone.keep(item(2));
    await gone.keep(item(1, { blob }));
    await gone.flush();
    await gone.stop();
    await reopen();
    relay.refuses = undefined;
    queue(relay, store.openings).start();
    await expect.poll(() => relay.opened).toEqual([1, 2]);
    expect([...relay.blobs]).toEqual([LEASE]);
    await expect.poll(() => store.openings.count(ORIGIN)).toBe(0);
  });

  test("are sent from memory where the disk is full", async () => {
    const relay = new Relay();
    const full = new StorageError("full", "the disk is full");
    const openings = queue(relay, { ...store.openings, put: () => Promise.reject(full) });
    await openings.keep(item(1));
    relay.refuses = new FailureError("timed-out", "slow");
    await openings.flush();
    expect(relay.opened).toEqual([]);
    relay.refuses = undefined;
    await openings.flush();
    expect(relay.opened).toEqual([1]);
  });

  test("are given up when the relay says that their time has passed, not when this machine's clock does", async () => {
    const relay = new Relay();
    const openings = queue(relay);
    await openings.keep(item(1, { openBy: 5 }));
    relay.refuses = new FailureError("not-found", "its input is not here yet");
    await openings.flush();
    expect(await store.openings.count(ORIGIN)).toBe(1);
    relay.refuses = new FailureError("expired", "too late");
    await openings.flush();
    expect(await store.openings.count(ORIGIN)).toBe(0);
    expect(relay.opened).toEqual([]);
  });

  test("do not wait for one that the relay does not take", async () => {
    const relay = new Relay();
    relay.unwanted.add(1);
    const openings = queue(relay);
    for (const index of [1, 2, 3]) await openings.keep(item(index));
    await openings.flush();
    expect(relay.opened).toEqual([2, 3]);
    expect(await store.openings.count(ORIGIN)).toBe(1);
  });
});
