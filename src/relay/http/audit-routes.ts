import { refereeAnswerSchema } from "../../protocol/messages/audit.ts";
import { inclusionSchema, reportAnswerSchema } from "../../protocol/messages/receipt.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { encode } from "../../protocol/schema.ts";
import { standingViewJson } from "../../protocol/standing-json.ts";
import type { RelayHttp } from "./http-env.ts";
import type { HttpParts } from "./http-parts.ts";
import { message, view } from "./message-routes.ts";
import { readMessage } from "./read-body.ts";
import { peerParam } from "./read-params.ts";

/** What providers and requesters say in an audit, and how a provider stands. */
export function addAuditRoutes(http: RelayHttp, { audits }: Pick<HttpParts, "audits">): void {
  http.post(RELAY_PATHS.openings, async (c) => {
    await audits.open(await readMessage(c));
    return c.body(null, 204);
  });

  http.post(RELAY_PATHS.disputes, async (c) =>
    message(c, encode(reportAnswerSchema, await audits.dispute(await readMessage(c)))),
  );

  http.post(RELAY_PATHS.reveals, async (c) =>
    message(c, encode(inclusionSchema, await audits.reveal(await readMessage(c)))),
  );

  http.post(RELAY_PATHS.referees, async (c) =>
    message(c, encode(refereeAnswerSchema, await audits.referee(await readMessage(c)))),
  );

  http.post(RELAY_PATHS.retire, async (c) => {
    const peer = peerParam("peer", c.req.param("peer"));
    return message(c, encode(inclusionSchema, await audits.retire(peer, await readMessage(c))));
  });

  http.get(RELAY_PATHS.standing, (c) => {
    const peer = peerParam("peer", c.req.param("peer"));
    return view(c, standingViewJson.write(audits.standing(peer)));
  });
}
