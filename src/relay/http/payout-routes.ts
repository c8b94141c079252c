import { FailureError } from "../../protocol/failure.ts";
import { payoutAddressMessage } from "../../protocol/messages/payout.ts";
import { inclusionSchema } from "../../protocol/messages/receipt.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { MAX_PAYOUTS_PER_PAGE, payoutAddressViewJson, payoutViewsJson } from "../../protocol/relay-json.ts";
import { encode } from "../../protocol/schema.ts";
import type { Authentication } from "../authenticate.ts";
import type { Books } from "../books.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { RelayHttp } from "./http-env.ts";
import { message, view } from "./message-routes.ts";
import { readMessage } from "./read-body.ts";
import { optionalUintParam, peerParam, uintParam } from "./read-params.ts";

const DEFAULT_PAYOUTS = "50";

export interface PayoutRouteParts {
  readonly books: Books;
  readonly authentication: Authentication;
  /** Messages of one identity. */
  readonly limit: RateLimit;
}

/** Where accounts want their money and what they got, for anybody to see, as the log is public. */
export function addPayoutRoutes(http: RelayHttp, { books, authentication, limit }: PayoutRouteParts): void {
  http.post(RELAY_PATHS.accountPayoutAddress, async (c) => {
    const peer = peerParam("peer", c.req.param("peer"));
    const { message: address } = authentication.open(payoutAddressMessage, await readMessage(c));
    if (address.body.account !== peer)
      throw new FailureError("malformed", "payout-address: it is of another account");
    limit.take(peer);
    return message(c, encode(inclusionSchema, await books.payouts.setAddress(address)));
  });

  http.get(RELAY_PATHS.accountPayoutAddress, (c) => {
    const found = books.payouts.address(peerParam("peer", c.req.param("peer")));
    if (found === undefined) throw new FailureError("not-found", "this account has no payout address");
    return view(c, payoutAddressViewJson.write(found));
  });

  http.get(RELAY_PATHS.accountPayouts, (c) => {
    const peer = peerParam("peer", c.req.param("peer"));
    const before = optionalUintParam("before", c.req.query("before"));
    const most = uintParam("limit", c.req.query("limit") ?? DEFAULT_PAYOUTS, MAX_PAYOUTS_PER_PAGE);
    return view(c, payoutViewsJson.write(books.payouts.of(peer, before, most)));
  });
}
