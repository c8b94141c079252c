import { providerOf, auditOf } from "../../ledger/provider-record.ts";
import { mostRate } from "../../market/audit-rate.ts";
import { drawnLeaves, drawSeed } from "../../protocol/draw.ts";
import { equalBytes } from "../../protocol/bytes.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { requireOrigin } from "../../protocol/header.ts";
import type { Reveal } from "../../protocol/messages/audit.ts";
import { microCredits } from "../../protocol/units.ts";
import type { Draft } from "./draft.ts";
import { logDraw } from "./drawing.ts";
import { type Court, jobIn, soleSigner } from "./judging.ts";
import { entryHash, sha256 } from "./native-hash.ts";
import { nativeHmac } from "./native-hmac.ts";

/**
 * Logs the requester's share of the draw, and draws by it from every lease of the job that has a receipt: a relay that
 * knows its own secret could tell a provider what it will draw, but not this (rule 3). @returns the reveal's entry.
 * @param leases of the job, by id.
 */
export function reveal(
  court: Court,
  draft: Draft,
  message: Verified<Reveal>,
  leases: readonly Cid[],
): number {
  const { body } = message;
  requireOrigin(body, court.origin, court.asset);
  const { terms } = jobIn(draft, body.job);
  const signer = soleSigner(court, draft, message);
  if (signer.root !== terms.requester)
    throw new FailureError("bad-signature", "reveal: not signed by the job's requester");
  if (!equalBytes(sha256(body.secret), terms.verify.drawCommit))
    throw new FailureError("malformed", "reveal: the job committed to another secret");
  const index = draft.append("reveal", { envelope: message.bytes });
  for (const id of leases) drawFrom(court, draft, id, body.secret);
  return index;
}

function drawFrom(court: Court, draft: Draft, id: Cid, secret: Uint8Array): void {
  const lease = draft.lease(id);
  const { newest } = lease ?? {};
  const policy = lease === undefined ? undefined : auditOf(lease, draft);
  if (lease === undefined || newest === undefined || policy === undefined) return;
  const entry = draft.entry(newest.index);
  if (entry === undefined) throw new RangeError(`entry ${newest.index} is not there`);
  const hash = entryHash(entry);
  const seed = drawSeed(secret, court.origin, newest.index, hash, nativeHmac);
  const rate = Math.min(policy.requesterPpm, mostRate(newest.count));
  const leaves = drawnLeaves(seed, 0, newest.count, () => rate, nativeHmac).filter(
    (leaf) => draft.audits.draw(newest.index, leaf) === undefined,
  );
  const { experience, bond } = providerOf(lease.terms.provider, draft);
  logDraw(court, draft, {
    policy,
    source: "requester",
    epoch: draft.epoch?.number ?? 0,
    stake: {
      first: 0,
      end: newest.count,
      value: microCredits(0),
      experience,
      bond,
    },
    leaseId: id,
    index: newest.index,
    hash,
    leaves,
  });
}
