import { PPM } from "../audit-policy.ts";
import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import type { PeerId } from "../peer-id.ts";
import { type Fields, oneOf, peer, record, type Schema, text, uint, where } from "../schema.ts";
import { isSiteId, isSiteOrigin, MAX_SITE_ORIGIN_BYTES, type SiteId } from "../site.ts";

/** Closed: the site takes no visitors any more; its name stays its owner's. */
export const SITE_STATES = ["open", "closed"] as const;
export type SiteState = (typeof SITE_STATES)[number];

/**
 * Somebody says that the pages of an origin embed the widget for its account, and what visitors keep. Signed by the
 * owner's root identity itself; the newest `at` counts. Nobody proves that the pages are the owner's: whoever registers
 * the origin of others has a name that those pages do not use.
 */
export interface SiteRegistration extends Header {
  readonly owner: PeerId;
  /** Origin of the pages, as in "https://news.example"; see isSiteOrigin. */
  readonly page: string;
  /** What visitors keep of what their tabs earn, in millionths; the rest is the owner's. */
  readonly share: number;
  readonly state: SiteState;
  /** Milliseconds since 1970, by the owner's clock. */
  readonly at: number;
}

/** An origin that may embed the widget. */
const siteOrigin: Schema<string> = where(text(MAX_SITE_ORIGIN_BYTES), isSiteOrigin, "is no origin of a site");

const fields: Fields<SiteRegistration> = {
  ...headerFields,
  owner: peer,
  page: siteOrigin,
  share: uint(PPM),
  state: oneOf(SITE_STATES),
  at: uint(),
};

export const siteMessage: MessageType<SiteRegistration> = {
  name: "site",
  schema: record<SiteRegistration>(fields),
};

const shortText = text(32);

export const siteIdText: Schema<SiteId> = {
  write: (out, value) => shortText.write(out, value),
  read(from) {
    const value = shortText.read(from);
    return isSiteId(value) ? value : from.fail("is no site id");
  },
};
