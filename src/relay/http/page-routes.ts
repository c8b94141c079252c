import { existsSync } from "node:fs";
import { join } from "node:path";
import { serveStatic } from "@hono/node-server/serve-static";
import { FailureError } from "../../protocol/failure.ts";
import type { HttpParts } from "./http-parts.ts";
import type { RelayHttp } from "./http-env.ts";

/** Names with a hash in them never change their content. */
const HASHED = /^\/assets\/.+-[\w-]{7,}\.\w+$/u;
/** A page of the app; anything else that is not a file is nothing. */
const PAGE = /^\/[\w/-]*$/u;
const FOREVER = "public, max-age=31536000, immutable";

/** The built pages, if there are any: files as they are, index.html for every page of the app. */
export function addPageRoutes(http: RelayHttp, { staticDir }: HttpParts): void {
  if (staticDir === undefined || !existsSync(join(staticDir, "index.html"))) {
    http.get("/", (c) => c.text("This relay serves no pages. Its interface is described at /openapi.json\n"));
    return;
  }
  http.use("/*", async (c, next) => {
    await next();
    if (c.res.ok && !c.res.headers.has("Cache-Control"))
      c.res.headers.set("Cache-Control", HASHED.test(c.req.path) ? FOREVER : "no-cache");
  });
  http.get("/*", serveStatic({ root: staticDir, precompressed: true }));
  const page = serveStatic({ root: staticDir, path: "index.html", precompressed: true });
  http.get("/*", async (c, next) => {
    const isPage = PAGE.test(c.req.path) && (c.req.header("accept") ?? "").includes("text/html");
    if (!isPage || c.req.path.startsWith("/v1/"))
      throw new FailureError("not-found", "there is nothing here");
    return page(c, next);
  });
}
