import type { Cid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import { HASH_BYTES } from "../merkle.ts";
import type { PeerId } from "../peer-id.ts";
import { amount, cid, exactBytes, oneOf, optional, peer, record, text, uint } from "../schema.ts";
import { CAP_PERIODS, type CapPeriod } from "../cap-period.ts";
import type { MicroCredits } from "../units.ts";

/**
 * An account lets the relay's gateway spend its money for whoever shows a key, up to a cap. Signed by the account's root
 * identity itself; its CID is what jobs name. The key stays with its owner: here is its hash alone.
 */
export interface ApiKey extends Header {
  /** Who pays. */
  readonly account: PeerId;
  /** The one requester that may name this in a job: the relay's gateway, as the relay announces it. */
  readonly gateway: PeerId;
  /** SHA-256 of the key's text, which holds 32 random bytes. No two authorisations have the same. */
  readonly hash: Uint8Array;
  /** For its owner, to tell keys apart. The log is public, and so is this. */
  readonly label: string;
  /** The most that may be set aside or spent in each period. */
  readonly cap: MicroCredits;
  readonly per: CapPeriod;
  /** Log time from which it counts no more, milliseconds since 1970. */
  readonly expires?: number;
}

export const apiKeyMessage: MessageType<ApiKey> = {
  name: "api-key",
  schema: record<ApiKey>({
    ...headerFields,
    account: peer,
    gateway: peer,
    hash: exactBytes(HASH_BYTES),
    label: text(64),
    cap: amount,
    per: oneOf(CAP_PERIODS),
    expires: optional(uint()),
  }),
};

/** The account takes an authorisation back, for good. Signed by its root identity itself. */
export interface ApiKeyRevoke extends Header {
  readonly account: PeerId;
  /** CID of the api-key. */
  readonly apiKey: Cid;
}

export const apiKeyRevokeMessage: MessageType<ApiKeyRevoke> = {
  name: "api-key-revoke",
  schema: record<ApiKeyRevoke>({ ...headerFields, account: peer, apiKey: cid }),
};
