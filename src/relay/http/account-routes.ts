import { FailureError } from "../../protocol/failure.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import {
  accountViewJson,
  earningsPointsJson,
  MAX_EARNINGS_POINTS,
  MAX_RECEIPTS_PER_PAGE,
  receiptViewsJson,
} from "../../protocol/relay-json.ts";
import type { HttpParts } from "./http-parts.ts";
import type { RelayHttp } from "./http-env.ts";
import { view } from "./message-routes.ts";
import { optionalUintParam, peerParam, uintParam } from "./read-params.ts";

const DEFAULT_RECEIPTS = "50";

/** What an identity has and has earned. Accounts are public, as the log is; an unknown one is empty. */
export function addAccountRoutes(http: RelayHttp, { books }: HttpParts): void {
  http.get(RELAY_PATHS.account, (c) =>
    view(c, accountViewJson.write(books.account(peerParam("peer", c.req.param("peer"))))),
  );

  http.get(RELAY_PATHS.accountReceipts, (c) => {
    const peer = peerParam("peer", c.req.param("peer"));
    const before = optionalUintParam("before", c.req.query("before"));
    const limit = uintParam("limit", c.req.query("limit") ?? DEFAULT_RECEIPTS, MAX_RECEIPTS_PER_PAGE);
    return view(c, receiptViewsJson.write(books.receipts(peer, before, limit)));
  });

  http.get(RELAY_PATHS.accountEarnings, (c) => {
    const peer = peerParam("peer", c.req.param("peer"));
    const bucket = c.req.query("bucket");
    if (bucket !== "hour" && bucket !== "day")
      throw new FailureError("malformed", "bucket is neither hour nor day");
    const from = uintParam("from", c.req.query("from") ?? "0");
    const points = books.earnings(peer, bucket, from);
    return view(c, earningsPointsJson.write(points.slice(-MAX_EARNINGS_POINTS)));
  });
}
