import type { Cid } from "../protocol/cid.ts";
import type { PeerId } from "../protocol/peer-id.ts";

/**
 * Where money can be. Only `outside` may be negative: it is the rest of the world, which money comes from (deposits,
 * grants) and goes to (payouts), so that all accounts together always hold nothing.
 */
export type Account =
  | { readonly kind: "outside" }
  /** Forfeited and given to nobody. */
  | { readonly kind: "burnt" }
  /** Can be spent, or paid out. */
  | { readonly kind: "available"; readonly peer: PeerId }
  /** Earned by a provider under leases that are not settled. */
  | { readonly kind: "pending"; readonly peer: PeerId }
  /** Settled, and kept back until audits are over. */
  | { readonly kind: "held"; readonly peer: PeerId }
  /** A provider's first earnings, which it loses when it is caught. */
  | { readonly kind: "bond"; readonly peer: PeerId }
  /** Set aside for a job and not bound in a lease. */
  | { readonly kind: "escrow"; readonly job: Cid }
  /** Budget of a lease that is not earned yet. */
  | { readonly kind: "lease"; readonly lease: Cid }
  /** Set aside in a batch of payouts, and not yet known to have been paid. */
  | { readonly kind: "payout"; readonly batch: Cid; readonly peer: PeerId };

/** The name under which a balance is listed, as in "available:12D3KooW…"; at most 160 bytes, as in verdicts. */
export function accountName(account: Account): string {
  const owner = accountOwner(account);
  return owner === "" ? account.kind : `${account.kind}:${owner}`;
}

/** Which one of its kind an account is: what stands behind the kind in its name; "" where there is but one. */
export function accountOwner(account: Account): string {
  switch (account.kind) {
    case "outside":
    case "burnt":
      return "";
    case "available":
    case "pending":
    case "held":
    case "bond":
      return account.peer;
    case "escrow":
      return account.job;
    case "lease":
      return account.lease;
    case "payout":
      return `${account.batch}:${account.peer}`;
    default:
      return account satisfies never;
  }
}

/** One change of one account, in micro-credits; negative where money leaves. */
export interface Posting {
  readonly account: Account;
  readonly amount: bigint;
}

/** The two postings of money that moves; none when nothing moves. */
export function transfer(from: Account, to: Account, amount: bigint): readonly Posting[] {
  if (amount < 0n) throw new RangeError(`a transfer of ${amount} micro-credits`);
  return amount === 0n
    ? []
    : [
        { account: from, amount: -amount },
        { account: to, amount },
      ];
}
