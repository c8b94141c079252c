import { openEnvelope } from "../../protocol/envelope.ts";
import type { Inclusion, ReportAnswer } from "../../protocol/messages/receipt.ts";
import { reportMessage } from "../../protocol/messages/receipt.ts";
import { keyRevokeMessage } from "../../protocol/messages/session.ts";
import type { Authentication } from "../authenticate.ts";
import type { Books } from "../books.ts";
import type { Reports } from "../http/http-parts.ts";
import type { RelayMetrics } from "../metrics.ts";
import type { LiveOffers } from "../offers/live-offers.ts";
import type { RateLimit } from "../rate-limit.ts";

export interface ReportParts {
  readonly books: Books;
  readonly authentication: Authentication;
  readonly offers: LiveOffers;
  readonly limit: RateLimit;
  readonly metrics: RelayMetrics;
}

/** Takes reports and revocations. Who brings a report does not matter: receipt and advance speak for themselves. */
export class ReportDesk implements Reports {
  readonly #parts: ReportParts;

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  async report(envelope: Uint8Array): Promise<ReportAnswer> {
    const { books, limit, metrics } = this.#parts;
    const reporter = openEnvelope(reportMessage, envelope).signedBy[0]?.key ?? "";
    // Only reports that hold use up an identity's share: nobody can spend that of another.
    limit.requireRoom(reporter);
    const started = performance.now();
    const answer = await books.report(envelope);
    metrics.committed((performance.now() - started) / 1000);
    limit.tryTake(reporter);
    return answer;
  }

  async revoke(envelope: Uint8Array): Promise<Inclusion> {
    const { message } = this.#parts.authentication.open(keyRevokeMessage, envelope);
    const inclusion = await this.#parts.books.revokeKey(message);
    this.#parts.offers.drop(message.body.key);
    return inclusion;
  }
}
