import { expect, it } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { type PeerId, peerIdFromKey } from "../../protocol/peer-id.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import type { AccountRow, Batch, BooksStore, EntryRow, JobRow, LeaseRow } from "./books-store.ts";

const root = new Uint8Array(32).fill(7);

function cid(name: string): JobRow["id"] {
  return cidOf(RAW, encodeUtf8(name));
}

function peer(number: number): PeerId {
  return peerIdFromKey(new Uint8Array(32).fill(number));
}

function entries(from: number, count: number): EntryRow[] {
  return Array.from({ length: count }, (_, i) => ({
    index: from + i,
    type: "receipt",
    bytes: Uint8Array.of(from + i),
  }));
}

function batch(size: number, changes: Partial<Batch> = {}): Batch {
  return {
    head: { size, root, time: 1_000 + size },
    entries: [],
    nodes: [],
    jobs: [],
    leases: [],
    accounts: [],
    earnings: [],
    denials: [],
    secrets: [],
    evidence: [],
    spendings: [],
    ...changes,
  };
}

function job(name: string, index: number, changes: Partial<JobRow> = {}): JobRow {
  return {
    id: cid(name),
    escrowIndex: index,
    requester: peer(1),
    nonce: new Uint8Array(16).fill(index),
    work: cid("work"),
    expires: 5_000,
    state: "open",
    unbound: microCredits(10),
    spent: microCredits(0),
    refunded: microCredits(0),
    openLeases: 0,
    ...changes,
  };
}

function lease(name: string, index: number, changes: Partial<LeaseRow> = {}): LeaseRow {
  return {
    id: cid(name),
    index,
    job: cid("job"),
    provider: peer(2),
    instance: peer(3),
    revision: cid(name),
    termsIndex: index,
    state: "open",
    bound: microCredits(5),
    reportBy: 9_000,
    earned: microCredits(0),
    held: microCredits(0),
    forfeited: microCredits(0),
    drawn: 0,
    judged: 0,
    ...changes,
  };
}

function newest(index: number): NonNullable<LeaseRow["newest"]> {
  return {
    id: cid(`receipt ${index}`),
    index,
    time: 1_000,
    seq: index,
    count: 3,
    payable: 2,
    cancelled: 1,
    failed: 1,
    peak: fuel((1n << 64n) - 1n),
    fuel: fuel((1n << 64n) - 1n),
    bytes: (1n << 64n) - 1n,
    amount: microCredits((1n << 63n) - 1n),
    root,
    taskCount: 4,
    tasksRoot: new Uint8Array(32),
    final: true,
  };
}

function account(number: number, available: bigint): AccountRow {
  const nothing = microCredits(0);
  return {
    peer: peer(number),
    available: microCredits(available),
    pending: nothing,
    escrowed: nothing,
    earned: nothing,
  };
}

/** What every store of the books does. `open` answers with an empty one. */
export function booksStoreContract(open: () => BooksStore): void {
  it("is empty at first", () => {
    const store = open();
    expect(store.head()).toBeUndefined();
    expect(store.entry(0)).toBeUndefined();
    expect(store.job(cid("job"))).toBeUndefined();
    expect(store.account(peer(1))).toBeUndefined();
    expect(store.issued()).toBe(0n);
    expect(store.everything()).toEqual({ accounts: [], jobs: [], leases: [], spendings: [] });
    store.close();
  });

  it("gives back what a batch has written, the newest state of each", () => {
    const store = open();
    const open1 = lease("lease", 1);
    store.commit(
      batch(2, {
        entries: entries(0, 2),
        jobs: [job("job", 0)],
        leases: [open1],
        accounts: [account(1, (1n << 63n) - 1n)],
        secrets: [{ name: "epoch 0", value: root }],
        evidence: [{ cid: cid("evidence"), bytes: root }],
      }),
    );
    expect(store.head()).toEqual({ size: 2, root, time: 1_002 });
    expect(store.entry(1)).toEqual(Uint8Array.of(1));
    expect(store.entries(1, 5)).toEqual([Uint8Array.of(1)]);
    expect(store.entries(0, 1)).toEqual([Uint8Array.of(0)]);
    expect(store.job(cid("job"))).toEqual(job("job", 0));
    expect(store.jobOf(peer(1), new Uint8Array(16))).toBe(cid("job"));
    expect(store.jobOf(peer(2), new Uint8Array(16))).toBeUndefined();
    expect(store.lease(open1.id)).toEqual(open1);
    expect(store.account(peer(1))).toEqual(account(1, (1n << 63n) - 1n));
    expect(store.secret("epoch 0")).toEqual(root);
    expect(store.evidence(cid("evidence"))).toEqual(root);
    expect(store.evidence(cid("other"))).toBeUndefined();
    const reported = lease("lease", 1, { newest: newest(2), bound: microCredits(1) });
    const closing = job("job", 0, { state: "closing", openLeases: 1 });
    store.commit(
      batch(3, { entries: entries(2, 1), jobs: [closing], leases: [reported], accounts: [account(1, 2n)] }),
    );
    expect(store.lease(open1.id)).toEqual(reported);
    expect(store.leasesOf(cid("job"))).toEqual([reported]);
    expect(store.job(cid("job"))).toEqual(closing);
    expect(store.issued()).toBe(2n);
    expect(store.everything()).toEqual({
      accounts: [account(1, 2n)],
      jobs: [closing],
      leases: [reported],
      spendings: [],
    });
    store.close();
  });

  it("writes all of a batch or nothing", () => {
    const store = open();
    store.commit(batch(1, { entries: entries(0, 1), jobs: [job("job", 0)], accounts: [account(1, 5n)] }));
    const bad: Partial<Batch>[] = [
      { entries: entries(0, 1) },
      { entries: entries(1, 1), jobs: [job("again", 1, { nonce: new Uint8Array(16) })] },
      { entries: entries(1, 1), jobs: [job("job", 1)] },
    ];
    for (const changes of bad) {
      expect(() => store.commit(batch(2, { accounts: [account(1, 6n)], ...changes }))).toThrow(/UNIQUE/u);
      expect(store.head()).toEqual({ size: 1, root, time: 1_001 });
      expect(store.account(peer(1))).toEqual(account(1, 5n));
      expect(store.entry(1)).toBeUndefined();
    }
    store.commit(batch(2, { entries: entries(1, 1) }));
    expect(store.head()?.size).toBe(2);
    store.close();
  });

  it("refuses a batch that builds on another head", () => {
    const store = open();
    store.commit(batch(2, { entries: entries(0, 2) }));
    expect(() => store.commit(batch(4, { entries: entries(3, 1) }))).toThrow(/has not 3 entries/u);
    store.close();
  });

  it("keeps when a lease ended that began in the same batch", () => {
    const store = open();
    const ended = lease("ended", 1, { state: "settled", bound: microCredits(0), settledAt: 1_002 });
    store.commit(batch(2, { entries: entries(0, 2), leases: [ended] }));
    expect(store.lease(ended.id)).toEqual(ended);
    store.close();
  });

  it("finds leases and jobs that are due, oldest first", () => {
    const store = open();
    const late = lease("late", 3, { reportBy: 100 });
    const later = lease("later", 4, { reportBy: 200 });
    const settled = lease("settled", 5, { reportBy: 50, state: "settled" });
    store.commit(
      batch(1, {
        entries: entries(0, 1),
        jobs: [job("job", 0, { expires: 100 }), job("closed", 1, { expires: 90, state: "closed" })],
        leases: [later, late, settled, lease("open", 6)],
      }),
    );
    expect(store.due(201, 10)).toEqual({ leases: [late.id, later.id], jobs: [cid("job")] });
    expect(store.due(201, 1).leases).toEqual([late.id]);
    expect(store.due(100, 10)).toEqual({ leases: [], jobs: [] });
    expect(store.leasesBoundTo(peer(3))).toEqual([late.id, later.id, cid("open")]);
    store.close();
  });

  it("lists a provider's receipts newest first, and finds older ones of a lease by their seq", () => {
    const store = open();
    const rows = [1, 2, 3].map((index) => lease(`lease ${index}`, index, { newest: newest(10 + index) }));
    const chain: EntryRow[] = [
      { index: 0, type: "receipt", bytes: root, seq: 2 },
      { index: 1, type: "receipt", bytes: root, seq: 5 },
      { index: 2, type: "receipt", bytes: root, seq: 4, previous: 0 },
      { index: 3, type: "receipt", bytes: root, seq: 9, previous: 2 },
    ];
    store.commit(batch(4, { entries: chain, leases: [...rows, lease("unused", 9)] }));
    expect(store.receiptsOf(peer(2), 100, 2).map(({ index }) => index)).toEqual([3, 2]);
    expect(store.receiptsOf(peer(2), 12, 2).map(({ index }) => index)).toEqual([1]);
    expect([3, 2, 1, 0].map((index) => store.previousEntry(index))).toEqual([2, 0, undefined, undefined]);
    expect([9, 4, 2, 3, 5, 1].map((seq) => store.receiptEntry(3, seq))).toEqual([
      3,
      2,
      0,
      undefined,
      undefined,
      undefined,
    ]);
    store.close();
  });

  it("adds earnings up by hour", () => {
    const store = open();
    const row = { peer: peer(1), hour: 3_600_000, amount: 5n, tasks: 2 };
    store.commit(batch(1, { entries: entries(0, 1), earnings: [row, row] }));
    store.commit(batch(2, { entries: entries(1, 1), earnings: [row, { ...row, hour: 0 }] }));
    expect(store.earnings(peer(1), 0)).toEqual([
      { ...row, hour: 0 },
      { ...row, amount: 15n, tasks: 6 },
    ]);
    expect(store.earnings(peer(1), 1)).toEqual([{ ...row, amount: 15n, tasks: 6 }]);
    store.close();
  });

  it("keeps the newest sum of a key's spending in each period", () => {
    const store = open();
    const row = { apiKey: cid("key"), period: 0, amount: 5n };
    store.commit(
      batch(1, { entries: entries(0, 1), spendings: [row, { ...row, period: 86_400_000, amount: 7n }] }),
    );
    store.commit(batch(2, { entries: entries(1, 1), spendings: [{ ...row, amount: (1n << 63n) - 1n }] }));
    expect(store.spending(row.apiKey, 0)).toBe((1n << 63n) - 1n);
    expect(store.spending(row.apiKey, 86_400_000)).toBe(7n);
    expect(store.spending(cid("other"), 0)).toBe(0n);
    expect(store.everything().spendings).toHaveLength(2);
    store.close();
  });

  it("lists entries of rare types, and finds the run that holds a subtree", () => {
    const store = open();
    const policy: EntryRow = { index: 0, type: "policy", bytes: root };
    store.commit(
      batch(3, {
        entries: [policy, ...entries(1, 2)],
        nodes: [
          { level: 0, first: 0, hashes: new Uint8Array(96) },
          { level: 1, first: 0, hashes: new Uint8Array(32) },
        ],
      }),
    );
    store.commit(
      batch(4, {
        entries: [{ ...policy, index: 3 }],
        nodes: [{ level: 0, first: 3, hashes: root }],
      }),
    );
    expect(store.entriesOf("policy")).toEqual([0, 3]);
    expect(store.entriesOf("receipt")).toEqual([]);
    expect(store.nodes(0, 2)).toEqual({ level: 0, first: 0, hashes: new Uint8Array(96) });
    expect(store.nodes(0, 3)).toEqual({ level: 0, first: 3, hashes: root });
    expect(store.nodes(2, 0)).toBeUndefined();
    store.close();
  });

  it("keeps names of models until they are taken back", () => {
    const store = open();
    const row = {
      name: "b",
      model: cid("m"),
      publisher: peer(1),
      published: 5,
      manifest: Uint8Array.of(1, 2),
    };
    store.putPublished(row);
    store.putPublished({ ...row, name: "a" });
    store.putPublished({ ...row, model: cid("n"), published: 6 });
    expect(store.publishedModels()).toEqual([
      { ...row, name: "a" },
      { ...row, model: cid("n"), published: 6 },
    ]);
    store.removePublished("a");
    store.removePublished("a");
    expect(store.publishedModels().map(({ name }) => name)).toEqual(["b"]);
    store.close();
  });

  it("keeps the list of denials until they are taken back", () => {
    const store = open();
    store.commit(
      batch(0, {
        denials: [
          { kind: "cid", value: "a", reason: "first" },
          { kind: "cid", value: "a", reason: "second" },
          { kind: "peer", value: "b", reason: "third" },
        ],
      }),
    );
    expect(store.denial("cid", "a")).toBe("second");
    store.commit(batch(0, { denials: [{ kind: "peer", value: "b" }] }));
    expect(store.denials()).toEqual([{ kind: "cid", value: "a", reason: "second" }]);
    store.close();
  });
}
