import { expect, it } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { type PeerId, peerIdFromKey } from "../../protocol/peer-id.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { microCredits } from "../../protocol/units.ts";
import type { AccountRow, Batch, BooksStore } from "./books-store.ts";
import type { PayoutBatchRow, PayoutLineRow, PayoutRows } from "./payout-rows.ts";

const root = new Uint8Array(32);

function cid(name: string): PayoutBatchRow["id"] {
  return cidOf(RAW, encodeUtf8(name));
}

/** Peers in the order of their ids. */
const peers = [1, 2, 3, 4, 5].map((n) => peerIdFromKey(new Uint8Array(32).fill(n))).toSorted();

function peer(number: number): PeerId {
  const found = peers[number];
  if (found === undefined) throw new Error("no such peer");
  return found;
}

function batch(size: number, payouts: Partial<PayoutRows>, changes: Partial<Batch> = {}): Batch {
  const entry = { index: size - 1, type: "bar", bytes: Uint8Array.of(size) } as const;
  return {
    head: { size, root, time: size },
    entries: [entry],
    nodes: [],
    jobs: [],
    leases: [],
    accounts: [],
    earnings: [],
    denials: [],
    secrets: [],
    spendings: [],
    evidence: [],
    payouts: { addresses: [], batches: [], lines: [], credits: [], ...payouts },
    ...changes,
  };
}

function account(number: number, available: number): AccountRow {
  const nothing = microCredits(0);
  return {
    peer: peer(number),
    available: microCredits(available),
    pending: nothing,
    escrowed: nothing,
    earned: nothing,
  };
}

function address(number: number, usableFrom: number): PayoutRows["addresses"][number] {
  const since = 5;
  return {
    account: peer(number),
    id: cid(`address ${number}`),
    index: 1,
    since,
    address: "bank",
    usableFrom,
    ...(usableFrom > since ? { trusted: "before" } : {}),
  };
}

function order(number: number, changes: Partial<PayoutBatchRow> = {}): PayoutBatchRow {
  return {
    id: cid(`batch ${number}`),
    number,
    index: number,
    prepared: 10 * number,
    count: 1,
    total: 7n,
    state: "prepared",
    ...changes,
  };
}

function line(number: number, of: number, changes: Partial<PayoutLineRow> = {}): PayoutLineRow {
  return {
    batch: cid(`batch ${number}`),
    account: peer(of),
    amount: microCredits(7),
    address: "bank",
    prepareIndex: number,
    ...changes,
  };
}

/** What every store of the books does about payouts. `open` answers with an empty one. */
export function payoutStoreContract(open: () => BooksStore): void {
  it("knows no payouts at first", () => {
    const store = open();
    const { payouts } = store;
    expect(payouts.address(peer(0))).toBeUndefined();
    expect(payouts.newestBatch()).toBeUndefined();
    expect(payouts.batch(cid("batch 1"))).toBeUndefined();
    expect(payouts.lines(cid("batch 1"))).toEqual([]);
    expect(payouts.credit("a")).toBeUndefined();
    expect(payouts.payable(1n, 1_000, 10)).toEqual([]);
    expect(payouts.everything()).toEqual({ addresses: [], batches: [], lines: [], credits: [] });
    store.close();
  });

  it("gives back addresses, batches, lines and credits, the newest state of each", () => {
    const store = open();
    const { payouts } = store;
    store.commit(
      batch(1, {
        addresses: [address(0, 5), address(1, 500)],
        batches: [order(1), order(2)],
        lines: [line(1, 1), line(1, 0), line(2, 0)],
        credits: [{ reference: "a", index: 3 }],
      }),
    );
    expect([payouts.address(peer(0)), payouts.address(peer(1))]).toEqual([address(0, 5), address(1, 500)]);
    expect(payouts.lines(cid("batch 1"))).toEqual([line(1, 0), line(1, 1)]);
    expect(payouts.credit("a")).toBe(3);
    const ended = order(2, { state: "paid", ended: 99, reference: "run" });
    store.commit(batch(2, { batches: [ended], lines: [line(2, 0, { endIndex: 9 })] }));
    expect(payouts.newestBatch()).toEqual(ended);
    expect(payouts.batches(5)).toEqual([ended, order(1)]);
    expect(payouts.linesOf(peer(0), 9, 5)).toEqual([line(2, 0, { endIndex: 9 }), line(1, 0)]);
    expect(payouts.linesOf(peer(0), 2, 5)).toEqual([line(1, 0)]);
    expect(payouts.linesOf(peer(0), 9, 1)).toHaveLength(1);
    store.close();
  });

  it("counts what is set aside as still here, until it is paid or given back", () => {
    const store = open();
    store.commit(batch(1, { batches: [order(1)] }, { accounts: [account(0, 5)] }));
    expect(store.issued()).toBe(12n);
    store.commit(batch(2, { batches: [order(1, { state: "paid", ended: 2, reference: "" })] }));
    expect(store.issued()).toBe(5n);
    store.close();
  });

  it("finds who can be paid, in order, and counts the others by what they lack", () => {
    const store = open();
    const accounts = [account(0, 50), account(1, 50), account(2, 50), account(3, 50), account(4, 9)];
    const addresses = [address(3, 5), address(0, 5), address(1, 200), address(4, 5)];
    store.commit(batch(1, { addresses }, { accounts }));
    expect(store.payouts.payable(10n, 100, 10)).toEqual([peer(0), peer(3)]);
    expect(store.payouts.payable(10n, 100, 1)).toEqual([peer(0)]);
    expect(store.payouts.payable(10n, 200, 10)).toEqual([peer(0), peer(1), peer(3)]);
    store.commit(batch(2, {}, { denials: [{ kind: "peer", value: peer(0), reason: "" }] }));
    expect(store.payouts.payable(10n, 100, 10)).toEqual([peer(3)]);
    const gaps = { tooLittle: 1, withoutAddress: 1, addressWaits: 1, denied: 1 };
    expect(store.payouts.gaps(10n, 100)).toEqual(gaps);
    store.close();
  });

  it("takes a reference once", () => {
    const store = open();
    store.commit(batch(1, { credits: [{ reference: "a", index: 3 }] }));
    expect(() => store.commit(batch(2, { credits: [{ reference: "a", index: 4 }] }))).toThrow(
      /unique|constraint/iu,
    );
    expect([store.payouts.credit("a"), store.head()?.size]).toEqual([3, 1]);
    store.close();
  });
}
