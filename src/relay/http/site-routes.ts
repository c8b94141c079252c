import { FailureError } from "../../protocol/failure.ts";
import { assignMessage } from "../../protocol/messages/assign.ts";
import { inclusionSchema } from "../../protocol/messages/receipt.ts";
import { siteMessage } from "../../protocol/messages/site.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { encode } from "../../protocol/schema.ts";
import { isSiteId } from "../../protocol/site.ts";
import {
  assignmentViewJson,
  MAX_TRANSFERS_PER_PAGE,
  siteContributionsJson,
  siteViewJson,
  transferViewsJson,
} from "../../protocol/site-json.ts";
import type { Authentication } from "../authenticate.ts";
import type { Books } from "../books.ts";
import { addressGroup } from "../client-address.ts";
import { STRANGERS_RATE } from "../limits.ts";
import { RateLimit } from "../rate-limit.ts";
import type { RelayHttp } from "./http-env.ts";
import { message, view } from "./message-routes.ts";
import { readMessage } from "./read-body.ts";
import { optionalUintParam, peerParam, uintParam } from "./read-params.ts";

const DEFAULT_TRANSFERS = "50";

export interface SiteRouteParts {
  readonly books: Books;
  readonly authentication: Authentication;
  /** Messages of one identity. */
  readonly limit: RateLimit;
  readonly nowMs: () => number;
}

/** Sites, and who gets a part of whose earnings, for anybody to see, as the log is public. */
export function addSiteRoutes(
  http: RelayHttp,
  { books, authentication, limit, nowMs }: SiteRouteParts,
): void {
  const strangers = new RateLimit(STRANGERS_RATE, "address by accounts that are new", nowMs);
  const admit = (account: PeerId, address: string): void => {
    limit.take(account);
    // Keys are free, and what they sign here stays.
    if (!books.hasAccount(account)) strangers.take(addressGroup(address));
  };

  http.put(RELAY_PATHS.sites, async (c) => {
    const { message: site } = authentication.open(siteMessage, await readMessage(c));
    admit(site.body.owner, c.get("address"));
    return view(c, siteViewJson.write(await books.sites.register(site)));
  });

  http.get(RELAY_PATHS.site, (c) => {
    const id = c.req.param("id");
    const found = isSiteId(id) ? books.sites.site(id) : undefined;
    if (found === undefined) throw new FailureError("not-found", "this relay knows no such site");
    return view(c, siteViewJson.write(found));
  });

  http.get(RELAY_PATHS.accountSites, (c) => {
    const owner = peerParam("peer", c.req.param("peer"));
    const from = uintParam("from", c.req.query("from") ?? "0");
    return view(c, siteContributionsJson.write(books.sites.owned(owner, from)));
  });

  http.post(RELAY_PATHS.assignments, async (c) => {
    const { message: assign } = authentication.open(assignMessage, await readMessage(c));
    admit(assign.body.account, c.get("address"));
    return message(c, encode(inclusionSchema, await books.sites.assign(assign)));
  });

  http.get(RELAY_PATHS.accountAssignment, (c) => {
    const found = books.sites.assignment(peerParam("peer", c.req.param("peer")));
    if (found === undefined) throw new FailureError("not-found", "this account has assigned nothing");
    return view(c, assignmentViewJson.write(found));
  });

  http.get(RELAY_PATHS.accountTransfers, (c) => {
    const peer = peerParam("peer", c.req.param("peer"));
    const before = optionalUintParam("before", c.req.query("before"));
    const most = uintParam("limit", c.req.query("limit") ?? DEFAULT_TRANSFERS, MAX_TRANSFERS_PER_PAGE);
    return view(c, transferViewsJson.write(books.sites.transfers(peer, before, most)));
  });
}
