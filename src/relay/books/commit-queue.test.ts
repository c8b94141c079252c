import { describe, expect, it } from "vitest";
import { failureCode } from "../../protocol/failure-code.ts";
import { EMPTY_ROOT } from "../../protocol/merkle.ts";
import { microCredits } from "../../protocol/units.ts";
import type { Batch, BooksStore } from "../store/books-store.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import { HEAD, ORIGIN, seedOf, signerOf, START } from "./books-scene.contract.ts";
import { CommitQueue } from "./commit-queue.ts";
import { Committed } from "./committed.ts";
import type { Draft } from "./draft.ts";
import type { Court } from "./judging.ts";
import { LogTree } from "./log-tree.ts";
import { relayKey } from "./native-keys.ts";
import { grant } from "./rule-entries.ts";
import { Signatories } from "./signatories.ts";

const court: Court = {
  origin: ORIGIN,
  asset: HEAD.asset,
  signatories: new Signatories(),
  drawKey: () => relayKey(seedOf("draw")),
};
const someone = signerOf("someone").key;

interface Desk {
  readonly store: BooksStore;
  readonly committed: Committed;
  readonly queue: CommitQueue;
  /** How many of the next commits the disk fails, before they are on it and after. */
  readonly disk: { failures: number; lateFailures: number };
}

/** A queue on a real store, whose disk can be made to fail. */
function openDesk(): Desk {
  const store = openSqliteStore(":memory:");
  const disk = { failures: 0, lateFailures: 0 };
  const write = (batch: Batch): void => {
    disk.failures -= 1;
    if (disk.failures >= 0) throw new Error("disk I/O error");
    store.commit(batch);
    disk.lateFailures -= 1;
    if (disk.lateFailures >= 0) throw new Error("disk I/O error");
  };
  const failing = new Proxy(store, {
    get(target, name) {
      if (name === "commit") return write;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const committed = new Committed(failing);
  const tree = new LogTree((level, index) => failing.nodes(level, index), 0, EMPTY_ROOT);
  const key = relayKey(seedOf("log"));
  const queue = new CommitQueue({
    origin: ORIGIN,
    clock: () => START,
    store: failing,
    committed,
    tree,
    logKey: () => key,
  });
  return { store, committed, queue, disk };
}

async function granted({ queue }: Desk, amount: number): Promise<number> {
  return queue.submit((draft) => {
    const index = grant(court, draft, someone, microCredits(amount), "a test");
    return () => index;
  });
}

describe("group commit", () => {
  it("answers nobody when the disk fails, and goes on as if nothing had been asked", async () => {
    const desk = openDesk();
    await granted(desk, 1);
    desk.disk.failures = 1;
    const answers = await Promise.allSettled([granted(desk, 10), granted(desk, 100)]);
    for (const answer of answers)
      expect(answer).toMatchObject({ status: "rejected", reason: { code: failureCode("relay-fault") } });
    expect(desk.committed.account(someone).available).toBe(1n);
    expect(desk.store.head()?.size).toBe(1);
    await expect(granted(desk, 1_000)).resolves.toBe(1);
    expect(desk.committed.account(someone).available).toBe(1_001n);
    expect(desk.store.account(someone)?.available).toBe(1_001n);
  });

  it("answers what is on the disk, and goes on after it, when the disk fails after it has written", async () => {
    const desk = openDesk();
    desk.disk.lateFailures = 2;
    await expect(Promise.all([granted(desk, 10), granted(desk, 100)])).resolves.toEqual([0, 1]);
    await expect(granted(desk, 1_000)).resolves.toBe(2);
    await expect(granted(desk, 10_000)).resolves.toBe(3);
    expect(desk.committed.account(someone).available).toBe(11_110n);
    expect(desk.store.account(someone)?.available).toBe(11_110n);
    expect(desk.store.head()?.size).toBe(4);
  });

  it("writes what one turn asks for at once, each seeing what those before it did", async () => {
    const desk = openDesk();
    const sizes: number[] = [];
    desk.queue.onCommit(({ size }) => sizes.push(size));
    const seen: bigint[] = [];
    const look = async (): Promise<void> =>
      desk.queue.submit((draft: Draft) => {
        seen.push(draft.account(someone).available);
        return () => {};
      });
    await Promise.all([granted(desk, 1), look(), granted(desk, 2), look()]);
    expect(seen).toEqual([1n, 3n]);
    expect(sizes).toEqual([2]);
  });

  it("undoes all of an operation that fails half-way, and nothing of the others", async () => {
    const desk = openDesk();
    const half = desk.queue.submit((draft) => {
      grant(court, draft, someone, microCredits(5), "half");
      throw new TypeError("a bug");
    });
    const answers = await Promise.allSettled([granted(desk, 1), half, granted(desk, 2)]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(answers[1]).toMatchObject({
      reason: { code: failureCode("relay-fault"), cause: expect.any(TypeError) as Error },
    });
    expect(desk.store.account(someone)?.available).toBe(3n);
    expect(desk.store.head()?.size).toBe(2);
  });
});
