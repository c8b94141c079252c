import { beforeEach, describe, expect, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { leafHash, MerkleTree, verifyInclusion } from "../protocol/merkle.ts";
import type { HoldingShelf } from "../storage/holdings.ts";
import { StorageError } from "../storage/storage-error.ts";
import { HeldLease, type HeldTerms } from "./held-lease.ts";
import { HeldMemory } from "./held-memory.ts";
import { HELD_MEMORY_BYTES } from "./limits.ts";
import { memoryHoldings } from "./memory-shelves.contract.ts";

const TERMS: HeldTerms = {
  lease: cidOf(RAW, Uint8Array.of(1)),
  origin: "localhost/test",
  job: cidOf(RAW, Uint8Array.of(2)),
  holdBytes: 10_000,
  until: Number.MAX_SAFE_INTEGER,
};

let memory: HeldMemory;
let tasks: MerkleTree;
let outcomes: MerkleTree;

beforeEach(() => {
  memory = new HeldMemory();
  tasks = new MerkleTree();
  outcomes = new MerkleTree();
});

function header(seq: number): Uint8Array {
  return Uint8Array.of(7, seq);
}

function leaf(index: number): Uint8Array {
  return Uint8Array.of(9, index);
}

function tell(held: HeldLease, seq: number, size = 10): void {
  tasks.append(leafHash(header(seq)));
  held.task(header(seq));
  held.input(seq, new Uint8Array(size).fill(seq));
  end(held, seq);
}

function end(held: HeldLease, seq: number, isEnd = true): void {
  const index = outcomes.size;
  outcomes.append(leafHash(leaf(index)));
  held.outcome(leaf(index), seq, isEnd);
}

function naming(taskCount: number): Parameters<HeldLease["named"]>[0] {
  return { envelope: Uint8Array.of(taskCount), taskCount, tasksRoot: tasks.root(taskCount) };
}

async function expectOpens(held: HeldLease, index: number, seq: number, count: number): Promise<void> {
  const opened = await held.open(index, count, naming(tasks.size));
  if (opened === undefined) throw new Error(`outcome ${index} is not held`);
  expect(opened.input[0]).toBe(seq);
  expect(verifyInclusion(leafHash(opened.leaf), index, count, opened.path, outcomes.root(count))).toBe(true);
  expect(verifyInclusion(leafHash(opened.task), seq, tasks.size, opened.taskPath, tasks.root())).toBe(true);
}

describe("outcomes that may be drawn", () => {
  test("can be opened until a draw has passed over them, and those after it still can", async () => {
    const held = new HeldLease(TERMS, { shelf: memoryHoldings(), memory });
    for (let seq = 0; seq < 20; seq += 1) tell(held, seq);
    await held.keep();
    await held.cover(13);
    expect(held.covered).toBe(13);
    expect(await held.open(12, 20, naming(20))).toBeUndefined();
    for (let index = 13; index < 20; index += 1) await expectOpens(held, index, index, 20);
    expect(memory.bytes).toBe(70);
  });

  test("of a stream keep its prompt until the last of them is passed over", async () => {
    const held = new HeldLease(TERMS, { shelf: memoryHoldings(), memory });
    tasks.append(leafHash(header(0)));
    held.task(header(0));
    held.input(0, new Uint8Array(50).fill(0));
    end(held, 0, false);
    end(held, 0, false);
    await held.cover(2);
    expect(memory.bytes).toBe(50);
    end(held, 0);
    await expectOpens(held, 2, 0, 3);
    await held.cover(3);
    expect(memory.bytes).toBe(0);
  });

  test("are proven by the newest advance known here, where the one logged names tasks that never came", async () => {
    const held = new HeldLease(TERMS, { memory });
    tell(held, 0);
    held.named(naming(1));
    const beyond = { envelope: Uint8Array.of(99), taskCount: 5, tasksRoot: new Uint8Array(32) };
    expect((await held.open(0, 1, beyond))?.advance).toEqual(Uint8Array.of(1));
  });

  test("are taken up by the next start as they were", async () => {
    const shelf = memoryHoldings();
    const held = new HeldLease(TERMS, { shelf, memory });
    for (let seq = 0; seq < 11; seq += 1) tell(held, seq);
    held.named(naming(11));
    await held.cover(6);
    const [stored] = await shelf.load(TERMS.origin);
    if (stored === undefined) throw new Error("nothing is kept");
    const next = HeldLease.restored(stored, shelf, new HeldMemory());
    expect([next.covered, next.signed]).toEqual([6, 11]);
    for (let index = 6; index < 11; index += 1) await expectOpens(next, index, index, 11);
  });

  test("that do not fit together on the disk are not taken up", async () => {
    const shelf = memoryHoldings();
    const held = new HeldLease(TERMS, { shelf, memory });
    for (let seq = 0; seq < 3; seq += 1) tell(held, seq);
    await held.keep();
    const [stored] = await shelf.load(TERMS.origin);
    if (stored === undefined) throw new Error("nothing is kept");
    const torn = { ...stored, outcomes: stored.outcomes.slice(1) };
    expect(() => HeldLease.restored(torn, shelf, memory)).toThrow(RangeError);
  });
});

describe("a tab that holds too much", () => {
  const FULL: HoldingShelf = {
    ...memoryHoldings(),
    write: () => Promise.reject(new StorageError("full", "the disk is full")),
  };

  test("reads inputs from the disk", async () => {
    memory.bytes = HELD_MEMORY_BYTES;
    const held = new HeldLease(TERMS, { shelf: memoryHoldings(), memory });
    tell(held, 0);
    await held.keep();
    expect(memory.bytes).toBe(HELD_MEMORY_BYTES);
    expect(held.lost(1)).toEqual([]);
    await expectOpens(held, 0, 0, 1);
  });

  test("declares lost what neither memory nor a full disk takes, and nothing else", async () => {
    const held = new HeldLease(TERMS, { shelf: FULL, memory });
    tell(held, 0, 10);
    memory.bytes += HELD_MEMORY_BYTES - 10;
    await expect(held.keep()).rejects.toThrow("full");
    expect(held.lost(1)).toEqual([]);
    tell(held, 1, 5);
    await expect(held.keep()).rejects.toThrow("full");
    // The oldest went, and then there was room.
    expect(held.lost(2)).toEqual([0]);
    expect(await held.open(0, 2, naming(2))).toBeUndefined();
    await expectOpens(held, 1, 1, 2);
  });

  test("says that it is full by the inputs of what has ended, not of what still runs", () => {
    const held = new HeldLease(TERMS, { memory });
    tell(held, 0, 9_000);
    expect(held.isFull).toBe(false);
    held.task(header(1));
    held.input(1, new Uint8Array(9_000));
    expect(held.isFull).toBe(false);
    held.outcome(leaf(1), 1, true);
    expect(held.isFull).toBe(true);
  });
});
