import { FailureError } from "../../protocol/failure.ts";
import { inclusionSchema, proofSchema } from "../../protocol/messages/receipt.ts";
import { MESSAGE_TYPE, RELAY_PATHS } from "../../protocol/relay-api.ts";
import { keyRotationsJson } from "../../protocol/relay-json.ts";
import { encode } from "../../protocol/schema.ts";
import type { HttpParts } from "./http-parts.ts";
import type { RelayHttp } from "./http-env.ts";
import { message, view } from "./message-routes.ts";
import { cidParam, uintParam } from "./read-params.ts";

/** An entry never changes. */
const FOREVER = "public, max-age=31536000, immutable";

/** The log, for whoever checks it. */
export function addLogRoutes(http: RelayHttp, { books }: HttpParts): void {
  http.get(RELAY_PATHS.checkpoint, async (c) =>
    c.body(await books.checkpoint(), 200, {
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "no-store",
    }),
  );

  http.get(RELAY_PATHS.entry, (c) => {
    const bytes = books.entry(uintParam("index", c.req.param("index")));
    if (bytes === undefined) throw new FailureError("not-found", "the log has no such entry yet");
    return c.body(bytes.slice(), 200, {
      "Content-Type": "application/octet-stream",
      "Cache-Control": FOREVER,
    });
  });

  http.get(RELAY_PATHS.inclusion, async (c) => {
    const index = uintParam("index", c.req.query("index"));
    if (index >= books.size()) throw new FailureError("not-found", "the log has no such entry yet");
    return message(c, encode(inclusionSchema, await books.inclusion(index)));
  });

  http.get(RELAY_PATHS.consistency, (c) => {
    const from = uintParam("from", c.req.query("from"));
    const to = uintParam("to", c.req.query("to"));
    return message(c, encode(proofSchema, books.consistency(from, to)));
  });

  http.get(RELAY_PATHS.evidence, (c) => {
    const cid = cidParam("cid", c.req.param("cid"));
    const bytes = books.kept.evidence(cid);
    if (bytes === undefined) throw new FailureError("not-found", "the relay has no such evidence");
    return c.body(bytes.slice(), 200, {
      "Content-Type": MESSAGE_TYPE,
      "Content-Disposition": `attachment; filename="${cid}.tabmesh-evidence"`,
      "Cache-Control": FOREVER,
    });
  });

  http.get(RELAY_PATHS.keyRotations, (c) =>
    view(c, keyRotationsJson.write({ indices: books.keyRotations() })),
  );
}
