import { describe, expect, test } from "vitest";
import { peerIdFromKey } from "../../protocol/peer-id.ts";
import type { AccountView } from "../../protocol/relay-api.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import type { ProviderState } from "../../provider/provider-state.ts";
import { earnedToday } from "./account.ts";
import { failed } from "./loadable.ts";

const peer = peerIdFromKey(new Uint8Array(32).fill(7));

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
