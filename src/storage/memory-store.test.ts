import { describe, expect, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { peerIdFromSeed } from "../protocol/ed25519.ts";
import { signCheckpoint } from "../protocol/checkpoint.ts";
import { signerFromSeed } from "../protocol/ed25519.ts";
import { keyFromPeerId } from "../protocol/peer-id.ts";
import type { HoldingRecord } from "./holdings.ts";
import { memoryHoldings, memoryOpenings, memoryOutbox } from "./memory-shelves.ts";
import { openMemoryStore } from "./memory-store.ts";
import type { OpeningItem } from "./openings.ts";
import type { OutboxItem } from "./outbox.ts";

const LOG = "localhost/log";
const LEASE = cidOf(RAW, Uint8Array.of(1));
const OTHER = cidOf(RAW, Uint8Array.of(2));

function item(lease: number, seq: number, updatedAt: number): OutboxItem {
  return {
    lease: cidOf(RAW, Uint8Array.of(lease)),
    origin: LOG,
    seq,
    receipt: Uint8Array.of(lease, seq),
    advance: Uint8Array.of(7, seq),
    count: seq,
    bases: [],
    lost: [],
    updatedAt,
  };
}

function opening(index: number, changes: Partial<OpeningItem> = {}): OpeningItem {
  return {
    lease: LEASE,
    origin: LOG,
    entryIndex: 7,
    index,
    envelope: Uint8Array.of(index),
    openBy: 1_000 + index,
    keptAt: 500,
    ...changes,
  };
}

function record(start = 0, lease = LEASE): HoldingRecord {
  const tree = { start, frontier: [] };
  return { lease, origin: LOG, job: OTHER, outcomes: tree, tasks: tree, until: 9_000 };
}

async function pinOf(fill: number): ReturnType<typeof pinWith> {
  return pinWith(fill);
}

async function pinWith(fill: number, checkpoint?: string) {
  const peer = await peerIdFromSeed(crypto.subtle, new Uint8Array(32).fill(fill));
  const keys = { log: peer, lease: peer, draw: peer };
  return { origin: LOG, keys, pinnedAt: fill, ...(checkpoint === undefined ? {} : { checkpoint }) };
}

async function noteOf(size: number): Promise<string> {
  const signer = await signerFromSeed(crypto.subtle, new Uint8Array(32).fill(1));
  const root = new Uint8Array(32).fill(size);
  return signCheckpoint({ origin: LOG, size, root }, keyFromPeerId(signer.key), async (message) =>
    signer.sign(message),
  );
}

describe("a memory instead of the browser's", () => {
  test("has one identity, and another one elsewhere", async () => {
    const store = openMemoryStore();
    const [first, second] = await Promise.all([store.identity.ensure(), store.identity.ensure()]);
    expect(first).toEqual(second);
    expect(await store.identity.load()).toEqual(first);
    expect((await openMemoryStore().identity.ensure()).peer).not.toBe(first.peer);
  });

  test("holds a relay to the keys of the first contact and to the newest head", async () => {
    const { relays } = openMemoryStore();
    const first = await pinOf(1);
    expect(await relays.pin(first)).toEqual(first);
    expect(await relays.pin(await pinOf(2))).toEqual(first);
    await relays.update(await pinWith(1, await noteOf(5)));
    await relays.update(await pinWith(1, await noteOf(3)));
    expect((await relays.get(LOG))?.checkpoint).toBe(await noteOf(5));
    expect(await relays.bind("https://a.example", LOG)).toBe(LOG);
    expect(await relays.bind("https://a.example", "another")).toBe(LOG);
    await relays.forget("https://a.example");
    expect(await relays.get(LOG)).toBeUndefined();
  });

  test("keeps blobs up to its bound, and lets go of the one used longest ago", async () => {
    const { blobs } = openMemoryStore(250);
    const contents = [1, 2, 3].map((fill) => new Uint8Array(100).fill(fill));
    const [a, b, c] = contents.map((each) => cidOf(RAW, each));
    await blobs.put(a!, contents[0]!);
    await blobs.put(b!, contents[1]!);
    await blobs.get(a!);
    await blobs.put(c!, contents[2]!);
    expect(await blobs.get(a!)).toEqual(contents[0]);
    expect(await blobs.has(b!)).toBe(false);
    expect(await blobs.usage()).toEqual({ bytes: 200, blobs: 2, capBytes: 250 });
    await expect(blobs.put(a!, contents[1]!)).rejects.toThrow(/content-mismatch/u);
    expect(await blobs.put(cidOf(RAW, new Uint8Array(300)), new Uint8Array(300))).toBe(false);
    await blobs.delete(a!);
    expect((await blobs.usage()).bytes).toBe(100);
  });

  test("has no models, and says so", async () => {
    const { models } = openMemoryStore();
    expect(await models.list()).toEqual([]);
    expect(await models.room()).toEqual({ freeBytes: 0, usedBytes: 0 });
  });
});

describe("shelves in memory", () => {
  test("keep the newest receipt of a lease until it is acknowledged", async () => {
    const outbox = memoryOutbox();
    await outbox.put(item(1, 5, 300));
    expect(await outbox.put(item(1, 4, 400))).toBe(false);
    await outbox.put(item(2, 1, 100));
    expect((await outbox.list()).map(({ updatedAt }) => updatedAt)).toEqual([100, 300]);
    await outbox.acknowledge(item(1, 0, 0).lease, 4);
    expect(await outbox.count()).toBe(2);
    await outbox.acknowledge(item(1, 0, 0).lease, 5);
    expect(await outbox.get(item(1, 0, 0).lease)).toBeUndefined();
  });

  test("have the most urgent opening first, and forget old ones", async () => {
    const openings = memoryOpenings();
    await openings.put([opening(2), opening(1), opening(1), opening(3, { keptAt: 900, openBy: 5_000 })]);
    expect((await openings.next(LOG, 0))?.index).toBe(1);
    expect((await openings.next(LOG, 2))?.index).toBe(3);
    expect(await openings.count("localhost/other")).toBe(0);
    await openings.removeOld(600);
    expect(await openings.count(LOG)).toBe(1);
    await openings.remove(opening(3));
    expect(await openings.count(LOG)).toBe(0);
  });

  test("free what a draw has passed over, and declare a full memory as a full disk", async () => {
    const holdings = memoryHoldings(100);
    const inputs = [0, 1, 2].map((seq) => ({ seq, input: new Uint8Array(40) }));
    const change = { tasks: [], outcomes: [], freed: [] };
    await holdings.write({ ...change, record: record(), inputs: inputs.slice(0, 2) });
    await expect(
      holdings.write({ ...change, record: record(), inputs: inputs.slice(2) }),
    ).rejects.toMatchObject({
      trouble: "full",
    });
    await holdings.write({ ...change, record: record(1), inputs: [] });
    await holdings.write({ ...change, record: record(1), inputs: inputs.slice(2) });
    expect(await holdings.input(LEASE, 0)).toBeUndefined();
    expect((await holdings.load(LOG))[0]?.inputs).toEqual([1, 2]);
    await holdings.forget(LEASE);
    expect(await holdings.load(LOG)).toEqual([]);
  });
});
