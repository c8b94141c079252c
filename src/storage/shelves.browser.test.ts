import { openDB } from "idb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { isPeerId } from "../protocol/peer-id.ts";
import { microCredits } from "../protocol/units.ts";
import { type BrowserStore, openBrowserStore } from "./browser-store.ts";
import { openDatabase } from "./database.ts";
import type { HoldingChange, HoldingRecord } from "./holdings.ts";
import type { OpeningItem } from "./openings.ts";
import { type RecentJob } from "./recent-jobs.ts";

const ORIGIN = "localhost/log";
const LEASE = cidOf(RAW, Uint8Array.of(1));
const OTHER = cidOf(RAW, Uint8Array.of(2));

function recentJob(index: number, changes: Partial<RecentJob> = {}): RecentJob {
  return {
    job: cidOf(RAW, Uint8Array.of(index)),
    relayUrl: "http://localhost:8787",
    name: `job ${index}`,
    workCid: OTHER,
    startedAt: 1_000 + index,
    state: "running",
    tasks: 3,
    done: 0,
    failed: 0,
    spent: microCredits(0),
    leases: [],
    ...changes,
  };
}

let databaseName: string;
let store: BrowserStore;

beforeEach(async () => {
  databaseName = `shelves-${crypto.randomUUID()}`;
  store = await openBrowserStore(databaseName);
});
afterEach(() => store.close());

function opening(index: number, changes: Partial<OpeningItem> = {}): OpeningItem {
  return {
    lease: LEASE,
    origin: ORIGIN,
    entryIndex: 7,
    index,
    envelope: Uint8Array.of(index),
    openBy: 1_000 + index,
    keptAt: 500,
    ...changes,
  };
}

describe("openings", () => {
  test("wait with their inputs, the most urgent first, also for the tab after this one", async () => {
    const blob = { cid: OTHER, bytes: new Uint8Array(50_000).fill(3) };
    await store.openings.put([opening(2), opening(1, { blob }), opening(0, { openBy: 5_000 })]);
    store.close();
    store = await openBrowserStore(databaseName);
    expect(await store.openings.next(ORIGIN, 0)).toEqual(opening(1, { blob }));
    expect(await store.openings.next(ORIGIN, 2)).toEqual(opening(0, { openBy: 5_000 }));
    expect(await store.openings.next(ORIGIN, 3)).toBeUndefined();
    expect(await store.openings.count(ORIGIN)).toBe(3);
  });

  test("are kept once for each outcome, and gone when they are acknowledged", async () => {
    await store.openings.put([opening(1), opening(1), opening(2)]);
    await store.openings.remove(opening(1));
    expect(await store.openings.count(ORIGIN)).toBe(1);
    expect((await store.openings.next(ORIGIN, 0))?.index).toBe(2);
  });

  test("for one relay do not stand in the way of another's with the same numbers", async () => {
    await store.openings.put([opening(1), opening(1, { origin: "localhost/other", openBy: 1 })]);
    expect(await store.openings.next(ORIGIN, 0)).toEqual(opening(1));
    await store.openings.remove(opening(1));
    expect(await store.openings.count("localhost/other")).toBe(1);
  });

  test("that are old or make no sense are removed", async () => {
    await store.openings.put([opening(1), opening(2, { keptAt: 900 })]);
    const database = await openDatabase(databaseName, () => {});
    await database.put("openings", { origin: ORIGIN, openBy: 1 }, [ORIGIN, 1, 1]);
    database.close();
    await store.openings.removeOld(600);
    expect(await store.openings.count(ORIGIN)).toBe(1);
    expect((await store.openings.next(ORIGIN, 0))?.index).toBe(2);
  });
});

function record(changes: Partial<HoldingRecord> = {}): HoldingRecord {
  return {
    lease: LEASE,
    origin: ORIGIN,
    job: OTHER,
    outcomes: { start: 0, frontier: [] },
    tasks: { start: 0, frontier: [] },
    until: 9_000,
    ...changes,
  };
}

function change(seqs: readonly number[], changes: Partial<HoldingChange> = {}): HoldingChange {
  return {
    record: record(),
    tasks: seqs.map((seq) => ({ seq, header: Uint8Array.of(seq) })),
    inputs: seqs.map((seq) => ({ seq, input: new Uint8Array(10).fill(seq) })),
    outcomes: seqs.map((index) => ({ index, seq: index, leaf: Uint8Array.of(9, index) })),
    freed: [],
    ...changes,
  };
}

describe("what a draw may ask for", () => {
  test("is there for the next tab when this one ended without closing anything", async () => {
    const advance = { envelope: Uint8Array.of(4), taskCount: 3 };
    await store.holdings.write(change([0, 1, 2], { record: record({ advance }) }));
    const next = await openBrowserStore(databaseName);
    const [stored, ...more] = await next.holdings.load(ORIGIN);
    expect(more).toEqual([]);
    expect(stored?.record).toEqual(record({ advance }));
    expect(stored?.tasks.map(({ seq }) => seq)).toEqual([0, 1, 2]);
    expect(stored?.inputs).toEqual([0, 1, 2]);
    expect(stored?.outcomes.map(({ leaf }) => leaf[1])).toEqual([0, 1, 2]);
    expect(await next.holdings.input(LEASE, 2)).toEqual(new Uint8Array(10).fill(2));
    next.close();
  });

  test("grows, and is freed from its beginning; large inputs go where their task is still needed", async () => {
    const large = new Uint8Array(70_000);
    const inputs = [0, 1, 2, 3].map((seq) => ({
      seq,
      input: seq === 3 ? large : new Uint8Array(10).fill(seq),
    }));
    await store.holdings.write(change([0, 1, 2, 3], { inputs }));
    expect(await store.holdings.input(LEASE, 3)).toEqual(large);
    expect(await store.holdings.input(LEASE, 1)).toEqual(new Uint8Array(10).fill(1));
    const frontier = [new Uint8Array(32).fill(1)];
    await store.holdings.write(
      change([4], {
        record: record({ outcomes: { start: 2, frontier }, tasks: { start: 1, frontier } }),
        freed: [3],
      }),
    );
    const [stored] = await store.holdings.load(ORIGIN);
    expect(stored?.record.outcomes).toEqual({ start: 2, frontier });
    expect(stored?.tasks.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(stored?.inputs).toEqual(expect.arrayContaining([1, 2, 4]));
    expect(stored?.inputs).not.toContain(3);
    expect(stored?.outcomes.map(({ index }) => index)).toEqual([2, 3, 4]);
    expect(await store.holdings.input(LEASE, 3)).toBeUndefined();
  });

  test("finds an input that became whole after later ones", async () => {
    await store.holdings.write(change([0, 1, 2], { inputs: [{ seq: 2, input: Uint8Array.of(22) }] }));
    await store.holdings.write(change([], { inputs: [{ seq: 0, input: Uint8Array.of(20) }] }));
    await store.holdings.write(
      change([3], { inputs: [1, 3].map((seq) => ({ seq, input: Uint8Array.of(20 + seq) })) }),
    );
    for (const seq of [0, 1, 2, 3])
      expect(await store.holdings.input(LEASE, seq)).toEqual(Uint8Array.of(20 + seq));
    expect(await store.holdings.input(LEASE, 4)).toBeUndefined();
  });

  test("in a batch stays until all of the batch may go", async () => {
    await store.holdings.write(change([0, 1, 2, 3]));
    const start = { start: 2, frontier: [new Uint8Array(32)] };
    await store.holdings.write(change([4], { record: record({ outcomes: start, tasks: start }) }));
    const [stored] = await store.holdings.load(ORIGIN);
    expect(stored?.tasks.map(({ seq }) => seq)).toEqual([2, 3, 4]);
    expect(stored?.outcomes.map(({ index }) => index)).toEqual([2, 3, 4]);
    expect(await store.holdings.input(LEASE, 2)).toEqual(new Uint8Array(10).fill(2));
    const end = { start: 4, frontier: [new Uint8Array(32)] };
    await store.holdings.write(change([], { record: record({ outcomes: end, tasks: end }) }));
    const database = await openDatabase(databaseName, () => {});
    expect(await database.count("heldTasks")).toBe(1);
    expect(await database.count("heldInputs")).toBe(1);
    expect(await database.count("heldOutcomes")).toBe(1);
    database.close();
  });

  test("is forgotten lease by lease, and told apart by relay", async () => {
    await store.holdings.write(change([0]));
    await store.holdings.write(change([0], { record: record({ lease: OTHER, origin: "localhost/other" }) }));
    await store.holdings.forget(LEASE);
    expect(await store.holdings.load(ORIGIN)).toEqual([]);
    expect(await store.holdings.input(LEASE, 0)).toBeUndefined();
    expect(await store.holdings.load("localhost/other")).toHaveLength(1);
  });

  test("is passed over where it is not one of our records", async () => {
    const database = await openDatabase(databaseName, () => {});
    await database.put("holdings", { lease: LEASE, origin: ORIGIN }, LEASE);
    database.close();
    expect(await store.holdings.load(ORIGIN)).toEqual([]);
  });
});

describe("recent jobs", () => {
  test("are kept newest first, with what became of them", async () => {
    const provider = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";
    if (!isPeerId(provider)) throw new Error("no peer id");
    const lease = { lease: LEASE, provider, tasks: 3, amount: microCredits(7), entryIndex: 0 };
    const failure = { code: failureCode("no-provider"), detail: "no provider is connected" };
    const ended = { endedAt: 5_000, state: "done", done: 2, failed: 1, spent: microCredits(7) } as const;
    await store.jobs.put(recentJob(1));
    await store.jobs.put(recentJob(2, { state: "failed", failure }));
    await store.jobs.put(recentJob(1, { ...ended, leases: [lease] }));
    expect(await store.jobs.list()).toEqual([
      recentJob(2, { state: "failed", failure }),
      recentJob(1, { ...ended, leases: [lease] }),
    ]);
    await store.jobs.remove(recentJob(2).job);
    expect((await store.jobs.list()).map(({ name }) => name)).toEqual(["job 1"]);
  });

  test("beyond fifty the oldest go, and what cannot be read is left out", async () => {
    for (let index = 0; index < 52; index += 1) await store.jobs.put(recentJob(index));
    const list = await store.jobs.list();
    expect([list.length, list.at(-1)?.name]).toEqual([50, "job 2"]);
    store.close();
    const database = await openDatabase(databaseName, () => undefined);
    await database.put("jobs", { ...recentJob(60), spent: -1n }, recentJob(60).job);
    database.close();
    store = await openBrowserStore(databaseName);
    expect((await store.jobs.list()).map(({ name: each }) => each)).not.toContain("job 60");
  });
});

describe("a database of the version before", () => {
  test("is carried over with what waits in it", async () => {
    const old = `old-${crypto.randomUUID()}`;
    const before = await openDB(old, 2, {
      upgrade(database) {
        for (const each of [
          "identity",
          "settings",
          "consents",
          "relays",
          "relayUrls",
          "blobs",
          "blobTotals",
          "models",
        ])
          database.createObjectStore(each);
        database.createObjectStore("outbox").createIndex("byUpdate", "updatedAt");
        database.createObjectStore("blobUses").createIndex("byUse", "use");
      },
    });
    const item = {
      lease: LEASE,
      origin: ORIGIN,
      seq: 3,
      receipt: Uint8Array.of(1),
      advance: Uint8Array.of(2),
      count: 9,
      bases: [],
      lost: [],
      updatedAt: 5,
    };
    await before.put("outbox", item, LEASE);
    await before.put("settings", { theme: "dark" }, "page");
    before.close();
    const now = await openBrowserStore(old);
    expect(await now.outbox.list()).toEqual([item]);
    expect(await now.settings.load()).toEqual({ theme: "dark" });
    await now.openings.put([opening(1)]);
    await now.holdings.write(change([0]));
    expect(await now.openings.count(ORIGIN)).toBe(1);
    expect(await now.holdings.load(ORIGIN)).toHaveLength(1);
    expect(await now.jobs.list()).toEqual([]);
    now.close();
  });
});
