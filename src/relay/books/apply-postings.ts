import { accountName, type Posting } from "../../ledger/account.ts";
import type { Change } from "../../ledger/change.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { microCredits } from "../../protocol/units.ts";
import type { AccountRow } from "../store/books-store.ts";
import type { JobState } from "./standing.ts";

/** Balances of identities, and what all of them have together; see Draft. */
export interface Balances {
  readonly accounts: Map<PeerId, AccountRow>;
  /** Micro-credits in all accounts. */
  issued: bigint;
  account(peer: PeerId): AccountRow;
}

/**
 * Moves money between the rows of identities.
 * @returns whose accounts change.
 * @throws RangeError when one would go below zero.
 */
export function applyPostings(balances: Balances, { postings, job }: Change): readonly PeerId[] {
  const touched = new Set<PeerId>();
  for (const posting of postings) post(balances, posting, job, touched);
  return [...touched];
}

function post(
  balances: Balances,
  { account, amount }: Posting,
  job: JobState | undefined,
  touched: Set<PeerId>,
): void {
  switch (account.kind) {
    case "available":
    case "pending": {
      const row = balances.account(account.peer);
      balances.accounts.set(account.peer, {
        ...row,
        [account.kind]: microCredits(row[account.kind] + amount),
      });
      touched.add(account.peer);
      return;
    }
    case "escrow":
    case "lease": {
      if (job === undefined) throw new RangeError(`${accountName(account)} changes without its job`);
      const row = balances.account(job.terms.payer);
      balances.accounts.set(row.peer, { ...row, escrowed: microCredits(row.escrowed + amount) });
      touched.add(row.peer);
      return;
    }
    case "held":
    case "bond":
      // The provider's record tells.
      touched.add(account.peer);
      return;
    case "payout":
      // The row of its line tells; what is set aside is still here.
      touched.add(account.peer);
      return;
    case "outside":
    case "burnt":
      balances.issued -= amount;
      return;
    default:
      account satisfies never;
  }
}
