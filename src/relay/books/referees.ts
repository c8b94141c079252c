import { auditOf, providerOf } from "../../ledger/provider-record.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { requireOrigin } from "../../protocol/header.ts";
import type { Referee, RefereeAnswer } from "../../protocol/messages/audit.ts";
import { decodeEntry } from "../../protocol/messages/entry.ts";
import type { Receipt } from "../../protocol/messages/receipt.ts";
import { microCredits } from "../../protocol/units.ts";
import type { AuditStanding } from "../store/audit-rows.ts";
import type { Draft } from "./draft.ts";
import { statementIn } from "./drawn-outcome.ts";
import { logDraw } from "./drawing.ts";
import { type Court, jobIn, leaseIn, soleSigner } from "./judging.ts";
import { REFEREED_LEAVES } from "./limits.ts";
import { entryHash } from "./native-hash.ts";
import type { LeaseState } from "./standing.ts";

/** The receipt in an entry. @throws FailureError `not-found` unless the entry holds one of that lease. */
function receiptAt(lease: LeaseState, entry: Uint8Array | undefined): Receipt {
  const type = entry === undefined ? undefined : decodeEntry(entry).type;
  if (entry !== undefined && (type === "receipt" || type === "dispute")) {
    const { receipt } = statementIn(entry);
    if (receipt.lease === lease.id) return receipt;
  }
  throw new FailureError("not-found", "referee: that entry is no receipt of the lease");
}

/**
 * Draws what the requester of replicas asks for, as far as it is not drawn: nobody has to open it but the requester.
 * Recomputing costs the relay, so it is done for a bounded number of outcomes, or for half of a long lease.
 * @throws FailureError `bad-signature`, `unknown-lease`, `not-found`, `malformed` for leaves that the receipt does not have,
 * `expired` when its pay would be free by now, or a requester could hold that back for as long as it likes,
 * `unsupported` where nothing is replicated or audited, `rate-limited` beyond that number.
 */
export function referee(court: Court, draft: Draft, message: Verified<Referee>): void {
  const { body } = message;
  requireOrigin(body, court.origin, court.asset);
  const lease = leaseIn(draft, body.lease);
  const { terms } = jobIn(draft, lease.job);
  if (soleSigner(court, draft, message).root !== terms.requester)
    throw new FailureError("bad-signature", "referee: not signed by the job's requester");
  const policy = auditOf(lease, draft);
  if (terms.verify.k < 2 || policy === undefined)
    throw new FailureError("unsupported", "referee: this job's outcomes are not compared");
  const entry = draft.entry(body.entryIndex);
  const { count } = receiptAt(lease, entry);
  if (entry === undefined || body.leaves.some((leaf) => leaf >= count))
    throw new FailureError("malformed", `referee: the receipt has ${count} outcomes`);
  const leaves = [...new Set(body.leaves)]
    .filter((leaf) => draft.audits.draw(body.entryIndex, leaf) === undefined)
    .toSorted((a, b) => a - b);
  if (leaves.length > 0 && draft.time >= (lease.settledAt ?? draft.time) + Math.max(1, policy.holdMs))
    throw new FailureError("expired", "referee: the lease was settled too long ago");
  if (lease.drawn + leaves.length > Math.max(REFEREED_LEAVES, count / 2))
    throw new FailureError("rate-limited", `referee: ${lease.drawn} of ${count} outcomes are drawn already`);
  const { experience, bond } = providerOf(lease.terms.provider, draft);
  logDraw(court, draft, {
    policy,
    source: "requester",
    epoch: draft.epoch?.number ?? 0,
    stake: {
      first: 0,
      end: count,
      value: microCredits(0),
      experience,
      bond,
    },
    leaseId: lease.id,
    index: body.entryIndex,
    hash: entryHash(entry),
    leaves,
  });
}

/** How far the recomputation is. */
export function refereed(audits: AuditStanding, { lease, entryIndex, leaves }: Referee): RefereeAnswer {
  return {
    lease,
    entryIndex,
    leaves: leaves.map((leaf) => {
      const verdict = audits.draw(entryIndex, leaf)?.verdict;
      return { leaf, ...(verdict === undefined ? {} : { verdict }) };
    }),
  };
}
