import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import type { HistoryPage, HistoryQuery } from "../../protocol/earnings-json.ts";
import { FailureError } from "../../protocol/failure.ts";
import { peerIdFromKey } from "../../protocol/peer-id.ts";
import type { ReceiptView } from "../../protocol/relay-api.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import { exportReceipts } from "./export-receipts.ts";
import { createReceiptRows, PAGE_ROWS, type ReceiptRows } from "./receipt-rows.ts";

const peer = peerIdFromKey(new Uint8Array(32).fill(7));

function receipt(entryIndex: number): ReceiptView {
  const cid = cidOf(RAW, encodeUtf8(`lease ${entryIndex}`));
  return {
    entryIndex,
    time: entryIndex * 1_000,
    lease: cid,
    job: cid,
    workCid: cid,
    requester: peer,
    count: entryIndex,
    payable: entryIndex,
    fuel: fuel(1n),
    amount: microCredits(entryIndex),
    final: true,
    settled: entryIndex % 10 !== 0,
  };
}

/** A relay's answers, by the rules of the interface: so many receipts, of which one question looks at `search`. */
class Relay {
  readonly asked: HistoryQuery[] = [];
  newest: number;
  readonly search: number;
  trouble: FailureError | undefined;

  constructor(newest: number, search = 70) {
    this.newest = newest;
    this.search = search;
  }

  readonly history = async (_: unknown, query: HistoryQuery): Promise<HistoryPage> => {
    this.asked.push(query);
    await Promise.resolve();
    if (this.trouble !== undefined) throw this.trouble;
    const { before = this.newest + 1, skip = 0, limit, state } = query;
    const top = before - 1 - skip;
    if (state === undefined) {
      const bottom = Math.max(0, top - limit);
      const receipts = Array.from({ length: Math.max(0, top - bottom) }, (__, at) => receipt(top - at));
      return {
        receipts,
        ...(bottom > 0 ? { next: bottom + 1 } : {}),
        ...(skip > 0 ? {} : { total: before - 1 }),
      };
    }
    const bottom = Math.max(0, top - this.search);
    const looked = Array.from({ length: top - bottom }, (__, at) => receipt(top - at));
    const receipts = looked.filter(({ settled }) => !settled).slice(0, limit);
    return { receipts, ...(bottom > 0 ? { next: bottom + 1 } : {}) };
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

async function opened(relay: Relay): Promise<ReceiptRows> {
  const rows = createReceiptRows(relay.history, peer);
  rows.refresh();
  await settle();
  return rows;
}

function entries(rows: ReceiptRows, first: number, end: number): readonly (number | undefined)[] {
  return Array.from({ length: end - first }, (_, at) => rows.at(first + at)?.entryIndex);
}

describe("a long list of receipts", () => {
  test("knows its length at once, and fetches only what is looked at", async () => {
    const relay = new Relay(100_000);
    const rows = await opened(relay);
    expect(rows.length.value).toBe(100_000);
    expect(relay.asked).toHaveLength(1);
    rows.want(50_010, 50_030);
    await settle();
    expect(entries(rows, 50_010, 50_012)).toEqual([49_990, 49_989]);
    expect(rows.at(49_000)).toBeUndefined();
    expect(relay.asked).toHaveLength(2);
    rows.want(99_990, 100_000);
    await settle();
    expect(rows.at(99_999)?.entryIndex).toBe(1);
  });

  test("asks for what is looked at now, not for all that was flown over", async () => {
    const relay = new Relay(100_000);
    const rows = await opened(relay);
    for (let first = 0; first < 90_000; first += 500) rows.want(first, first + 20);
    rows.want(90_000, 90_020);
    await settle();
    expect(rows.at(90_001)?.entryIndex).toBe(9_999);
    expect(relay.asked.length).toBeLessThan(6);
  });

  test("stays where it is while receipts arrive further up, and says how many", async () => {
    const relay = new Relay(1_000);
    const rows = await opened(relay);
    rows.want(500, 520);
    await settle();
    relay.newest = 1_003;
    for (let arrived = 0; arrived < 3; arrived += 1) rows.arrived();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(rows.newer.value).toBe(3);
    rows.want(600, 620);
    await settle();
    expect(entries(rows, 600, 602)).toEqual([400, 399]);
    rows.want(0, 20);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([rows.newer.value, rows.length.value, rows.at(0)?.entryIndex]).toEqual([0, 1_003, 1_003]);
  });

  test("shows what arrives at once where the newest are looked at, by one request for many", async () => {
    const relay = new Relay(10);
    const rows = await opened(relay);
    rows.want(0, 10);
    relay.newest = 30;
    for (let arrived = 0; arrived < 20; arrived += 1) rows.arrived();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([rows.length.value, rows.at(0)?.entryIndex, relay.asked.length]).toEqual([30, 30, 2]);
  });

  test("says what failed, and goes on when it is asked again", async () => {
    const relay = new Relay(1_000);
    const rows = await opened(relay);
    relay.trouble = new FailureError("disconnected", "gone");
    rows.want(500, 520);
    await settle();
    expect(rows.failure.value).toMatchObject({ detail: "gone" });
    relay.trouble = undefined;
    rows.refresh();
    await settle();
    expect([rows.failure.value, rows.at(500)?.entryIndex]).toEqual([undefined, 500]);
  });
});

describe("a list with a filter", () => {
  test("grows as it is looked at, through stretches in which nothing is found", async () => {
    const relay = new Relay(2_000);
    const rows = await opened(relay);
    rows.want(0, 12);
    rows.setFilter({ state: "pending" });
    await settle();
    expect(rows.length.value).toBeGreaterThan(12);
    expect(rows.length.value).toBeLessThan(40);
    expect([rows.isMore.value, rows.at(0)?.entryIndex, rows.at(1)?.entryIndex]).toEqual([true, 2_000, 1_990]);
    for (let end = 20; rows.isMore.value && end < 300; end += 20) {
      rows.want(end - 10, end);
      // oxlint-disable-next-line no-await-in-loop -- as somebody scrolls
      await settle();
    }
    expect([rows.isMore.value, rows.length.value]).toEqual([false, 200]);
    expect(entries(rows, PAGE_ROWS - 1, PAGE_ROWS + 1)).toEqual([1_510, 1_500]);
    expect(rows.at(199)?.entryIndex).toBe(10);
  });

  test("shows the rows before until there are others, and asks for none of those meanwhile", async () => {
    const relay = new Relay(2_000);
    const rows = await opened(relay);
    rows.setFilter({ state: "pending" });
    rows.want(500, 520);
    expect([rows.isBusy.value, rows.length.value, rows.at(1)?.entryIndex]).toEqual([true, 2_000, 1_999]);
    expect(relay.asked).toHaveLength(2);
    await settle();
    expect([rows.isBusy.value, rows.at(1)?.entryIndex]).toEqual([false, 1_990]);
  });

  test("that finds nothing says so at the end of the search, not before", async () => {
    const relay = new Relay(500, 60);
    relay.newest = 9;
    const rows = await opened(relay);
    rows.setFilter({ state: "pending" });
    await settle();
    expect([rows.length.value, rows.isMore.value]).toEqual([0, false]);
  });
});

const asked = { filter: {}, signal: new AbortController().signal };

async function readJson(count: number): Promise<unknown> {
  const options = { ...asked, kind: "json", onProgress: () => {} } as const;
  return JSON.parse((await exportReceipts(new Relay(count).history, peer, options)).join(""));
}

describe("an export", () => {
  test("as CSV has a line of names and every receipt once, newest first", async () => {
    const counts: number[] = [];
    const pieces = await exportReceipts(new Relay(1_201).history, peer, {
      ...asked,
      kind: "csv",
      onProgress: (count) => counts.push(count),
    });
    const lines = pieces.join("").trimEnd().split("\r\n");
    expect(lines).toHaveLength(1_202);
    expect(lines[0]).toMatch(/^entry,time,state,credits,micro_credits,/u);
    expect(lines[1]).toMatch(/^1201,1970-01-01T00:20:01\.000Z,free,0\.001201,1201,0,0,1201,1201,1,bafk/u);
    expect(lines.at(-1)).toMatch(/^1,/u);
    expect(new Set(lines.map((line) => line.split(",").length))).toEqual(new Set([14]));
    expect(counts).toEqual([500, 1_000, 1_201]);
  });

  test("as JSON is a list that programs read, also when it is empty", async () => {
    expect(await readJson(3)).toMatchObject([{ entry: 3 }, { entry: 2 }, { entry: 1, micro_credits: "1" }]);
    expect(await readJson(0)).toEqual([]);
  });

  test("with a filter has what the filter lets through, whatever a page holds", async () => {
    const pieces = await exportReceipts(new Relay(300).history, peer, {
      ...asked,
      filter: { state: "pending" },
      kind: "csv",
      onProgress: () => {},
    });
    expect(pieces.join("").trimEnd().split("\r\n")).toHaveLength(31);
  });
});
