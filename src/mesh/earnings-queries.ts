import {
  type EarningsShare,
  type EarningsSpan,
  type EarningsSplit,
  earningsSharesJson,
  type HistoryPage,
  historyPageJson,
  type HistoryQuery,
} from "../protocol/earnings-json.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { RELAY_PATHS } from "../protocol/relay-api.ts";
import type { SiteId } from "../protocol/site.ts";
import { createSiteRequests } from "./site-requests.ts";
import { exchangeOptions, fill, type RelayClientOptions, view } from "./relay-queries.ts";

/** What a page of earnings asks of a relay besides RelayQueries. Failures as of RelayClient. */
export interface EarningsQueries {
  /** Receipts looked through by what is asked for. A page may be empty and yet say where to go on. */
  history(peer: PeerId, query: HistoryQuery, signal?: AbortSignal): Promise<HistoryPage>;
  /** What was earned by function or site, the largest first; all that is not among the largest is one share without a name. */
  shares(
    peer: PeerId,
    by: { readonly split: EarningsSplit; readonly span: EarningsSpan; readonly fromMs: number },
    signal?: AbortSignal,
  ): Promise<readonly EarningsShare[]>;
  /** Origin of the pages of a site, as its owner registered it. @throws FailureError `not-found` */
  sitePage(id: SiteId, signal?: AbortSignal): Promise<string>;
}

function queryText(query: HistoryQuery): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

export function createEarningsQueries(options: RelayClientOptions): EarningsQueries {
  const http = exchangeOptions(options);
  const sites = createSiteRequests(options);
  return {
    sitePage: async (id, signal) => (await sites.site(id, signal)).page,
    history: (peer, query, signal) =>
      view(http, historyPageJson, {
        path: `${fill(RELAY_PATHS.accountHistory, peer)}?${queryText(query)}`,
        signal,
      }),
    shares: (peer, { split, span, fromMs }, signal) =>
      view(http, earningsSharesJson, {
        path: `${fill(RELAY_PATHS.accountShares, peer)}?by=${split}&bucket=${span}&from=${fromMs}`,
        signal,
      }),
  };
}
