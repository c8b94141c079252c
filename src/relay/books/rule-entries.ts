import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { isTestAsset, requireOrigin } from "../../protocol/header.ts";
import type { RelayKeys } from "../../protocol/messages/entry.ts";
import type { KeyRevoke } from "../../protocol/messages/session.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { rotationMessage } from "../../protocol/rotation.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import type { Draft } from "./draft.ts";
import { type Court, soleSigner } from "./judging.ts";
import { MAX_ISSUED } from "./limits.ts";
import type { RelayKey } from "./native-keys.ts";
import type { Policy } from "./standing.ts";

/** Announces the rules that hold from here on. */
export function announce(court: Court, draft: Draft, policy: Policy): number {
  const index = draft.append("policy", { origin: court.origin, asset: court.asset, ...policy });
  draft.announce(policy);
  return index;
}

/** See Books.grant. */
export function grant(
  court: Court,
  draft: Draft,
  account: PeerId,
  amount: MicroCredits,
  reference: string,
): number {
  if (!isTestAsset(court.asset)) throw new FailureError("wrong-asset", "only test money can be granted");
  if (draft.issued + amount > MAX_ISSUED) throw new FailureError("too-large", "more money than there can be");
  return draft.append("grant", { account, amount, reference }, { type: "income", account, amount });
}

/** Replaces one of the relay's keys; the old one signs that. */
export function rotateKey(
  court: Court,
  draft: Draft,
  purpose: keyof RelayKeys,
  previous: RelayKey,
  next: RelayKey,
): number {
  const { policy } = draft;
  if (policy?.keys[purpose] !== previous.peer)
    throw new FailureError("relay-fault", `the ${purpose} key at hand is not the one in force`);
  if (previous.peer === next.peer) throw new FailureError("malformed", "a key cannot replace itself");
  const proof = previous.sign(rotationMessage(court.origin, purpose, next.peer));
  const index = draft.append("key-rotate", { purpose, previous: previous.peer, next: next.peer, proof });
  draft.policy = { ...policy, keys: { ...policy.keys, [purpose]: next.peer } };
  return index;
}

/** See Books.revokeKey. */
export function revokeKey(court: Court, draft: Draft, revoke: Verified<KeyRevoke>): number {
  const { body } = revoke;
  requireOrigin(body, court.origin, court.asset);
  const signer = soleSigner(court, draft, revoke);
  if (signer.session !== body.root || signer.root !== body.root)
    throw new FailureError("bad-signature", "key-revoke: not signed by the root identity itself");
  const index = draft.append("key-revoke", { envelope: revoke.bytes });
  draft.revoke(body.key, body.root);
  return index;
}

/** See Books.bar. */
export function bar(draft: Draft, identity: PeerId, reason: string): number {
  const index = draft.append("bar", { identity, reason });
  draft.bars.set(identity, reason);
  return index;
}
