import type { AuditPolicy } from "../protocol/audit-policy.ts";
import type { VestBody } from "../protocol/messages/entry.ts";
import { microCredits } from "../protocol/units.ts";
import type { LeaseState, ProviderState } from "./ledger-state.ts";

/** The bond a provider works towards: so many times what its dearest outcome was paid. */
export function bondWanted({ peak }: Pick<ProviderState, "peak">, policy: AuditPolicy): bigint {
  return peak * BigInt(policy.bondTasks);
}

/** Whether everything drawn of a lease has a verdict and its pay has been held back for long enough. */
export function isDueToVest(lease: LeaseState, policy: AuditPolicy, time: number): boolean {
  return (
    lease.held > 0n &&
    lease.drawn === lease.judged &&
    lease.settledAt !== undefined &&
    time >= lease.settledAt + policy.holdMs
  );
}

/**
 * What of a lease's held pay becomes the provider's now. The bond is filled first; then everything is free beyond the
 * last `holdTasks`, which stay back for as long as the provider works. Nothing when nothing is due.
 */
export function vestingOf(
  lease: LeaseState,
  provider: ProviderState,
  policy: AuditPolicy,
  time: number,
): VestBody | undefined {
  if (!isDueToVest(lease, policy, time)) return undefined;
  const isRetiring = provider.retiring !== undefined;
  const missing = isRetiring ? 0n : bondWanted(provider, policy) - provider.bond;
  const bonded = missing <= 0n ? 0n : missing < lease.held ? missing : lease.held;
  const kept = isRetiring ? 0n : provider.peak * BigInt(policy.holdTasks);
  const beyond = provider.held - bonded - kept;
  const rest = lease.held - bonded;
  const released = beyond <= 0n ? 0n : beyond < rest ? beyond : rest;
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
