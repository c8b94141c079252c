import { auditOf, providerOf } from "../../ledger/provider-record.ts";
import { mayUnbond, vestingOf } from "../../ledger/vesting.ts";
import type { AuditPolicy } from "../../protocol/audit-policy.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { requireOrigin } from "../../protocol/header.ts";
import type { Retire } from "../../protocol/messages/audit.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AuditStore } from "../store/audit-rows.ts";
import type { Draft } from "./draft.ts";
import { type Court, leaseIn, soleSigner } from "./judging.ts";
import { MAX_SETTLED_AT_ONCE } from "./limits.ts";

/** What may be free by now. */
export interface Releasable {
  /** Leases whose held pay may vest. */
  readonly leases: readonly Cid[];
  /** Providers that may have their bond. */
  readonly providers: readonly PeerId[];
}

/** @param now log time, milliseconds since 1970. */
export function releasable(store: AuditStore, policy: AuditPolicy | undefined, now: number): Releasable {
  if (policy === undefined) return { leases: [], providers: [] };
  const before = now - policy.holdMs;
  return {
    leases: store.vestable(before, policy, MAX_SETTLED_AT_ONCE),
    providers: store.retired(before, MAX_SETTLED_AT_ONCE),
  };
}

/** Makes held pay the providers' own, where its audits are over, and gives those that retired their bond. */
export function releasePast(draft: Draft, due: Releasable): number {
  let count = 0;
  for (const id of due.leases) if (vest(draft, id)) count += 1;
  for (const peer of due.providers) if (unbond(draft, peer)) count += 1;
  return count;
}

/** Call where a lease is settled in order, and after its verdicts too: checked work fills the bond at once. */
export function vest(draft: Draft, id: Cid): boolean {
  const lease = leaseIn(draft, id);
  const policy = auditOf(lease, draft);
  if (policy === undefined) return false;
  const body = vestingOf(lease, providerOf(lease.terms.provider, draft), policy, draft.time);
  if (body === undefined) return false;
  draft.append("vest", body, { type: "vest", body });
  return true;
}

function unbond(draft: Draft, peer: PeerId): boolean {
  const provider = providerOf(peer, draft);
  const policy = draft.policy?.audit;
  if (policy === undefined || !mayUnbond(provider, policy, draft.time)) return false;
  const body = { provider: peer, amount: provider.bond };
  draft.append("unbond", body, { type: "unbond", body });
  return true;
}

/** A provider asks for what is kept of it. Asking again changes nothing. @returns the entry. See Books.retire. */
export function retire(court: Court, draft: Draft, message: Verified<Retire>): number {
  const { body } = message;
  requireOrigin(body, court.origin, court.asset);
  const signer = soleSigner(court, draft, message);
  if (signer.session !== body.account || signer.root !== body.account)
    throw new FailureError("bad-signature", "retire: not signed by the account itself");
  const provider = draft.provider(body.account);
  if (provider === undefined) throw new FailureError("not-found", `${body.account} has never worked here`);
  if (provider.retiring !== undefined)
    throw new FailureError("replayed", `${body.account} has asked for its bond already`);
  return draft.append("retire", { envelope: message.bytes }, { type: "retire", account: body.account });
}
