import { type MessageType, openEnvelope, type SignedBy, type Unverified } from "./envelope.ts";
import { FailureError } from "./failure.ts";
import { CLOCK_SKEW_MS } from "./limits.ts";
import type { PeerId } from "./peer-id.ts";
import { peer, record, uint } from "./schema.ts";

/**
 * A root identity lets a session key act for it, from one start of a tab to its end (rule 12). The session key signs
 * everything and is the libp2p identity; if it equivocates, it is barred and the root is not. Made without the relay,
 * so it names no origin: it transfers no money by itself.
 */
export interface Delegation {
  readonly root: PeerId;
  readonly session: PeerId;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export const delegationMessage: MessageType<Delegation> = {
  name: "delegation",
  schema: record<Delegation>({ root: peer, session: peer, notBefore: uint(), notAfter: uint() }),
};

/** For whom a signer acts: itself, or the root identity of its delegation. */
export interface Signatory {
  readonly root: PeerId;
  readonly session: PeerId;
  /** The delegation still to be verified (its claims), absent when root and session are one. */
  readonly delegation?: Unverified<Delegation>;
}

/**
 * Reads for whom `signed` acts at `nowMs`. The caller verifies the delegation's claims as well, or remembers its id.
 * @throws FailureError `bad-signature` when the delegation is for another key or signed by another than its root,
 * `expired` outside its time.
 */
export function signatory(signed: SignedBy, nowMs: number): Signatory {
  if (signed.delegation === undefined) return { root: signed.key, session: signed.key };
  const delegation = openEnvelope(delegationMessage, signed.delegation);
  const { root, session, notBefore, notAfter } = delegation.body;
  const [by] = delegation.signedBy;
  if (delegation.signedBy.length !== 1 || by?.key !== root || by.delegation !== undefined) {
    throw new FailureError("bad-signature", "delegation: not signed by its root alone");
  }
  if (session !== signed.key)
    throw new FailureError("bad-signature", "delegation: made for another session key");
  if (nowMs < notBefore - CLOCK_SKEW_MS || nowMs > notAfter + CLOCK_SKEW_MS) {
    throw new FailureError("expired", "delegation: outside its time");
  }
  return { root, session, delegation };
}
