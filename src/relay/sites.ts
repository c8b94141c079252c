import type { Verified } from "../protocol/envelope.ts";
import type { Assign } from "../protocol/messages/assign.ts";
import type { Inclusion } from "../protocol/messages/receipt.ts";
import type { SiteRegistration } from "../protocol/messages/site.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { SiteId } from "../protocol/site.ts";
import type { AssignmentView, SiteContributions, SiteView, TransferView } from "../protocol/site-views.ts";

/** Sites that embed the widget, and who gets a part of whose earnings; part of the books. */
export interface Sites {
  /**
   * Keeps what an owner says of a site. The same message again changes nothing.
   * @throws FailureError `bad-signature` unless the owner itself signed it, `replayed` unless it is newer than the one before,
   * `malformed` when it is dated ahead of this relay's clock, `too-large` beyond the sites one account may have, `denied`.
   */
  register(message: Verified<SiteRegistration>): Promise<SiteView>;
  /** Open or closed. */
  site(id: SiteId): SiteView | undefined;
  /** Sites of an owner, each with its days from the day of `fromMs` on (milliseconds since 1970), the newest MAX_SITE_DAYS. */
  owned(owner: PeerId, fromMs: number): readonly SiteContributions[];

  /**
   * Logs who gets a part of an account's earnings from here on. The same message again answers with the same entry.
   * @throws FailureError `bad-signature` unless the account itself signed it, `replayed` unless it is newer than the one before,
   * `malformed` when it is dated ahead of this relay's clock, `not-found` for a site that is unknown, `denied` when the site is
   * closed, has another owner or another share, or when the account has a payout address.
   */
  assign(message: Verified<Assign>): Promise<Inclusion>;
  assignment(account: PeerId): AssignmentView | undefined;
  /** To and from an account, newest first. @param before entry to continue below. */
  transfers(account: PeerId, before: number | undefined, limit: number): readonly TransferView[];
  /** Micro-credits that an account got from others. */
  received(account: PeerId): bigint;
}
