import { openEnvelope, verifiedSync } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { requireOrigin } from "../../protocol/header.ts";
import { MEAN_DRAW_LEAVES } from "../../protocol/limits.ts";
import {
  disputeMessage,
  openingMessage,
  type RefereeAnswer,
  refereeMessage,
  retireMessage,
  revealMessage,
} from "../../protocol/messages/audit.ts";
import { type Inclusion, receiptMessage, type ReportAnswer } from "../../protocol/messages/receipt.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { StandingView } from "../../protocol/relay-api.ts";
import type { Authentication } from "../authenticate.ts";
import type { Books } from "../books.ts";
import { verifyNative } from "../books/native-keys.ts";
import type { Audits } from "../http/http-parts.ts";
import type { RelayMetrics } from "../metrics.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { AuditRounds } from "./audit-rounds.ts";

export interface AuditDeskParts {
  readonly books: Books;
  readonly authentication: Authentication;
  readonly rounds: AuditRounds;
  /** Messages of one identity. */
  readonly limit: RateLimit;
  readonly metrics: Pick<RelayMetrics, "committed">;
  readonly standing: (peer: PeerId) => StandingView;
  readonly nowMs: () => number;
}

/** Takes what providers and requesters say in an audit. */
export class AuditDesk implements Audits {
  readonly #parts: AuditDeskParts;

  constructor(parts: AuditDeskParts) {
    this.#parts = parts;
  }

  /**
   * Takes an opening. Who brings it does not matter: its paths speak for themselves, and an identity that is barred or
   * revoked meanwhile may still show what it has done. The same one again is answered alike.
   */
  async open(envelope: Uint8Array<ArrayBuffer>): Promise<void> {
    const { books, limit, rounds, nowMs } = this.#parts;
    const opened = openEnvelope(openingMessage, envelope);
    const { body, signedBy } = opened;
    requireOrigin(body, books.origin, books.asset);
    verifiedSync(opened, verifyNative);
    limit.take(signedBy[0]?.key ?? "");
    const place = { entry: body.entryIndex, leaf: body.index };
    const drawn = books.audits.drawn(place.entry, place.leaf);
    if (drawn === undefined)
      throw new FailureError("not-found", `leaf ${place.leaf} of entry ${place.entry} is not drawn`);
    if (drawn.row.verdict !== undefined || rounds.has(place)) return;
    if (nowMs() > rounds.opensUntil(drawn))
      throw new FailureError("expired", "opening: the time to open it has passed");
    await rounds.take(place, drawn, envelope);
  }

  /** @throws FailureError `too-large` for more outcomes than one draw can name; as Books.audits.dispute */
  async dispute(envelope: Uint8Array): Promise<ReportAnswer> {
    const { books, limit, metrics } = this.#parts;
    const { body, signedBy } = openEnvelope(disputeMessage, envelope);
    const reporter = signedBy[0]?.key ?? "";
    limit.requireRoom(reporter);
    const { count } = openEnvelope(receiptMessage, body.receipt).body;
    if (count - body.prevCount > MEAN_DRAW_LEAVES)
      throw new FailureError("too-large", `dispute: more than ${MEAN_DRAW_LEAVES} outcomes at once`);
    const started = performance.now();
    const answer = await books.audits.dispute(envelope);
    metrics.committed((performance.now() - started) / 1000);
    limit.tryTake(reporter);
    return answer;
  }

  async reveal(envelope: Uint8Array): Promise<Inclusion> {
    const { message, by } = this.#parts.authentication.open(revealMessage, envelope);
    this.#parts.limit.take(by[0]?.root ?? "");
    return this.#parts.books.audits.reveal(message);
  }

  async referee(envelope: Uint8Array): Promise<RefereeAnswer> {
    const { message, by } = this.#parts.authentication.open(refereeMessage, envelope);
    this.#parts.limit.take(by[0]?.root ?? "");
    return this.#parts.books.audits.referee(message);
  }

  async retire(peer: PeerId, envelope: Uint8Array): Promise<Inclusion> {
    const { message } = this.#parts.authentication.open(retireMessage, envelope);
    if (message.body.account !== peer)
      throw new FailureError("malformed", "retire: it is of another account");
    this.#parts.limit.take(peer);
    return this.#parts.books.audits.retire(message);
  }

  standing(peer: PeerId): StandingView {
    return this.#parts.standing(peer);
  }
}
