import type { HttpParts } from "./http-parts.ts";
import type { RelayHttp } from "./http-env.ts";
import { FailureError } from "../../protocol/failure.ts";
import { openApi } from "./open-api.ts";

/** What operators and their tools read. */
export const OPERATOR_PATHS = { health: "/healthz", metrics: "/metrics", openApi: "/openapi.json" } as const;

export function addOperatorRoutes(http: RelayHttp, parts: HttpParts): void {
  http.get(OPERATOR_PATHS.health, async (c) => {
    const health = await parts.health();
    c.header("Cache-Control", "no-store");
    return c.json(health, health.ok ? 200 : 503);
  });

  http.get(OPERATOR_PATHS.metrics, async (c) => {
    if (!parts.metricsFrom.has(c.get("address")))
      throw new FailureError("denied", "metrics are not for this address");
    return c.body(await parts.metrics.text(), 200, {
      "Content-Type": parts.metrics.contentType,
      "Cache-Control": "no-store",
    });
  });

  http.get(OPERATOR_PATHS.openApi, (c) => c.json(openApi(parts.info().version)));
}
