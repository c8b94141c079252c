import { type Cid, isCid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { isPeerId, type PeerId } from "../protocol/peer-id.ts";
import type { Books } from "./books.ts";

/** Something that the operator can deny: a function or input by CID, an identity or session key by peer id. */
export interface Deniable {
  readonly kind: "cid" | "peer";
  readonly value: Cid | PeerId;
}

/** @throws RangeError unless the text is a CID or a peer id. */
export function parseDeniable(text: string): Deniable {
  if (isCid(text)) return { kind: "cid", value: text };
  if (isPeerId(text)) return { kind: "peer", value: text };
  throw new RangeError(`${text.slice(0, 80)} is neither a CID nor a peer id (12D3KooW…)`);
}

/** The operator's reason stays with the operator. @throws FailureError `denied` naming what is denied. */
export function requireServed(books: Pick<Books, "denied">, ...all: readonly (Cid | PeerId)[]): void {
  for (const value of all) {
    if (books.denied(isPeerId(value) ? "peer" : "cid", value) !== undefined)
      throw new FailureError("denied", `${value} is not served here`);
  }
}
