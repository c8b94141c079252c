import { isSameWork } from "../ledger/receipt-rules.ts";
import { openEnvelope, readBody } from "../protocol/envelope.ts";
import { decodeEntryOf } from "../protocol/messages/entry.ts";
import { type Receipt, receiptMessage, reportMessage } from "../protocol/messages/receipt.ts";

/**
 * Whether an entry of the log is a receipt of the same lease for the same outcomes and pay. A proof that an entry is in
 * the log says nothing about which one it is.
 * @throws FailureError `malformed` for bytes that are no receipt's entry
 */
export function isLogged(entry: Uint8Array, receipt: Receipt): boolean {
  const { lease, envelope } = decodeEntryOf("receipt", entry).body;
  const logged = openEnvelope(receiptMessage, readBody(reportMessage, envelope).receipt).body;
  return lease === receipt.lease && logged.lease === lease && isSameWork(logged, receipt);
}
