import { expect, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { Copies } from "./copies.ts";
import { HEDGE_LEAST_MS } from "./limits.ts";
import type { WorkItem } from "./work-queue.ts";

/** A provider that notes which of its tasks were stopped. */
class Computer {
  readonly stopped: number[] = [];
  readonly pulse = { isSilent: false };
  readonly session = {
    pulse: this.pulse,
    stop: async (seq: number): Promise<void> => {
      this.stopped.push(seq);
    },
  };
}

const TOTAL = 100;
/** What most tasks take here, milliseconds: two of them are the least that is late. */
const USUAL_MS: number = HEDGE_LEAST_MS;
const LATE_MS: number = 2 * USUAL_MS;

function item(index: number): WorkItem {
  const bytes = Uint8Array.of(index);
  return { index, bytes, cid: cidOf(RAW, bytes), seed: new Uint8Array(32), attempts: 1 };
}

/** A job of which these inputs are left, each at the provider given, since time 0. */
function open(at: readonly (readonly [index: number, by: Computer])[], mayCopy = true): Copies<Computer> {
  const copies = new Copies<Computer>();
  for (let time = 0; time < 10; time += 1) copies.answered(USUAL_MS);
  for (const [index, by] of at) {
    copies.begin(item(index), mayCopy, 0);
    copies.sent(item(index), by, 10 + index);
  }
  return copies;
}

/** Who takes another copy, of those named. */
function idlest(
  ...members: readonly Computer[]
): (but: ReadonlyMap<Computer, unknown>) => Computer | undefined {
  return (but) => members.find((member) => !but.has(member));
}

test("of the last three of a hundred inputs, one that is late is given to a second provider as well", () => {
  const [slow, idle] = [new Computer(), new Computer()];
  const copies = open([
    [1, slow],
    [2, slow],
    [3, slow],
  ]);
  expect(copies.next(TOTAL, LATE_MS - 1, idlest(slow, idle))).toBeUndefined();
  expect(copies.nextLateAt(TOTAL)).toBe(LATE_MS);
  expect(copies.next(TOTAL, LATE_MS, idlest(slow, idle))).toMatchObject({ item: { index: 1 }, member: idle });
});

test("nothing is computed twice before that", () => {
  const [slow, idle] = [new Computer(), new Computer()];
  const copies = open([1, 2, 3, 4].map((index) => [index, slow] as const));
  expect(copies.next(TOTAL, 1_000_000, idlest(idle))).toBeUndefined();
  expect(copies.nextLateAt(TOTAL)).toBe(Infinity);
});

test("an input is at two providers at most, never twice at one, and at none where nobody has room", () => {
  const [slow, idle, other] = [new Computer(), new Computer(), new Computer()];
  const copies = open([[1, slow]]);
  expect(copies.next(TOTAL, LATE_MS, idlest())).toBeUndefined();
  expect(copies.next(TOTAL, LATE_MS, idlest(slow))).toBeUndefined();
  copies.begin(item(1), true, LATE_MS);
  copies.sent(item(1), idle, 5);
  expect(copies.next(TOTAL, 10 * LATE_MS, idlest(other))).toBeUndefined();
  expect(copies.made).toBe(1);
});

test("what a silent provider has is given to others, however much of the job is left; it may still be the first to answer", () => {
  const [silent, well, idle] = [new Computer(), new Computer(), new Computer()];
  const copies = open([
    ...[1, 2, 3, 4, 5].map((index) => [index, silent] as const),
    ...[6, 7, 8].map((index) => [index, well] as const),
  ]);
  expect(copies.next(undefined, 0, idlest(idle))).toBeUndefined();
  silent.pulse.isSilent = true;
  for (const index of [1, 2, 3, 4, 5]) {
    expect(copies.next(undefined, 0, idlest(idle))).toMatchObject({ item: { index }, isRescue: true });
    copies.begin(item(index), true, 0);
    copies.sent(item(index), idle, 50 + index);
  }
  expect(copies.next(undefined, 0, idlest(idle))).toBeUndefined();
  expect(copies.counts(item(1), silent, true)).toBe(true);
  expect(idle.stopped).toEqual([51]);
});

test("a text that is written step by step is never at two providers", () => {
  const [slow, idle] = [new Computer(), new Computer()];
  expect(open([[1, slow]], false).next(TOTAL, 1_000_000, idlest(idle))).toBeUndefined();
});

test("where nothing has ended yet nobody knows what late is", () => {
  const copies = new Copies<Computer>();
  copies.begin(item(0), true, 0);
  copies.sent(item(0), new Computer(), 0);
  expect(copies.next(TOTAL, 1_000_000, idlest(new Computer()))).toBeUndefined();
});

test("the first answer counts and the other copy is stopped; what that one says counts no more", () => {
  const [slow, quick] = [new Computer(), new Computer()];
  const copies = open([[1, slow]]);
  copies.sent(item(1), quick, 77);
  expect(copies.counts(item(1), quick, true)).toBe(true);
  expect(slow.stopped).toEqual([11]);
  expect(quick.stopped).toEqual([]);
  expect(copies.counts(item(1), slow, true)).toBe(false);
  expect(copies.left(item(1), slow)).toBe(false);
  expect(copies.open).toBe(0);
});

test("who leaves gives the input back only where no other has it", () => {
  const [slow, quick] = [new Computer(), new Computer()];
  const copies = open([[1, slow]]);
  copies.sent(item(1), quick, 77);
  expect(copies.left(item(1), slow)).toBe(false);
  expect(copies.open).toBe(1);
  expect(copies.left(item(1), quick)).toBe(true);
  expect(copies.open).toBe(0);
});

test("who could not compute it has no say while another one does", () => {
  const [slow, quick] = [new Computer(), new Computer()];
  const copies = open([[1, slow]]);
  copies.sent(item(1), quick, 77);
  expect(copies.counts(item(1), slow, false)).toBe(false);
  expect(copies.counts(item(1), quick, false)).toBe(true);
});
