import { Hono } from "hono";
import { cors } from "hono/cors";
import { routePath } from "hono/route";
import { FailureError } from "../../protocol/failure.ts";
import { addressGroup, clientAddress } from "../client-address.ts";
import { addApiKeyRoutes } from "../gateway/api-key-routes.ts";
import { isGatewayPath, JOB_HEADER, RECEIPT_HEADER } from "../gateway/gateway-paths.ts";
import { addGatewayRoutes, refuseGateway } from "../gateway/gateway-routes.ts";
import { addAccountRoutes } from "./account-routes.ts";
import { addAlertRoutes } from "./alert-routes.ts";
import { addAuditRoutes } from "./audit-routes.ts";
import { addBlobRoutes } from "./blob-routes.ts";
import { addEffectRoutes } from "./effect-routes.ts";
import { addDeploymentRoutes } from "./deployment-routes.ts";
import { addEmbedRoutes } from "./embed-routes.ts";
import { addEventRoutes } from "./event-routes.ts";
import { refuse } from "./failure-response.ts";
import type { RelayEnv, RelayHttp } from "./http-env.ts";
import type { HttpParts } from "./http-parts.ts";
import { addIngressRoutes } from "./ingress-routes.ts";
import { addLogRoutes } from "./log-routes.ts";
import { addMessageRoutes } from "./message-routes.ts";
import { addModelRoutes } from "./model-routes.ts";
import { addNetworkRoutes } from "./network-routes.ts";
import { addOperatorRoutes } from "./operator-routes.ts";
import { addPageRoutes } from "./page-routes.ts";
import { addPayoutRoutes } from "./payout-routes.ts";
import { securityHeaders } from "./security-headers.ts";
import { addRunRoutes } from "./run-routes.ts";
import { addSiteRoutes } from "./site-routes.ts";
import { addTileRoutes } from "./tile-routes.ts";

/** Browsers remember a preflight this long, in seconds. */
const PREFLIGHT_SECONDS = 86_400;

/** The relay's HTTP interface. Without a socket it is tested by `request`. */
export function createHttp(parts: HttpParts): RelayHttp {
  const http = new Hono<RelayEnv>();
  http.use(async (c, next) => {
    const started = performance.now();
    const remote = c.env?.incoming?.socket.remoteAddress;
    c.set("address", clientAddress(remote, c.req.header("x-forwarded-for"), parts.proxies));
    await next();
    const seconds = (performance.now() - started) / 1000;
    parts.metrics.answered(c.req.method, routePath(c, -1), c.res.status, seconds);
  });
  http.use(securityHeaders);
  http.use(
    "/v1/*",
    cors({
      origin: "*",
      allowMethods: ["GET", "HEAD", "POST", "PUT"],
      // Those that are asked for: clients of OpenAI's interface send a dozen of their own. Nothing rests on cookies here.
      exposeHeaders: ["Content-Length", "Retry-After", JOB_HEADER, RECEIPT_HEADER],
      maxAge: PREFLIGHT_SECONDS,
    }),
  );
  http.use("/v1/*", async (c, next) => {
    parts.addressLimit.take(addressGroup(c.get("address")));
    await next();
  });
  addIngressRoutes(http, parts);
  addMessageRoutes(http, parts);
  addAuditRoutes(http, parts);
  addLogRoutes(http, parts);
  addTileRoutes(http, parts);
  addAccountRoutes(http, parts);
  addAlertRoutes(http, parts);
  addDeploymentRoutes(http, parts);
  addNetworkRoutes(http, parts);
  addEventRoutes(http, parts);
  addBlobRoutes(http, parts);
  addModelRoutes(http, parts);
  addApiKeyRoutes(http, parts);
  addPayoutRoutes(http, parts);
  addSiteRoutes(http, parts);
  addEffectRoutes(http, parts);
  addRunRoutes(http, parts);
  addGatewayRoutes(http, parts);
  addOperatorRoutes(http, parts);
  addEmbedRoutes(http, parts);
  addPageRoutes(http, parts);
  http.notFound((c) =>
    refuse(c, new FailureError("not-found", "there is nothing here"), parts.log, parts.metrics),
  );
  http.onError((error, c) =>
    isGatewayPath(c.req.path) ? refuseGateway(c, error, parts) : refuse(c, error, parts.log, parts.metrics),
  );
  return http;
}
