import { endedTasks, type Receipt } from "../../protocol/messages/receipt.ts";
import { encodeOutcome, type OutcomeLeaf } from "../../protocol/messages/task.ts";
import { OutcomeTally } from "../../protocol/outcome-tally.ts";
import { fuel } from "../../protocol/units.ts";

/** One outcome that a dispute lays open, with the size of its task's input. */
export interface DisputedOutcome {
  readonly claimed: OutcomeLeaf;
  readonly inputBytes: number;
}

function isTwice(outcomes: readonly DisputedOutcome[]): boolean {
  const names = outcomes.map(({ claimed: { seq, segment } }) => `${seq} ${segment}`);
  return new Set(names).size < names.length;
}

/**
 * What a disputed receipt says otherwise than its outcomes come to. Nobody else has counted them: a requester that
 * countersigns does, and this one has not.
 * @param before the receipt of the lease that was logged before. @param outcomes all that are new, in any order.
 */
export function disputeProblem(
  receipt: Receipt,
  before: Receipt | undefined,
  outcomes: readonly DisputedOutcome[],
): string | undefined {
  if (isTwice(outcomes)) return "a task is answered twice";
  const tally = new OutcomeTally();
  for (const { claimed, inputBytes } of outcomes)
    tally.append(encodeOutcome(claimed).hash, claimed, inputBytes);
  const totals = tally.totals();
  const { failed = 0, peak = fuel(0) } = tally.auditFields();
  const peakBefore = before?.peak ?? 0n;
  const isSum =
    receipt.payable === (before?.payable ?? 0) + totals.payable &&
    receipt.cancelled === (before?.cancelled ?? 0) + totals.cancelled &&
    receipt.fuel === (before?.fuel ?? 0n) + totals.fuel &&
    receipt.bytes === (before?.bytes ?? 0n) + totals.bytes &&
    endedTasks(receipt) === (before === undefined ? 0 : endedTasks(before)) + tally.ended() &&
    (receipt.failed ?? 0) === (before?.failed ?? 0) + failed &&
    (receipt.peak ?? 0n) === (peak > peakBefore ? peak : peakBefore);
  return isSum ? undefined : "the receipt states other sums than its outcomes come to";
}
