import { sha256 } from "@noble/hashes/sha2.js";
import { base32 } from "multiformats/bases/base32";
import { PPM } from "./audit-policy.ts";
import { concatBytes } from "./bytes.ts";
import { keyFromPeerId, type PeerId } from "./peer-id.ts";
import { encodeUtf8 } from "./text.ts";
import { WireError } from "./wire-error.ts";

/**
 * Names a site and who owns it: "site-" and the first 20 letters (100 bits) of the base32 of SHA-256 over the owner's raw
 * public key (32 bytes) ‖ the site's origin. Anybody can compute it, so nobody can answer with another site under it.
 */
declare const siteBrand: unique symbol;
export type SiteId = string & { readonly [siteBrand]: "site" };

/** Names of hosts have 253 letters at most. */
export const MAX_SITE_ORIGIN_BYTES = 256;

const SITE_ID = /^site-[a-z2-7]{20}$/u;
const ID_LETTERS = 20;

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
/** Hosts that end in a number are addresses to browsers, and spelled otherwise. */
const TOP = "[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?";
const PORT = "(?::[1-9][0-9]{0,4})?";
/** As a browser spells origins: small letters, international names in their ASCII form, no default port, no path. */
const SECURE = new RegExp(`^https://(?:${LABEL}\\.)*${TOP}${PORT}$`, "u");
/** Pages on the machine of whoever builds them. */
const LOCAL = new RegExp(`^http://(?:(?:${LABEL}\\.)*localhost|127\\.0\\.0\\.1|\\[::1\\])${PORT}$`, "u");

function portOf(origin: string): number | undefined {
  const port = /:([0-9]+)$/u.exec(origin)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** Whether a page of this origin may embed the widget: https, or http on the machine itself. The text is safe in a header. */
export function isSiteOrigin(origin: string): boolean {
  if (origin.length > MAX_SITE_ORIGIN_BYTES) return false;
  const isSecure = SECURE.test(origin);
  if (!isSecure && !LOCAL.test(origin)) return false;
  const port = portOf(origin);
  return port === undefined || (port <= 65_535 && port !== (isSecure ? 443 : 80));
}

export function isSiteId(text: unknown): text is SiteId {
  return typeof text === "string" && SITE_ID.test(text);
}

/** @throws WireError unless `text` is a site id. */
export function parseSiteId(text: string): SiteId {
  if (!isSiteId(text)) throw new WireError("is not a site id (site-…)");
  return text;
}

/** @param origin as in "https://news.example"; see isSiteOrigin. */
export function siteId(owner: PeerId, origin: string): SiteId {
  const digest = sha256(concatBytes(keyFromPeerId(owner), encodeUtf8(origin)));
  return parseSiteId(`site-${base32.baseEncode(digest).slice(0, ID_LETTERS)}`);
}

/** What of a visitor's earnings goes to the site's owner, in millionths. @param share what the visitor keeps, in millionths. */
export function ownersPpm(share: number): number {
  return PPM - share;
}

/**
 * What a site's owner puts into its pages.
 * @param relayOrigin as in "https://relay.example" @param language of the widget, as in a `lang` attribute; "": the browser's
 */
export function widgetSnippet(relayOrigin: string, site: SiteId, language = ""): string {
  const lang = language === "" ? "" : ` lang="${language}"`;
  return `<script type="module" src="${relayOrigin}/widget.js"></script>\n<tabmesh-widget site="${site}"${lang}></tabmesh-widget>`;
}
