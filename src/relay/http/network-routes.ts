import { networkViewJson } from "../../protocol/network-view.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import type { NetworkStats } from "../stats/network-stats.ts";
import type { RelayHttp } from "./http-env.ts";
import { view } from "./message-routes.ts";

/** What anybody may know of who works here. */
export function addNetworkRoutes(http: RelayHttp, { stats }: { readonly stats: NetworkStats }): void {
  http.get(RELAY_PATHS.network, (c) => view(c, networkViewJson.write(stats.view())));
}
