import { openEnvelope, readBody } from "../../protocol/envelope.ts";
import { disputeMessage } from "../../protocol/messages/audit.ts";
import { decodeEntry, decodeEntryOf } from "../../protocol/messages/entry.ts";
import { type Receipt, receiptMessage, reportMessage } from "../../protocol/messages/receipt.ts";
import { type Advance, advanceMessage } from "../../protocol/messages/task.ts";
import type { DisputedReceipt, DrawnOutcome } from "../audit-books.ts";
import type { DrawRow } from "../store/audit-rows.ts";
import { drawIn } from "./drawing.ts";
import type { Standing } from "./standing.ts";

/** The receipt and the advance in a receipt's or a dispute's entry. */
export function statementIn(entry: Uint8Array): { readonly receipt: Receipt; readonly advance: Advance } {
  const { receipt, advance } =
    decodeEntry(entry).type === "dispute"
      ? readBody(disputeMessage, decodeEntryOf("dispute", entry).body.envelope)
      : readBody(reportMessage, decodeEntryOf("receipt", entry).body.envelope);
  return {
    receipt: openEnvelope(receiptMessage, receipt).body,
    advance: openEnvelope(advanceMessage, advance).body,
  };
}

/** @param previous entry of the receipt of the same lease logged before an entry */
function disputeIn(
  standing: Standing,
  index: number,
  entry: Uint8Array,
  previous: (index: number) => number | undefined,
): DisputedReceipt | undefined {
  if (decodeEntry(entry).type !== "dispute") return undefined;
  const at = previous(index);
  const before = at === undefined ? undefined : standing.entry(at);
  return before === undefined ? {} : { before: statementIn(before).receipt };
}

/** What a drawn outcome is judged by; nothing where it was not drawn. */
export function drawnOutcome(
  standing: Standing,
  row: DrawRow | undefined,
  previous: (index: number) => number | undefined,
): DrawnOutcome | undefined {
  if (row === undefined) return undefined;
  const lease = standing.lease(row.lease);
  const job = lease === undefined ? undefined : standing.job(lease.job);
  const entry = standing.entry(row.entry);
  const draw = standing.entry(row.draw);
  if (lease === undefined || job === undefined || entry === undefined || draw === undefined)
    throw new RangeError(`the log does not hold what leaf ${row.leaf} of entry ${row.entry} was drawn from`);
  const disputed = disputeIn(standing, row.entry, entry, previous);
  // What was countersigned before is no part of it: the requester may have that drawn from the same entry later.
  const dispute = row.leaf < (disputed?.before?.count ?? 0) ? undefined : disputed;
  return {
    row,
    source: drawIn(draw).source,
    ...statementIn(entry),
    ...(dispute === undefined ? {} : { dispute }),
    lease,
    job,
  };
}
