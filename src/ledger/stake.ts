import type { Receipt } from "../protocol/messages/receipt.ts";
import type { Tariff } from "../protocol/tariff.ts";
import { ceilDiv, fuel, type MicroCredits, microCredits } from "../protocol/units.ts";
import type { LeaseState, ProviderState } from "./ledger-state.ts";
import { priceOfPeak } from "./provider-record.ts";

/** What is at stake with the new outcomes of one receipt: what the rate of its draw follows from (rule 5). */
export interface Stake {
  /** Leaves [first, end) are new. */
  readonly first: number;
  readonly end: number;
  /** What one of them is worth at most, micro-credits. */
  readonly value: MicroCredits;
  /** The provider's experience before this receipt. */
  readonly experience: MicroCredits;
  /**
   * What the provider would lose for certain: its bond, and what this lease earned before this receipt. Other held pay is
   * left out: it goes back to the requesters who paid it, and those may be the provider's own.
   */
  readonly bond: MicroCredits;
  /** Whether one of them failed in a way that pays. */
  readonly hasFailed: boolean;
}

/** @param lease before the receipt. @param provider before the receipt. */
export function stakeOf(
  receipt: Pick<Receipt, "amount" | "count" | "peak" | "failed">,
  lease: LeaseState,
  provider: ProviderState,
  tariff: Tariff,
): Stake {
  const { newest } = lease;
  const first = newest?.count ?? 0;
  const gross = receipt.amount - (newest?.amount ?? 0n);
  const outcomes = receipt.count - first;
  const mean = outcomes === 0 ? 0n : ceilDiv(gross, BigInt(outcomes));
  const peak = priceOfPeak(receipt.peak ?? fuel(0), tariff);
  const dearest = peak < gross ? peak : gross;
  const { bond, experience } = provider;
  return {
    first,
    end: receipt.count,
    value: microCredits(mean > dearest ? mean : dearest),
    experience,
    bond: microCredits(bond + lease.earned),
    hasFailed: (receipt.failed ?? 0) > (newest?.failed ?? 0),
  };
}
