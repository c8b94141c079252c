import { exchangeOptions, view } from "../mesh/relay-queries.ts";
import { type NetworkView, networkViewJson } from "../protocol/network-view.ts";
import { RELAY_PATHS } from "../protocol/relay-api.ts";

/**
 * Who works at a relay, by its own measurements. Apart from relay-views.ts, so that other pages need not load it.
 * @throws FailureError when the relay cannot be reached, or answers something else
 */
export async function networkAt(relayUrl: string, signal?: AbortSignal): Promise<NetworkView> {
  const http = exchangeOptions({ baseUrl: relayUrl, fetch: (input, init) => fetch(input, init) });
  return view(http, networkViewJson, { path: RELAY_PATHS.network, signal });
}
