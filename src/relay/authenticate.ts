import type { Signatory } from "../protocol/delegation.ts";
import { type MessageType, openEnvelope, type Verified, verifiedSync } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { type Header, requireOrigin } from "../protocol/header.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Books } from "./books.ts";
import { verifyNative } from "./books/native-keys.ts";
import { Signatories } from "./books/signatories.ts";
import { requireServed } from "./denials.ts";

/** A message whose signatures hold, and for whom each signer acts. */
export interface Authentic<T> {
  readonly message: Verified<T>;
  /** One for each signature, in order; at least one. */
  readonly by: readonly Pick<Signatory, "root" | "session">[];
}

/** Decides who speaks, before anything else is believed. */
export class Authentication {
  readonly #books: Books;
  readonly #nowMs: () => number;
  readonly #signatories = new Signatories();

  constructor(books: Books, nowMs: () => number) {
    this.#books = books;
    this.#nowMs = nowMs;
  }

  /**
   * Decodes and verifies an envelope: its type, that it was made for this relay and its money, every signature and
   * delegation, that no key is revoked, that no signer is denied.
   * @throws FailureError `malformed`, `unsupported`, `too-large`, `bad-signature`, `wrong-relay`, `wrong-asset`,
   * `expired`, `key-revoked`, `denied`.
   */
  open<T extends Header>(type: MessageType<T>, envelope: Uint8Array): Authentic<T> {
    const unverified = openEnvelope(type, envelope);
    requireOrigin(unverified.body, this.#books.origin, this.#books.asset);
    const message = verifiedSync(unverified, verifyNative);
    const by = message.signedBy.map((signed) => this.#signatories.of(signed, this.#nowMs()));
    for (const { root, session } of by) this.requireWelcome(root, session);
    return { message, by };
  }

  /** @throws FailureError `key-revoked` or `denied`. */
  requireWelcome(root: PeerId, session: PeerId): void {
    requireServed(this.#books, root, session);
    if (this.#books.isRevoked(session, root))
      throw new FailureError("key-revoked", `${session} does not act for ${root} any more`);
  }
}
