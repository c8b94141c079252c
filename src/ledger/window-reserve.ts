import { isStreamed, type Job } from "../protocol/messages/job.ts";
import { priceOf, type Tariff } from "../protocol/tariff.ts";
import { ceilDiv, fuel, type MicroCredits, microCredits } from "../protocol/units.ts";
import type { LeaseState } from "./ledger-state.ts";

/** What one task costs at most by the job's limits. The input's size is not limited by the job, so it counts as the output's. */
export function priceAtLimits(terms: Job, tariff: Tariff): MicroCredits {
  const { fuel: fuelLimit, output } = terms.limits;
  const totals = { payable: 1, cancelled: 0, fuel: fuel(fuelLimit), bytes: 2n * BigInt(output) };
  return priceOf(tariff, totals, microCredits(0));
}

/**
 * What of a lease's bound budget stays reserved when the requester has ended it with tasks unanswered (rule 4): the
 * provider may have worked one window beyond the newest receipt. An outcome counts as the mean so far; before the first
 * one, as the price at the job's limits. Of a stream one task has a window of outcomes still to come.
 * @param unanswered named tasks without an outcome, or the window where nobody knows.
 */
export function windowReserve(lease: LeaseState, unanswered: number, job: Job, tariff: Tariff): MicroCredits {
  const { newest, bound, terms } = lease;
  const isNew = newest === undefined || newest.count === 0;
  const tasks = Math.min(terms.windowMax, unanswered);
  const outcomes = BigInt(!isNew && isStreamed(job.work) && tasks > 0 ? terms.windowMax : tasks);
  const each = isNew ? priceAtLimits(job, tariff) : ceilDiv(newest.amount, BigInt(newest.count));
  const wanted = outcomes * each;
  return wanted < bound ? microCredits(wanted) : bound;
}
