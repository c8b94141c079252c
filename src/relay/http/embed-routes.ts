import { existsSync } from "node:fs";
import { join } from "node:path";
import { serveStatic } from "@hono/node-server/serve-static";
import type { Context } from "hono";
import { FailureError } from "../../protocol/failure.ts";
import { isSiteId } from "../../protocol/site.ts";
import type { RelayEnv, RelayHttp } from "./http-env.ts";
import type { HttpParts } from "./http-parts.ts";
import { embedPolicy, SANDBOX_PAGE, sandboxPagePolicy } from "./security-headers.ts";

/** The element is asked for again after that many seconds, so that a new version is everywhere within the hour. */
const ELEMENT_SECONDS = 3_600;

/** The widget as other sites have it: its element for everybody, its frame for the pages of one site, its window for nobody. */
export function addEmbedRoutes(http: RelayHttp, { staticDir, books }: HttpParts): void {
  if (staticDir === undefined || !existsSync(join(staticDir, "widget.js"))) return;
  const file = (path: string) => serveStatic<RelayEnv>({ root: staticDir, path, precompressed: true });

  /** Origin of the pages of the site that a request is about. @throws FailureError `not-found` */
  function pageOf(c: Context<RelayEnv>): string {
    const site = c.req.query("site");
    const known = isSiteId(site) ? books.sites.site(site) : undefined;
    if (known === undefined) throw new FailureError("not-found", "no such site");
    return known.page;
  }

  const element = file("widget.js");
  http.use("/widget.js", (c, next) => {
    // Module scripts of others are fetched as anybody's, and stand in pages that may be isolated.
    c.header("Access-Control-Allow-Origin", "*");
    c.header("Cross-Origin-Resource-Policy", "cross-origin");
    c.header("Cache-Control", `public, max-age=${ELEMENT_SECONDS}`);
    return element(c, next);
  });

  const frame = file("embed/frame.html");
  http.use("/embed/frame", (c, next) => {
    c.header("Content-Security-Policy", embedPolicy(pageOf(c)));
    c.header("Cross-Origin-Resource-Policy", "cross-origin");
    return fresh(c, () => frame(c, next));
  });

  const consent = file("embed/consent.html");
  http.use("/embed/consent", (c, next) => {
    c.header("Content-Security-Policy", embedPolicy("'none'"));
    // The page that opened it and this window find each other by it.
    c.header("Cross-Origin-Opener-Policy", "unsafe-none");
    return fresh(c, () => consent(c, next));
  });

  http.use(SANDBOX_PAGE, async (c, next) => {
    if (c.req.query("site") !== undefined)
      c.header("Content-Security-Policy", sandboxPagePolicy(`'self' ${pageOf(c)}`));
    await next();
  });
}

/** Who may hold a page can change at any time. */
function fresh<T>(c: Context<RelayEnv>, serve: () => T): T {
  c.header("Cache-Control", "no-store");
  return serve();
}
