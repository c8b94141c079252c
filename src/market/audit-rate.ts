import { type AuditPolicy, PPM } from "../protocol/audit-policy.ts";
import { MEAN_DRAW_LEAVES } from "../protocol/limits.ts";
import type { MicroCredits } from "../protocol/units.ts";

/** What the rate of a draw depends on; see ledger/stake.ts. */
export interface AtStake {
  readonly value: MicroCredits;
  readonly experience: MicroCredits;
  readonly bond: MicroCredits;
  readonly hasFailed: boolean;
}

/** The highest rate at which so many new leaves give no draw that is too large to be logged. */
export function mostRate(leaves: number): number {
  return leaves <= MEAN_DRAW_LEAVES ? PPM : Math.floor((MEAN_DRAW_LEAVES * PPM) / leaves);
}

/**
 * How often an outcome is recomputed, in parts per million: the greatest of
 *
 * - 1 for the first tasks, then numerator / (1 + min(n, rateTasks)): experience, in tasks of the value at stake;
 * - loss · a / (a + B): what a false outcome is worth against what the provider would lose (rule 5);
 * - the floor, and the one for reports in which something failed that pays (rule 8).
 *
 * Within one report both n and B grow by one value with each leaf, since one false leaf voids all of them.
 *
 * B may be counted in each of several open leases: finding one false outcome voids all that are not released. With k of
 * them out already, one more is worth (1 − p)(k + 1) a − k a − p B = a − p ((k + 1) a + B) to whoever is not found yet, so it
 * loses wherever the first one does.
 * @param offset of the leaf among the new ones of its report.
 */
export function auditRate(policy: AuditPolicy, stake: AtStake, offset: number): number {
  const floor = stake.hasFailed ? Math.max(policy.floorPpm, policy.failedPpm) : policy.floorPpm;
  const { value, experience, bond } = stake;
  // What is paid nothing is worth nothing to anybody, but its outcome may be false all the same.
  if (value === 0n) return experience === 0n && offset < policy.firstTasks ? PPM : floor;
  const tasks = Number(experience / value) + offset;
  if (tasks < policy.firstTasks) return PPM;
  const byRecord = Math.floor((policy.rateNumerator * PPM) / (1 + Math.min(tasks, policy.rateTasks)));
  const byMoney = Number((value * BigInt(policy.lossPpm)) / (value + bond + value * BigInt(offset)));
  return Math.min(PPM, Math.max(floor, byRecord, byMoney));
}
