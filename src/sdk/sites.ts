import { openEnvelope, seal } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { type SiteRegistration, siteMessage, type SiteState } from "../protocol/messages/site.ts";
import { siteId } from "../protocol/site.ts";
import type { SiteContributions, SiteView } from "../protocol/site-views.ts";
import { type AccountDesk, type AccountOwner, openDesk } from "./account-desk.ts";

/** Sites that embed the widget for an account. */

/** What an owner says of a site. */
export interface SiteTerms {
  /** Origin of its pages, as in "https://news.example". */
  readonly page: string;
  /** What visitors keep of what their tabs earn, in millionths. Default: as it was, or everything. */
  readonly share?: number;
  /** Default: open. */
  readonly state?: SiteState;
}

const EVERYTHING_PPM = 1_000_000;

async function before({ client, signer }: AccountDesk, page: string): Promise<SiteView | undefined> {
  const sites = await client.sites(signer.key, Date.now());
  return sites.find(({ site }) => site.page === page)?.site;
}

/**
 * Registers a site of this account, or changes what was said of it.
 * @throws FailureError the relay's own; when it cannot be reached or contradicts its pinned keys. RangeError for what is no
 * origin of a site.
 */
export async function registerSite(owner: AccountOwner, terms: SiteTerms): Promise<SiteView> {
  const desk = await openDesk(owner);
  const { client, info, signer } = desk;
  const known = await before(desk, terms.page);
  const body: SiteRegistration = {
    ...header(info.origin, info.asset),
    owner: signer.key,
    page: terms.page,
    share: terms.share ?? known?.share ?? EVERYTHING_PPM,
    state: terms.state ?? "open",
    at: Math.max(Date.now(), (known?.at ?? 0) + 1),
  };
  const made = await client.registerSite(await seal(siteMessage, body, [signer]));
  if (
    made.site !== siteId(signer.key, terms.page) ||
    openEnvelope(siteMessage, made.envelope).body.at !== body.at
  )
    throw new FailureError("replayed", "the site was registered otherwise at the same time");
  return made;
}

/** Sites of this account with what visitors contributed. @param fromMs start of the first day, milliseconds since 1970 */
export async function listSites(owner: AccountOwner, fromMs: number): Promise<readonly SiteContributions[]> {
  const { client, signer } = await openDesk(owner);
  return client.sites(signer.key, fromMs);
}
