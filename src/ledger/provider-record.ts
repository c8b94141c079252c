import { type AuditPolicy, PPM } from "../protocol/audit-policy.ts";
import type { VerdictResult } from "../protocol/messages/audit.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { priceOf, type Tariff } from "../protocol/tariff.ts";
import { type Fuel, type MicroCredits, microCredits } from "../protocol/units.ts";
import type { ExperienceShare, LeaseState, LedgerLookup, ProviderState } from "./ledger-state.ts";
import { newProvider } from "./ledger-state.ts";

/** How the numbers of a provider's record change. Money itself moves in change.ts. */

/** The numbers by which a lease is audited; absent where nothing is. */
export function auditOf({ terms }: Pick<LeaseState, "terms">, ledger: LedgerLookup): AuditPolicy | undefined {
  return terms.policyVersion === undefined ? undefined : ledger.audit(terms.policy, terms.policyVersion);
}

export function providerOf(peer: PeerId, ledger: Pick<LedgerLookup, "provider">): ProviderState {
  return ledger.provider(peer) ?? newProvider(peer);
}

/** What one outcome of so much fuel is paid, its bytes aside. */
export function priceOfPeak(peak: Fuel, tariff: Tariff): MicroCredits {
  return priceOf(tariff, { payable: 1, cancelled: 0, fuel: peak, bytes: 0n }, microCredits(0));
}

/** A record after a receipt earned something. */
export interface Grown {
  readonly provider: ProviderState;
  readonly experience?: ExperienceShare;
}

/**
 * Counts what a receipt earned. Experience counts in value, and no more than `payerPpm` of all value reported counts from
 * one payer, so that two friends cannot wash tasks into a record (rule 5).
 */
export function grown(
  before: ProviderState,
  earned: MicroCredits,
  peak: MicroCredits,
  payer: PeerId,
  policy: AuditPolicy | undefined,
  ledger: LedgerLookup,
): Grown {
  const pending = microCredits(before.pending + earned);
  if (policy === undefined) return { provider: { ...before, pending } };
  const audited = microCredits(before.audited + earned);
  const known = ledger.experience(before, payer);
  const most = (audited * BigInt(policy.payerPpm)) / BigInt(PPM);
  const room = most > known ? most - known : 0n;
  const credit = earned < room ? earned : room;
  return {
    provider: {
      ...before,
      pending,
      audited,
      experience: microCredits(before.experience + credit),
      peak: peak > before.peak ? peak : before.peak,
    },
    experience: {
      provider: before.peer,
      era: before.era,
      payer,
      counted: microCredits(known + credit),
    },
  };
}

/** The record begins anew: nothing done so far counts as experience. */
export function anew(provider: ProviderState): ProviderState {
  const nothing = microCredits(0);
  return { ...provider, audited: nothing, experience: nothing, era: provider.era + 1 };
}

/** Counts a verdict. One that is against the provider begins its record anew; an inconclusive one says nothing. */
export function judged(provider: ProviderState, result: VerdictResult): ProviderState {
  switch (result) {
    case "match":
      return { ...provider, matched: provider.matched + 1 };
    case "mismatch":
      return { ...anew(provider), mismatched: provider.mismatched + 1 };
    case "missing":
      return { ...anew(provider), missing: provider.missing + 1 };
    case "inconclusive":
      return provider;
    default:
      return result satisfies never;
  }
}
