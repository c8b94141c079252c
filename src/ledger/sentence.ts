import type { Cid } from "../protocol/cid.ts";
import type { VerdictResult } from "../protocol/messages/audit.ts";
import type { ForfeitBody } from "../protocol/messages/record-entries.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { microCredits } from "../protocol/units.ts";
import { found } from "./found.ts";
import type { LedgerLookup } from "./ledger-state.ts";
import { providerOf } from "./provider-record.ts";

/** Who carries a sentence out, step by step: each is an entry of the log. */
export interface Bailiff extends Pick<LedgerLookup, "lease" | "provider"> {
  /** Leases of a provider that are not settled, or whose pay is held back. */
  unreleased(provider: PeerId): readonly Cid[];
  /** Ends a lease that is not settled, with what was logged. */
  settle(lease: Cid): void;
  forfeit(body: ForfeitBody): void;
  bar(identity: PeerId, reason: string): void;
}

function forfeitLease(bailiff: Bailiff, id: Cid, burnt: bigint): void {
  const lease = found(bailiff.lease(id), "lease");
  const { provider } = lease.terms;
  if (lease.held === 0n && burnt === 0n) return;
  bailiff.forfeit({ lease: id, provider, refunded: lease.held, burnt: microCredits(burnt) });
}

/**
 * What follows from a verdict against a provider. A result that is proven false voids everything of it that is not
 * released: its jobs get that pay back and can have the work done again. The bond is burnt, the identity is barred. A
 * leaf that nobody opens costs the same, or who lies would open nothing else; but it bars nobody: machines break (rule 2).
 * Call after the verdict.
 */
export function carryOut(bailiff: Bailiff, leaseId: Cid, result: VerdictResult): void {
  if (result === "match" || result === "inconclusive") return;
  const { provider: peer } = found(bailiff.lease(leaseId), "lease").terms;
  const others = bailiff.unreleased(peer).filter((id) => id !== leaseId);
  for (const id of [leaseId, ...others]) {
    if (bailiff.lease(id)?.state !== "settled") bailiff.settle(id);
    forfeitLease(bailiff, id, id === leaseId ? providerOf(peer, bailiff).bond : 0n);
  }
  if (result === "mismatch") bailiff.bar(peer, `verification-failed: ${leaseId}`);
}
