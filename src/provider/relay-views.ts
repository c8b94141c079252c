import { createRelayQueries, type RelayQueries } from "../mesh/relay-queries.ts";

/** What a page shows of a relay. Nothing here is proven: receipt-verification.ts does that. */
export type RelayViews = RelayQueries;

/** @param relayUrl the relay's origin, as in "https://relay.example". */
export function createRelayViews(relayUrl: string): RelayViews {
  return createRelayQueries({ baseUrl: relayUrl, fetch: (input, init) => fetch(input, init) });
}
