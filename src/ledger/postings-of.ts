import type { TypedEntry } from "../protocol/messages/entry.ts";
import type { Posting } from "./account.ts";
import { changeBy, type Place } from "./change.ts";
import { eventOf } from "./ledger-event.ts";
import type { LedgerLookup } from "./ledger-state.ts";

/**
 * The money that an entry moves, given what the entries before it made of jobs and leases. Anybody who has the entries
 * computes the same (rule 10). The postings of an entry sum to zero.
 */
export function postingsOf(entry: TypedEntry, place: Place, ledger: LedgerLookup): readonly Posting[] {
  return changeBy(eventOf(entry), place, ledger).postings;
}
