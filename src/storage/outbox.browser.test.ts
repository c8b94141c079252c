import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { openBrowserStore, type BrowserStore } from "./browser-store.ts";
import { openDatabase } from "./database.ts";
import type { OutboxItem } from "./outbox.ts";

let name: string;
let store: BrowserStore;

beforeEach(async () => {
  name = `outbox-${crypto.randomUUID()}`;
  store = await openBrowserStore(name);
});
afterEach(() => {
  store.close();
});

function item(lease: number, seq: number, updatedAt: number): OutboxItem {
  return {
    lease: cidOf(RAW, Uint8Array.of(lease)),
    origin: "http://localhost:8787",
    seq,
    receipt: Uint8Array.of(lease, seq),
    advance: Uint8Array.of(7, seq),
    count: seq * 10,
    bases: [{ count: (seq - 1) * 10, proof: [new Uint8Array(32).fill(seq)] }],
    lost: [3],
    updatedAt,
  };
}

describe("the outbox", () => {
  test("keeps one item per lease, the newest", async () => {
    expect(await store.outbox.put(item(1, 1, 100))).toBe(true);
    expect(await store.outbox.put(item(1, 2, 200))).toBe(true);
    expect(await store.outbox.list()).toEqual([item(1, 2, 200)]);
    expect(await store.outbox.count()).toBe(1);
  });

  test("does not let an older receipt replace a newer one", async () => {
    await store.outbox.put(item(1, 5, 500));
    expect(await store.outbox.put(item(1, 4, 600))).toBe(false);
    expect((await store.outbox.get(item(1, 5, 0).lease))?.seq).toBe(5);
  });

  test("lists what waits longest first", async () => {
    await store.outbox.put(item(1, 1, 300));
    await store.outbox.put(item(2, 1, 100));
    await store.outbox.put(item(3, 1, 200));
    expect((await store.outbox.list()).map(({ updatedAt }) => updatedAt)).toEqual([100, 200, 300]);
  });

  test("forgets what the relay acknowledged, but not what came after it", async () => {
    await store.outbox.put(item(1, 1, 100));
    await store.outbox.put(item(2, 1, 100));
    await store.outbox.put(item(2, 2, 200));
    await store.outbox.acknowledge(item(1, 1, 0).lease, 1);
    await store.outbox.acknowledge(item(2, 1, 0).lease, 1);
    expect(await store.outbox.list()).toEqual([item(2, 2, 200)]);
  });

  test("remembers that a report was sent without an answer", async () => {
    await store.outbox.put({ ...item(1, 1, 100), reportedAt: 150 });
    expect((await store.outbox.list())[0]?.reportedAt).toBe(150);
  });

  test("is there for the next tab when this one ended without closing anything", async () => {
    await store.outbox.put(item(1, 1, 100));
    const next = await openBrowserStore(name);
    expect(await next.outbox.list()).toEqual([item(1, 1, 100)]);
    next.close();
  });

  test("passes over a record that is not one of its own", async () => {
    await store.outbox.put(item(1, 1, 100));
    const database = await openDatabase(name, () => {});
    await database.put("outbox", { lease: "nonsense", updatedAt: 1 }, "nonsense");
    database.close();
    expect(await store.outbox.list()).toEqual([item(1, 1, 100)]);
  });
});
