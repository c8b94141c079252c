import type { AuditPolicy } from "../protocol/audit-policy.ts";
import type { VestBody } from "../protocol/messages/record-entries.ts";
import { microCredits } from "../protocol/units.ts";
import type { LeaseState, ProviderState } from "./ledger-state.ts";

/** The bond a provider works towards: so many times what its dearest outcome was paid. */
export function bondWanted({ peak }: Pick<ProviderState, "peak">, policy: AuditPolicy): bigint {
  return peak * BigInt(policy.bondTasks);
}

/** Whether a lease has ended, has pay held back and waits for no verdict. */
function isJudged(lease: LeaseState): boolean {
  return lease.held > 0n && lease.drawn === lease.judged && lease.settledAt !== undefined;
}

/** The part of a lease's pay that was for outcomes which have a verdict. */
function verifiedPay({ earned, judged, newest }: LeaseState): bigint {
  return newest === undefined || newest.count === 0 ? 0n : (earned * BigInt(judged)) / BigInt(newest.count);
}

function least(...values: readonly bigint[]): bigint {
  return values.reduce((lowest, value) => (value < lowest ? value : lowest));
}

/**
 * What of a lease's held pay becomes the provider's now. The bond is filled first: at once by pay for outcomes that were
 * recomputed, since nobody will ask for that back; by all other pay when it was held for `holdMs`. Then everything is free
 * beyond the last `holdTasks`, which stay back for as long as the provider works. Nothing when nothing is due.
 * Call when a lease is settled, after its verdicts, and when its time is over.
 */
export function vestingOf(
  lease: LeaseState,
  provider: ProviderState,
  policy: AuditPolicy,
  time: number,
): VestBody | undefined {
  if (!isJudged(lease)) return undefined;
  const isOver = time >= (lease.settledAt ?? time) + policy.holdMs;
  const isRetiring = provider.retiring !== undefined;
  const missing = isRetiring ? 0n : bondWanted(provider, policy) - provider.bond;
  const bondable = isOver ? lease.held : verifiedPay(lease) - (lease.earned - lease.held);
  const bonded = missing <= 0n || bondable <= 0n ? 0n : least(missing, bondable, lease.held);
  const kept = isRetiring ? 0n : provider.peak * BigInt(policy.holdTasks);
  const beyond = isOver ? provider.held - bonded - kept : 0n;
  const released = beyond <= 0n ? 0n : least(beyond, lease.held - bonded);
  if (bonded === 0n && released === 0n) return undefined;
  return {
    lease: lease.id,
    provider: provider.peer,
    released: microCredits(released),
    bonded: microCredits(bonded),
  };
}

/** Whether a provider that retired may have its bond: nothing of it is under way or held back any more. */
export function mayUnbond(provider: ProviderState, policy: AuditPolicy, time: number): boolean {
  return (
    provider.retiring !== undefined &&
    provider.openLeases === 0 &&
    provider.held === 0n &&
    time >= provider.retiring + policy.holdMs
  );
}
