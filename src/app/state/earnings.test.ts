import { describe, expect, test } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { peerIdFromKey } from "../../protocol/peer-id.ts";
import type { AccountView, EarningsPoint, ReceiptView } from "../../protocol/relay-api.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import type { ProviderState } from "../../provider/provider-state.ts";
import { earnedToday } from "./account.ts";
import { filledPoints, withReceipt } from "./earnings.ts";
import { failed } from "./loadable.ts";

const HOUR_MS = 3_600_000;
const peer = peerIdFromKey(new Uint8Array(32).fill(7));

function receipt(lease: number, entryIndex: number): ReceiptView {
  const cid = cidOf(RAW, Uint8Array.of(lease));
  return {
    entryIndex,
    time: entryIndex,
    lease: cid,
    job: cid,
    workCid: cid,
    requester: peer,
    count: entryIndex,
    payable: entryIndex,
    fuel: fuel(1n),
    amount: microCredits(entryIndex),
    final: false,
    settled: false,
  };
}

function viewWith(today: bigint): AccountView {
  return {
    peer,
    asset: "test:localhost/1",
    available: microCredits(0n),
    escrowed: microCredits(0n),
    pending: microCredits(0n),
    held: microCredits(0n),
    bond: microCredits(0n),
    earned: microCredits(0n),
    slashed: microCredits(0n),
    paid: microCredits(0n),
    payingOut: microCredits(0n),
    earnedToday: microCredits(today),
    logSize: 1,
  };
}

describe("the list of receipts", () => {
  test("shows a lease once, by its newest receipt, newest lease first", () => {
    const list = [receipt(1, 5), receipt(2, 9), receipt(1, 12), receipt(3, 10)].reduce(withReceipt, []);
    expect(list.map(({ entryIndex }) => entryIndex)).toEqual([12, 10, 9]);
  });

  test("does not go back when an older receipt of a lease arrives late", () => {
    const list = [receipt(1, 12), receipt(1, 5)].reduce<readonly ReceiptView[]>(withReceipt, []);
    expect(list.map(({ entryIndex }) => entryIndex)).toEqual([12]);
  });
});

describe("the chart", () => {
  const now = 1_000 * HOUR_MS + 1_234;

  test("has every hour of two days, also those in which nothing was earned", () => {
    const point: EarningsPoint = { start: 990 * HOUR_MS, amount: microCredits(5n), tasks: 2 };
    const filled = filledPoints([point], "hour", now);
    expect(filled).toHaveLength(48);
    expect(filled.at(-1)?.start).toBe(1_000 * HOUR_MS);
    expect(filled.filter((each) => each.point !== undefined)).toEqual([{ start: 990 * HOUR_MS, point }]);
  });

  test("has thirty days that begin at midnight UTC", () => {
    const filled = filledPoints([], "day", now);
    expect(filled).toHaveLength(30);
    expect(filled.every(({ start }) => start % (24 * HOUR_MS) === 0)).toBe(true);
  });
});

describe("earned today", () => {
  const state: ProviderState = {
    phase: "working",
    testMoney: true,
    workers: 1,
    running: [],
    tasksDone: 0,
    tasksFailed: 0,
    fuel: fuel(0n),
    tasksPerSecond: 0,
    fuelPerSecond: 0,
    earned: microCredits(40n),
    outbox: 0,
    openings: { waiting: 0, opened: 0 },
  };
  test("counts what is not reported yet", () => {
    expect(earnedToday(microCredits(100n), state, viewWith(110n))).toBe(140n);
  });

  test("does not count twice what the relay has logged meanwhile", () => {
    expect(earnedToday(microCredits(100n), state, viewWith(140n))).toBe(140n);
  });

  test("follows the relay where it knows of more, and works without it", () => {
    expect(earnedToday(microCredits(0n), state, viewWith(500n))).toBe(500n);
    expect(earnedToday(microCredits(0n), state, undefined)).toBe(40n);
  });
});

describe("a failed request", () => {
  test("that never arrived is a lost connection, and a bug stays a bug", () => {
    expect(failed(new TypeError("Failed to fetch")).failure.code).toBe(20003);
    expect(() => failed(new RangeError("bug"))).toThrow("bug");
  });
});
