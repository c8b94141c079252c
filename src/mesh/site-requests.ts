import { type Inclusion, inclusionSchema } from "../protocol/messages/receipt.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { MESSAGE_TYPE, RELAY_PATHS } from "../protocol/relay-api.ts";
import { decode } from "../protocol/schema.ts";
import type { SiteId } from "../protocol/site.ts";
import {
  assignmentViewJson,
  siteContributionsJson,
  siteViewJson,
  transferViewsJson,
} from "../protocol/site-json.ts";
import type { AssignmentView, SiteContributions, SiteView, TransferView } from "../protocol/site-views.ts";
import { exchangeBytes } from "./relay-exchange.ts";
import { exchangeOptions, fill, pageQuery, type RelayClientOptions, view } from "./relay-queries.ts";

/** An entry's place and proof. */
const MAX_INCLUSION_BYTES: number = 160 * 1024;

/** What a relay is asked about sites and assignments; fails as RelayClient does. */
export interface SiteRequests {
  /** @throws FailureError `replayed` unless it is newer than the one before, `bad-signature`, `too-large`, `denied` */
  registerSite(envelope: Uint8Array, signal?: AbortSignal): Promise<SiteView>;
  /** Whoever relies on it checks its envelope. @throws FailureError `not-found` */
  site(id: SiteId, signal?: AbortSignal): Promise<SiteView>;
  /** Sites of an owner with their days. @param fromMs start of the first day asked for, milliseconds since 1970. */
  sites(owner: PeerId, fromMs: number, signal?: AbortSignal): Promise<readonly SiteContributions[]>;
  /** @throws FailureError `replayed` unless it is newer than the one before, `bad-signature`, `not-found`, `denied` */
  assign(envelope: Uint8Array, signal?: AbortSignal): Promise<Inclusion>;
  /** @throws FailureError `not-found` while there is none */
  assignment(account: PeerId, signal?: AbortSignal): Promise<AssignmentView>;
  /** To and from an account, newest first; `before` is an entry index to continue below. */
  transfers(
    account: PeerId,
    page: { readonly before?: number; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<readonly TransferView[]>;
}

export function createSiteRequests(options: RelayClientOptions): SiteRequests {
  const http = exchangeOptions(options);
  return {
    registerSite: (envelope, signal) =>
      view(http, siteViewJson, {
        path: RELAY_PATHS.sites,
        method: "PUT",
        body: envelope,
        contentType: MESSAGE_TYPE,
        signal,
      }),
    site: (id, signal) => view(http, siteViewJson, { path: fill(RELAY_PATHS.site, id), signal }),
    sites: (owner, fromMs, signal) =>
      view(http, siteContributionsJson, {
        path: `${fill(RELAY_PATHS.accountSites, owner)}?from=${fromMs}`,
        signal,
      }),
    async assign(envelope, signal) {
      const answer = await exchangeBytes(http, {
        path: RELAY_PATHS.assignments,
        method: "POST",
        body: envelope,
        contentType: MESSAGE_TYPE,
        maxBytes: MAX_INCLUSION_BYTES,
        signal,
      });
      return decode(inclusionSchema, answer, MAX_INCLUSION_BYTES);
    },
    assignment: (account, signal) =>
      view(http, assignmentViewJson, { path: fill(RELAY_PATHS.accountAssignment, account), signal }),
    transfers: (account, page, signal) =>
      view(http, transferViewsJson, {
        path: `${fill(RELAY_PATHS.accountTransfers, account)}?${pageQuery(page)}`,
        signal,
      }),
  };
}
