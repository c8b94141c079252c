import type { EarningsSpan } from "../protocol/earnings-json.ts";
import type { JsonShape } from "../protocol/json-shape.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import {
  type AccountView,
  type EarningsPoint,
  type PublishedModel,
  type ReceiptView,
  RELAY_PATHS,
  type RelayInfo,
  type StandingView,
} from "../protocol/relay-api.ts";
import {
  accountViewJson,
  earningsPointsJson,
  publishedModelsJson,
  receiptViewsJson,
  relayInfoJson,
} from "../protocol/relay-json.ts";
import { standingViewJson } from "../protocol/standing-json.ts";
import { type AccountEvent, accountEvents, parseJson } from "./relay-events.ts";
import { type Exchange, exchangeBytes, type ExchangeOptions } from "./relay-exchange.ts";

/** Longest views that are read, in bytes. The longest list has 1,200 points of 80 bytes, or 1,024 leases of 250. */
export const MAX_VIEW_BYTES: number = 512 * 1024;

/** A relay on this machine answers in milliseconds, one behind a phone network in seconds. */
const DEFAULT_TIMEOUT_MS = 15_000;

export interface RelayClientOptions {
  /** Origin of the relay's HTTP server, as in "https://relay.example"; a path before /v1 may follow. */
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
  /** Silence that is waited for, in milliseconds. */
  readonly timeoutMs?: number;
}

/** What a page shows of a relay: a part of RelayClient that knows no message, so that a page that only shows loads little. */
export interface RelayQueries {
  readonly baseUrl: string;
  info(signal?: AbortSignal): Promise<RelayInfo>;
  /** How a provider stands; somebody who has never worked stands at nothing. */
  standing(peer: PeerId, signal?: AbortSignal): Promise<StandingView>;
  /** All that the relay publishes, by name. */
  models(signal?: AbortSignal): Promise<readonly PublishedModel[]>;
  account(peer: PeerId, signal?: AbortSignal): Promise<AccountView>;
  /** Newest first; `before` is an entry index to continue below. */
  receipts(
    peer: PeerId,
    page: { readonly before?: number; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<readonly ReceiptView[]>;
  earnings(
    peer: PeerId,
    span: EarningsSpan,
    fromMs: number,
    signal?: AbortSignal,
  ): Promise<readonly EarningsPoint[]>;
  /**
   * Begins with the account as it is; then every change, through lost connections. Ends when aborted.
   * `onLost` is told whenever there is no connection for now.
   */
  events(
    peer: PeerId,
    options: { readonly lastId?: number; readonly signal: AbortSignal; readonly onLost?: () => void },
  ): AsyncIterable<AccountEvent>;
}

/** How requests of these options are made. */
export function exchangeOptions(options: RelayClientOptions): ExchangeOptions {
  return {
    baseUrl: options.baseUrl.replace(/\/+$/u, ""),
    fetch: (input, init) => options.fetch(input, init),
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  };
}

/** Fills the `:x` of a path in RELAY_PATHS. */
export function fill(path: string, segment: string | number): string {
  return path.replace(/:[a-z]+/u, encodeURIComponent(segment));
}

export function pageQuery({ before, limit }: { readonly before?: number; readonly limit: number }): string {
  return before === undefined ? `limit=${limit}` : `before=${before}&limit=${limit}`;
}

/** Asks for a view and reads it. */
export async function view<T>(
  http: ExchangeOptions,
  shape: JsonShape<T>,
  exchange: Omit<Exchange, "maxBytes">,
): Promise<T> {
  const bytes = await exchangeBytes(http, { ...exchange, maxBytes: MAX_VIEW_BYTES });
  return shape.read(parseJson(new TextDecoder().decode(bytes)));
}

export function createRelayQueries(options: RelayClientOptions): RelayQueries {
  const http = exchangeOptions(options);
  return {
    baseUrl: http.baseUrl,
    info: (signal) => view(http, relayInfoJson, { path: RELAY_PATHS.relay, signal }),
    standing: (peer, signal) =>
      view(http, standingViewJson, { path: fill(RELAY_PATHS.standing, peer), signal }),
    models: (signal) => view(http, publishedModelsJson, { path: RELAY_PATHS.models, signal }),
    account: (peer, signal) => view(http, accountViewJson, { path: fill(RELAY_PATHS.account, peer), signal }),
    receipts: (peer, page, signal) =>
      view(http, receiptViewsJson, {
        path: `${fill(RELAY_PATHS.accountReceipts, peer)}?${pageQuery(page)}`,
        signal,
      }),
    earnings: (peer, span, fromMs, signal) =>
      view(http, earningsPointsJson, {
        path: `${fill(RELAY_PATHS.accountEarnings, peer)}?bucket=${span}&from=${fromMs}`,
        signal,
      }),
    events: (peer, { lastId, signal, onLost }) =>
      accountEvents({ ...http, path: fill(RELAY_PATHS.accountEvents, peer), lastId, signal, onLost }),
  };
}
