import { createEarningsQueries, type EarningsQueries } from "../mesh/earnings-queries.ts";

/** What a page of earnings shows of a relay, beyond relay-views.ts. Nothing here is proven. */
export type EarningsViews = EarningsQueries;

/** @param relayUrl the relay's origin, as in "https://relay.example". */
export function createEarningsViews(relayUrl: string): EarningsViews {
  return createEarningsQueries({ baseUrl: relayUrl, fetch: (input, init) => fetch(input, init) });
}
