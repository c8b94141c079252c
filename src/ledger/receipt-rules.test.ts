import { describe, expect, it } from "vitest";
import { failureCode, type FailureName } from "../protocol/failure-code.ts";
import type { Receipt } from "../protocol/messages/receipt.ts";
import type { Advance } from "../protocol/messages/task.ts";
import { fuel, microCredits } from "../protocol/units.ts";
import {
  Accounts,
  grow,
  jobTerms,
  leaseTerms,
  named,
  Outcomes,
  PAYER,
  peerOf,
  TARIFF,
} from "./accounts-scene.contract.ts";
import { isContradiction, judgeReceipt, type ReceiptCase } from "./receipt-rules.ts";

interface Changes {
  readonly receipt?: Partial<Receipt>;
  readonly advance?: Partial<Advance>;
  readonly report?: Partial<ReceiptCase["report"]>;
}

/** A lease with 10 tasks named; each judged report adds outcomes. */
class Court {
  readonly accounts = new Accounts();
  readonly work: Outcomes;

  constructor(budget = 1_000) {
    const { accounts } = this;
    accounts.happens({ type: "income", account: PAYER, amount: microCredits(10_000) });
    accounts.happens({ type: "escrow", job: named("job"), terms: jobTerms(), signers: [PAYER] });
    const id = named("lease");
    const terms = leaseTerms(named("job"), peerOf(0), { budget: microCredits(budget) });
    accounts.happens({ type: "lease", lease: id, revision: id, terms });
    this.work = new Outcomes(accounts.leases.get(id)!);
    grow(this.work.tasks, "task", 10);
  }

  next(outcomes: number, changes: Changes = {}): ReceiptCase {
    const { work, accounts } = this;
    grow(work.outcomes, "outcome", outcomes);
    const job = accounts.jobs.get(named("job"))!;
    const lease = accounts.leases.get(work.lease.id)!;
    const { id, receipt } = work.receipt(job, changes.receipt);
    const from = lease.newest?.count ?? 0;
    return {
      id,
      receipt,
      advance: work.advance(id, changes.advance),
      report: {
        prevCount: from,
        consistency: receipt.count < from ? [] : work.outcomes.consistencyProof(from, receipt.count),
        lost: [],
        ...changes.report,
      },
      lease,
      job,
      tariff: TARIFF,
    };
  }

  log(each: ReceiptCase): this {
    judgeReceipt(each);
    const { id, receipt, advance, lease } = each;
    this.accounts.happens({ type: "receipt", lease: lease.id, id, receipt, advance, lost: 0 });
    return this;
  }
}

function expectRefused(each: ReceiptCase, name: FailureName): void {
  expect(() => judgeReceipt(each)).toThrow(expect.objectContaining({ code: failureCode(name) }));
}

describe("a receipt", () => {
  it("is accepted when it counts on from the one before", () => {
    const court = new Court();
    court.log(court.next(2)).log(court.next(3)).log(court.next(0));
    expect(court.accounts.leases.get(court.work.lease.id)!.newest!.count).toBe(5);
  });

  it("is refused for each term that is not the lease's", () => {
    const terms: Partial<Receipt>[] = [
      { job: named("another job") },
      { requester: peerOf(9) },
      { rev: 1 },
      { workCid: named("other work") },
      { profile: 1 },
      { policy: named("another policy") },
      { tariff: named("another tariff") },
    ];
    for (const receipt of terms) expectRefused(new Court().next(2, { receipt }), "bad-receipt");
  });

  it("is refused over tasks the requester never named", () => {
    const court = new Court();
    expectRefused(court.next(11), "unnamed-task");
    expectRefused(new Court().next(2, { receipt: { taskCount: 11 } }), "unnamed-task");
    expectRefused(new Court().next(2, { receipt: { tasksRoot: new Uint8Array(32) } }), "unnamed-task");
  });

  it("is refused when the requester's list of tasks shrinks or changes", () => {
    const shrunk = new Court();
    shrunk.log(shrunk.next(2));
    expectRefused(shrunk.next(1, { receipt: { taskCount: 9 }, advance: { taskCount: 9 } }), "unnamed-task");
    const changed = new Court();
    changed.log(changed.next(2));
    const tasksRoot = new Uint8Array(32);
    expectRefused(changed.next(1, { receipt: { tasksRoot }, advance: { tasksRoot } }), "unnamed-task");
  });

  it("is refused unless the advance countersigns exactly it, under its lease", () => {
    expectRefused(new Court().next(2, { advance: { receiptCid: named("another receipt") } }), "bad-receipt");
    expectRefused(new Court().next(2, { advance: { lease: named("another lease") } }), "bad-receipt");
  });

  it("is refused when its amount is not what the tariff makes of its totals", () => {
    expectRefused(new Court().next(2, { receipt: { amount: microCredits(1_000) } }), "bad-receipt");
    expectRefused(new Court().next(2, { receipt: { payable: 3 } }), "bad-receipt");
  });

  it("is refused beyond its budget", () => {
    expectRefused(new Court(20).next(2), "over-budget");
  });

  it("is refused when a newer one is logged", () => {
    const court = new Court();
    const old = court.next(2);
    court.log(court.next(3));
    expectRefused({ ...old, lease: court.accounts.leases.get(old.lease.id)! }, "stale-receipt");
  });

  it("is refused when a total shrinks", () => {
    for (const receipt of [{ payable: 1, fuel: fuel(10_000_000) }, { fuel: fuel(1) }, { bytes: 0n }]) {
      const court = new Court();
      court.log(court.next(3));
      expectRefused(court.next(1, { receipt }), "inconsistent-receipt");
    }
  });

  it("is refused without a proof that it extends the one before", () => {
    const missing = new Court();
    missing.log(missing.next(3));
    expectRefused(missing.next(2, { report: { consistency: [] } }), "inconsistent-receipt");
    const elsewhere = new Court();
    elsewhere.log(elsewhere.next(3));
    expectRefused(elsewhere.next(2, { report: { prevCount: 0, consistency: [] } }), "inconsistent-receipt");
    const other = new Court();
    other.log(other.next(3));
    expectRefused(other.next(2, { receipt: { root: new Uint8Array(32) } }), "inconsistent-receipt");
  });

  it("is refused when it skips the one before or follows a final one", () => {
    const skipping = new Court();
    skipping.log(skipping.next(3));
    expectRefused(skipping.next(1, { receipt: { prev: named("another receipt") } }), "inconsistent-receipt");
    const ended = new Court();
    ended.log(ended.next(3, { receipt: { final: true } }));
    expectRefused(ended.next(1), "inconsistent-receipt");
  });

  it("may declare only new leaves lost, in order", () => {
    const court = new Court();
    court.log(court.next(3));
    expect(() => judgeReceipt(court.next(2, { report: { lost: [3, 4] } }))).not.toThrow();
    for (const lost of [[2], [5], [4, 3], [3, 3]])
      expectRefused(court.next(0, { report: { lost } }), "bad-receipt");
  });
});

describe("two receipts", () => {
  it("contradict each other when no honest provider signs both", () => {
    const court = new Court();
    const first = court.next(3);
    court.log(first);
    const newest = court.accounts.leases.get(first.lease.id)!.newest!;
    const { receipt } = first;
    const other = named("other");
    expect(isContradiction(newest, first.id, receipt)).toBe(false);
    expect(isContradiction(newest, other, receipt)).toBe(true);
    expect(isContradiction(newest, other, { ...receipt, seq: 2, root: new Uint8Array(32) })).toBe(true);
    expect(isContradiction(newest, other, { ...receipt, seq: 2, count: 2 })).toBe(true);
    expect(isContradiction(newest, other, { ...receipt, seq: 0, count: 4 })).toBe(true);
    expect(isContradiction(newest, other, { ...receipt, seq: 2 })).toBe(false);
    expect(isContradiction(newest, other, { ...receipt, seq: 0, count: 2 })).toBe(false);
  });
});
