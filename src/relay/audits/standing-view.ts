import { newProvider, type ProviderState } from "../../ledger/ledger-state.ts";
import { bondWanted } from "../../ledger/vesting.ts";
import { auditRate } from "../../market/audit-rate.ts";
import { type AuditPolicy, PPM } from "../../protocol/audit-policy.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { CapabilityRow, StandingView } from "../../protocol/relay-api.ts";
import { type Tariff } from "../../protocol/tariff.ts";
import { microCredits } from "../../protocol/units.ts";
import type { Books } from "../books.ts";
import type { LiveOffers } from "../offers/live-offers.ts";
import { standingReasons } from "./standing-reasons.ts";

export interface StandingParts {
  readonly books: Books;
  readonly offers: LiveOffers;
  readonly tariff: Tariff;
  /** What is known of a provider's machines; absent where nothing is measured. */
  readonly capability?: (peer: PeerId) => readonly CapabilityRow[];
}

/** How often the first outcome of a lease would be recomputed now, were it like its dearest and not failed. */
function nextAuditPpm(provider: ProviderState, policy: AuditPolicy): number {
  const { peak, experience, bond } = provider;
  if (peak === 0n) return policy.firstTasks > 0 ? PPM : policy.floorPpm;
  return auditRate(policy, { value: peak, experience, bond, hasFailed: false }, 0);
}

/** How somebody stands who computes. */
export function standingView(parts: StandingParts, peer: PeerId): StandingView {
  const { books, offers, tariff } = parts;
  const provider = books.audits.provider(peer) ?? newProvider(peer);
  const { policy } = books.audits;
  const barred = books.audits.barred(peer);
  const capability = parts.capability?.(peer);
  const reasons = standingReasons({
    provider,
    policy,
    tariff,
    barred,
    denied: books.denied("peer", peer),
    candidates: offers.list().filter(({ offer }) => offer.provider === peer),
    isContradicted: capability?.some(({ state }) => state === "contradicted") ?? false,
  });
  return {
    peer,
    asset: books.asset,
    pending: provider.pending,
    held: provider.held,
    bond: provider.bond,
    bondWanted: microCredits(policy === undefined ? 0n : bondWanted(provider, policy)),
    audited: provider.audited,
    experience: provider.experience,
    matched: provider.matched,
    missing: provider.missing,
    mismatched: provider.mismatched,
    openLeases: provider.openLeases,
    ...(policy === undefined ? {} : { nextAuditPpm: nextAuditPpm(provider, policy) }),
    ...(provider.retiring === undefined ? {} : { retiring: provider.retiring }),
    ...(barred === undefined ? {} : { barred: barred.slice(0, 512) }),
    reasons,
    ...(capability === undefined ? {} : { capability }),
    logSize: books.size(),
  };
}
