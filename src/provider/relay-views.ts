import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";

/** What a page shows of a relay. Nothing here is proven: receipt-verification.ts does that. */
export type RelayViews = Pick<
  RelayClient,
  "info" | "account" | "standing" | "receipts" | "earnings" | "events" | "models"
>;

/** @param relayUrl the relay's origin, as in "https://relay.example". */
export function createRelayViews(relayUrl: string): RelayViews {
  return createRelayClient({ baseUrl: relayUrl, fetch: (input, init) => fetch(input, init) });
}
