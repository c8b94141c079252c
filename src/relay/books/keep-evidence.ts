import { type EvidenceKind, leaseEvidence } from "../../ledger/evidence.ts";
import { type Cid, cidOf, RAW } from "../../protocol/cid.ts";
import { readBody } from "../../protocol/envelope.ts";
import { disputeMessage } from "../../protocol/messages/audit.ts";
import { decodeEntry, decodeEntryOf } from "../../protocol/messages/entry.ts";
import { type Report, reportMessage } from "../../protocol/messages/receipt.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Draft } from "./draft.ts";
import type { Court } from "./judging.ts";
import { sha256 } from "./native-hash.ts";

type Statement = Pick<Report, "receipt" | "advance">;

/** The envelopes in an entry that logged a receipt. */
function loggedStatement(draft: Draft, index: number): Statement {
  const data = draft.entry(index);
  if (data === undefined) throw new RangeError(`the log keeps no entry ${index}`);
  return decodeEntry(data).type === "dispute"
    ? readBody(disputeMessage, decodeEntryOf("dispute", data).body.envelope)
    : readBody(reportMessage, decodeEntryOf("receipt", data).body.envelope);
}

/**
 * Bars a session key that has signed two statements of one lease which contradict each other. The two are kept as a file,
 * whose CID is in the reason: anybody can fetch and judge it.
 * @param against entry of the statement that was logged first. @param statement envelope of the other one
 */
export function barFor(
  court: Court,
  draft: Draft,
  identity: PeerId,
  kind: Exclude<EvidenceKind, "checkpoints">,
  against: number,
  statement: Uint8Array,
): void {
  const logged = loggedStatement(draft, against);
  const first = kind === "receipts" ? logged.receipt : logged.advance;
  const bytes = leaseEvidence(kind, court.origin, [first, statement]);
  const cid: Cid = cidOf(RAW, bytes, sha256);
  const reason = `equivocation: two ${kind} of one lease, evidence ${cid}`;
  draft.evidence.push({ cid, bytes });
  draft.append("bar", { identity, reason });
  draft.bars.set(identity, reason);
}
