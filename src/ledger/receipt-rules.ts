import { equalBytes } from "../protocol/bytes.ts";
import type { Cid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { type Join, verifyConsistency } from "../protocol/merkle.ts";
import { countedTasks, type Receipt, type Report } from "../protocol/messages/receipt.ts";
import type { Advance } from "../protocol/messages/task.ts";
import { priceOf, type Tariff } from "../protocol/tariff.ts";
import { fuel } from "../protocol/units.ts";
import type { JobState, LeaseState, LoggedReceipt } from "./ledger-state.ts";

/** A report taken apart, with what the log knows of its lease. */
export interface ReceiptCase {
  /** CID of the receipt's body. */
  readonly id: Cid;
  /** The requester has named its tasks and does not countersign it (rule 6). */
  readonly isDisputed?: boolean;
  readonly receipt: Receipt;
  readonly advance: Advance;
  readonly report: Pick<Report, "prevCount" | "consistency" | "lost">;
  readonly lease: LeaseState;
  readonly job: JobState;
  readonly tariff: Tariff;
}

function bad(detail: string): never {
  throw new FailureError("bad-receipt", detail);
}

function inconsistent(detail: string): never {
  throw new FailureError("inconsistent-receipt", detail);
}

function unnamed(detail: string): never {
  throw new FailureError("unnamed-task", detail);
}

/** Whether two signed receipts of one lease contradict each other, so that the pair proves it to anybody (rule 12). */
export function isContradiction(
  newest: Pick<LoggedReceipt, "id" | "seq" | "count" | "root">,
  id: Cid,
  receipt: Receipt,
): boolean {
  if (newest.id === id) return false;
  if (newest.seq === receipt.seq) return true;
  if (newest.count === receipt.count) return !equalBytes(newest.root, receipt.root);
  return newest.count < receipt.count !== newest.seq < receipt.seq;
}

/**
 * Whether a receipt of the same lease states the same outcomes for the same pay as the one logged. Both sides report, so a
 * lease may be settled by the last receipt that names all tasks while the final one, which adds nothing, is on its way.
 */
export function isSameWork(newest: Pick<Receipt, "count" | "root" | "amount">, receipt: Receipt): boolean {
  return (
    newest.count === receipt.count &&
    newest.amount === receipt.amount &&
    equalBytes(newest.root, receipt.root)
  );
}

function requireTerms({ receipt, lease, job }: ReceiptCase): void {
  const { terms } = lease;
  if (receipt.job !== lease.job) bad("names another job than the lease");
  if (receipt.requester !== job.terms.requester) bad("names another requester than the job");
  if (receipt.rev > terms.rev) bad(`names revision ${receipt.rev}, the newest is ${terms.rev}`);
  if (receipt.workCid !== job.terms.work.cid) bad("names other work than the job");
  if (receipt.profile !== terms.profile) bad("names another profile than the lease");
  if (receipt.policy !== terms.policy || receipt.policyVersion !== terms.policyVersion)
    bad("names another policy than the lease");
  if (receipt.tariff !== terms.tariff) bad("names another tariff than the lease");
}

/** Rule 1: the requester has signed for as many tasks as there are outcomes, in one list that only grows. */
function requireNamed({ id, receipt, advance, lease, isDisputed }: ReceiptCase): void {
  if (advance.lease !== lease.id) bad("is countersigned under another lease");
  if (isDisputed !== true && advance.receiptCid !== id) bad("is not the one that the advance countersigns");
  const tasks = countedTasks(receipt);
  if (tasks > advance.taskCount)
    unnamed(`outcomes of ${tasks} tasks, but the requester named ${advance.taskCount}`);
  if (receipt.taskCount > advance.taskCount)
    unnamed(`works by ${receipt.taskCount} tasks, but the requester named ${advance.taskCount}`);
  if (receipt.taskCount === advance.taskCount && !equalBytes(receipt.tasksRoot, advance.tasksRoot))
    unnamed("works by other tasks than the requester named");
  const { newest } = lease;
  if (newest === undefined) return;
  if (advance.taskCount < newest.taskCount)
    unnamed(`the requester named ${newest.taskCount} tasks before, and now ${advance.taskCount}`);
  if (advance.taskCount === newest.taskCount && !equalBytes(advance.tasksRoot, newest.tasksRoot))
    unnamed("the requester named other tasks before");
}

function requirePrice({ receipt, lease, tariff }: ReceiptCase): void {
  if (countedTasks(receipt) > receipt.count) bad("pays or ends more tasks than it counts outcomes");
  if (lease.terms.policyVersion !== undefined) requirePeak(receipt);
  const price = priceOf(tariff, receipt, lease.terms.startFee);
  if (receipt.amount !== price) bad(`states ${receipt.amount} micro-credits, the tariff makes it ${price}`);
}

/** No sum of outcomes is more than the dearest of them times their number. */
function requirePeak({ fuel: sum, peak = fuel(0), failed = 0, count }: Receipt): void {
  if (sum > peak * BigInt(count) || peak > sum) bad("states a dearest outcome that its fuel contradicts");
  if (failed > count) bad("counts more failures than outcomes");
}

function requireGrowth(receipt: Receipt, newest: LoggedReceipt): void {
  if (
    receipt.payable < newest.payable ||
    receipt.cancelled < newest.cancelled ||
    (receipt.failed ?? 0) < newest.failed ||
    (receipt.peak ?? 0n) < newest.peak ||
    receipt.fuel < newest.fuel ||
    receipt.bytes < newest.bytes ||
    receipt.amount < newest.amount
  )
    inconsistent("one of its totals is below the one logged before");
  if (newest.final) inconsistent("follows a receipt that called itself final");
  if (receipt.seq === newest.seq + 1 && receipt.prev !== newest.id)
    inconsistent("does not name the one logged before it");
}

/** Rule 4: the outcomes of the receipt before are the first outcomes of this one. */
function requireExtension({ id, receipt, report, lease }: ReceiptCase, join?: Join): void {
  const { newest } = lease;
  if (newest === undefined) return;
  if (isContradiction(newest, id, receipt)) inconsistent("contradicts one that is logged");
  if (receipt.seq < newest.seq) throw new FailureError("stale-receipt", `seq ${newest.seq} is logged`);
  requireGrowth(receipt, newest);
  if (newest.count === 0) return;
  if (report.prevCount !== newest.count)
    inconsistent(`the proof has to begin at count ${newest.count}, not ${report.prevCount}`);
  const { count, root } = newest;
  if (!verifyConsistency(count, receipt.count, root, receipt.root, report.consistency, join))
    inconsistent(`the proof does not show the first ${count} outcomes unchanged`);
}

/** Leaves declared lost are among the new ones, each once, in order (rule 2). */
function requireLost({ receipt, report, lease }: ReceiptCase): void {
  let last = (lease.newest?.count ?? 0) - 1;
  for (const leaf of report.lost) {
    if (leaf <= last || leaf >= receipt.count) bad("declares leaves lost that are not new, or out of order");
    last = leaf;
  }
}

/**
 * Judges a receipt that is not logged yet, under a lease that takes reports; signatures and time are judged elsewhere.
 * @param join the runtime's own hashing of nodes, where it is faster.
 * @throws FailureError `bad-receipt`, `unnamed-task`, `stale-receipt`, `inconsistent-receipt`, `over-budget`.
 */
export function judgeReceipt(each: ReceiptCase, join?: Join): void {
  requireTerms(each);
  requireExtension(each, join);
  requireNamed(each);
  requirePrice(each);
  requireLost(each);
  const { receipt, lease } = each;
  const most = lease.bound + (lease.newest?.amount ?? 0n);
  if (receipt.amount > most)
    throw new FailureError("over-budget", `${receipt.amount} micro-credits, ${most} are bound`);
}
