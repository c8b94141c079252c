import { FailureError } from "../../protocol/failure.ts";
import { MAX_BLOB_BYTES } from "../../protocol/limits.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { requireServed } from "../denials.ts";
import { BLOB_POLICY } from "./security-headers.ts";
import type { HttpParts } from "./http-parts.ts";
import type { RelayHttp } from "./http-env.ts";
import { cidParam } from "./read-params.ts";

/**
 * Functions and inputs by CID. They come from strangers and are served under the relay's own origin, so a browser must
 * never take them for a page or a script.
 */
export function addBlobRoutes(http: RelayHttp, { blobs, books }: HttpParts): void {
  http.put(RELAY_PATHS.blob, async (c) => {
    const cid = cidParam("cid", c.req.param("cid"));
    requireServed(books, cid);
    const announced = Number(c.req.header("content-length") ?? 0);
    if (announced > MAX_BLOB_BYTES)
      throw new FailureError("too-large", `a blob has at most ${MAX_BLOB_BYTES} bytes`);
    if (blobs.find(cid) === undefined) await blobs.put(cid, c.req.raw.body ?? new Blob([]).stream());
    else await c.req.raw.body?.cancel();
    return c.body(null, 204);
  });

  // Hono answers HEAD by the same handler and drops the body.
  http.get(RELAY_PATHS.blob, (c) => {
    const cid = cidParam("cid", c.req.param("cid"));
    requireServed(books, cid);
    const blob = blobs.find(cid);
    if (blob === undefined) throw new FailureError("not-found", "the relay has no such blob");
    const headers = {
      "Content-Type": "application/octet-stream",
      "Content-Length": String(blob.size),
      "Content-Disposition": `attachment; filename="${cid}"`,
      "Content-Security-Policy": BLOB_POLICY,
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": "public, max-age=31536000, immutable",
      ETag: `"${cid}"`,
    };
    if (c.req.method === "HEAD") return c.body(null, 200, headers);
    return c.body(blob.open(), 200, headers);
  });
}
