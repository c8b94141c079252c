import type { Cid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import { MAX_NAME_PEERS } from "../limits.ts";
import type { PeerId } from "../peer-id.ts";
import { cid, list, optional, peer, record, text, uint, where } from "../schema.ts";

/** What a name looks like: lower-case letters, digits and "-", as in a host name, so that it fits an address. */
export const NAME_PATTERN: RegExp = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/u;

/**
 * An account gives a name a meaning: peers that answer for it, or a plan. Signed by its root identity itself. The highest version
 * counts until it expires; a name belongs to who had it first, for as long as it is signed anew in time.
 */
export interface Name extends Header {
  readonly owner: PeerId;
  readonly name: string;
  /** A higher one replaces a lower one. */
  readonly version: number;
  /** Root identities of providers, first come first; exactly one of this and the next is present. */
  readonly peers?: readonly PeerId[];
  readonly plan?: Cid;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  readonly expires: number;
}

export const nameMessage: MessageType<Name> = {
  name: "name",
  schema: where(
    record<Name>({
      ...headerFields,
      owner: peer,
      name: text(63),
      version: uint(),
      peers: optional(list(peer, MAX_NAME_PEERS)),
      plan: optional(cid),
      issuedAt: uint(),
      expires: uint(),
    }),
    ({ name, peers, plan }) => NAME_PATTERN.test(name) && (peers === undefined) !== (plan === undefined),
    'name: letters a to z, digits and "-", and it stands for peers or for a plan',
  ),
};
