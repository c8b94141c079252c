import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { MAX_MAIL_BYTES, MAX_PAYER_MAIL_BYTES, MAX_PAYER_VALUE_BYTES, MAX_VALUE_BYTES } from "./limits.ts";
import { type MailBytes, MailSums } from "./mail-sums.ts";
import type { BoxRow, RunMail } from "./run-mail.ts";

/** What of a mailbox is counted: plans, parameters and receipts; or values. */
export type MailKind = keyof MailBytes;

/** Bytes, of one account and of all. */
export type MailBounds = Readonly<Record<MailKind, { readonly each: number; readonly all: number }>>;

const BOUNDS: MailBounds = {
  bytes: { each: MAX_PAYER_MAIL_BYTES, all: MAX_MAIL_BYTES },
  valueBytes: { each: MAX_PAYER_VALUE_BYTES, all: MAX_VALUE_BYTES },
};

export interface MailRoomParts {
  readonly mail: RunMail;
  /** Whether a run has ended or is out of time. */
  readonly isOver: (run: Cid) => boolean;
  /** Throws away all that waits for a run. */
  readonly forget: (run: Cid) => void;
  readonly bounds?: MailBounds;
}

/** Keeps what waits for runs within bounds, for each account and in all: runs cost nothing to register. */
export class MailRoom {
  readonly #parts: MailRoomParts;
  readonly #bounds: MailBounds;
  /** What is on its way in. */
  readonly #held = new MailSums();

  constructor(parts: MailRoomParts) {
    this.#parts = parts;
    this.#bounds = parts.bounds ?? BOUNDS;
  }

  /** What more there is room for, of one account. */
  left(payer: PeerId, kind: MailKind): number {
    const { mail } = this.#parts;
    const { each, all } = this.#bounds[kind];
    return Math.min(each - this.#own(payer, kind), all - mail.bytes()[kind] - this.#held.all()[kind]);
  }

  /** Keeps room for what is on its way in. @param more below zero once it is here, or comes no more */
  hold(payer: PeerId, more: Partial<MailBytes>): void {
    this.#held.add(payer, more);
  }

  /**
   * Makes room for more, if need be by throwing away what waits for runs that are over, the account's own first, the oldest first.
   * @throws FailureError `too-large` where that is not enough.
   */
  require(payer: PeerId, kind: MailKind, more: number): void {
    const { mail } = this.#parts;
    if (more <= this.left(payer, kind)) return;
    this.#clear(() => mail.oldest(payer), payer, kind, more);
    // Nobody else's results make room for an account that has too much itself.
    if (this.#own(payer, kind) + more <= this.#bounds[kind].each)
      this.#clear(() => mail.oldest(), payer, kind, more);
    if (more <= this.left(payer, kind)) return;
    throw new FailureError("too-large", "more than this relay keeps for the runs of one account, or of all");
  }

  #own(payer: PeerId, kind: MailKind): number {
    return this.#parts.mail.bytes(payer)[kind] + this.#held.of(payer)[kind];
  }

  /** What is over is kept less long than anything that goes on: where the oldest goes on, nothing is over. */
  #clear(oldest: () => BoxRow | undefined, payer: PeerId, kind: MailKind, more: number): void {
    const { isOver, forget } = this.#parts;
    while (more > this.left(payer, kind)) {
      const box = oldest();
      if (box === undefined || !isOver(box.run)) return;
      forget(box.run);
    }
  }
}
