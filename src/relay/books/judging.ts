import type { Cid } from "../../protocol/cid.ts";
import type { Signatory } from "../../protocol/delegation.ts";
import type { SignedBy } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Draft } from "./draft.ts";
import type { RelayKey } from "./native-keys.ts";
import type { Signatories } from "./signatories.ts";
import type { JobState, LeaseState } from "./standing.ts";

/** What every operation judges by. */
export interface Court {
  readonly origin: string;
  readonly asset: string;
  readonly signatories: Signatories;
  /** Signs draws; changes when it is rotated. */
  readonly drawKey: () => RelayKey;
}

/** @throws FailureError `bad-signature`, `expired`, `key-revoked`. */
export function signerOf(court: Court, draft: Draft, signed: SignedBy): Pick<Signatory, "root" | "session"> {
  const signer = court.signatories.of(signed, draft.time);
  if (draft.isRevoked(signer.session, signer.root))
    throw new FailureError("key-revoked", `${signer.session} no longer acts for ${signer.root}`);
  return signer;
}

/** The one signer of a message that one party signs alone. */
export function soleSigner(
  court: Court,
  draft: Draft,
  message: { readonly type: string; readonly signedBy: readonly SignedBy[] },
): Pick<Signatory, "root" | "session"> {
  const [signed, ...more] = message.signedBy;
  if (signed === undefined || more.length > 0)
    throw new FailureError("bad-signature", `${message.type}: has to be signed by one key`);
  return signerOf(court, draft, signed);
}

/** @throws FailureError `denied` when the operator or the log bars one of them. */
export function requireWelcome(draft: Draft, identities: readonly PeerId[]): void {
  for (const identity of identities) {
    if (draft.denied("peer", identity) !== undefined || draft.barred(identity) !== undefined)
      throw new FailureError("denied", `${identity} is not admitted here`);
  }
}

export function jobIn(draft: Pick<Draft, "job">, id: Cid): JobState {
  const job = draft.job(id);
  if (job === undefined) throw new FailureError("not-found", `no job ${id}`);
  return job;
}

export function leaseIn(draft: Draft, id: Cid): LeaseState {
  const lease = draft.lease(id);
  if (lease === undefined) throw new FailureError("unknown-lease", `no lease ${id}`);
  return lease;
}
