import {
  EARNINGS_SPANS,
  EARNINGS_SPLITS,
  earningsSharesJson,
  historyPageJson,
  MAX_HISTORY_PAGE,
  MAX_SEARCH_LENGTH,
  PAY_STATES,
  type ReceiptFilter,
} from "../../protocol/earnings-json.ts";
import { FailureError } from "../../protocol/failure.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import {
  accountViewJson,
  earningsPointsJson,
  MAX_EARNINGS_POINTS,
  MAX_RECEIPTS_PER_PAGE,
  receiptViewsJson,
} from "../../protocol/relay-json.ts";
import { MAX_SKIPPED_RECEIPTS } from "../limits.ts";
import type { HttpParts } from "./http-parts.ts";
import type { RelayHttp } from "./http-env.ts";
import { view } from "./message-routes.ts";
import { cidParam, oneOfParam, optionalUintParam, peerParam, textParam, uintParam } from "./read-params.ts";

const DEFAULT_RECEIPTS = "50";

const DAY_MS = 86_400_000;
/** Shares are told for so many days at most, so that an answer stays small: ten days of hours, half a year of days, ten years of months. */
const SHARED_MS = { hour: 10 * DAY_MS, day: 183 * DAY_MS, month: 3_660 * DAY_MS } as const;

type Query = (name: string) => string | undefined;

function given<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text);
}

function filterOf(query: Query): ReceiptFilter {
  const wanted = {
    work: given(query("work"), (text) => cidParam("work", text)),
    requester: given(query("requester"), (text) => peerParam("requester", text)),
    state: given(query("state"), (text) => oneOfParam("state", text, PAY_STATES)),
    from: optionalUintParam("from", query("from")),
    to: optionalUintParam("to", query("to")),
    text: given(query("text"), (text) => textParam("text", text, MAX_SEARCH_LENGTH)),
  };
  const { work, requester, state, from, to, text } = wanted;
  return {
    ...(work === undefined ? {} : { work }),
    ...(requester === undefined ? {} : { requester }),
    ...(state === undefined ? {} : { state }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(text === undefined ? {} : { text }),
  };
}

/** What an identity has and has earned. Accounts are public, as the log is; an unknown one is empty. */
export function addAccountRoutes(http: RelayHttp, { books, nowMs }: HttpParts): void {
  http.get(RELAY_PATHS.account, (c) =>
    view(c, accountViewJson.write(books.account(peerParam("peer", c.req.param("peer"))))),
  );

  http.get(RELAY_PATHS.accountReceipts, (c) => {
    const peer = peerParam("peer", c.req.param("peer"));
    const before = optionalUintParam("before", c.req.query("before"));
    const limit = uintParam("limit", c.req.query("limit") ?? DEFAULT_RECEIPTS, MAX_RECEIPTS_PER_PAGE);
    return view(c, receiptViewsJson.write(books.receipts(peer, before, limit)));
  });

  http.get(RELAY_PATHS.accountHistory, (c) => {
    const peer = peerParam("peer", c.req.param("peer"));
    const filter = filterOf((name) => c.req.query(name));
    const before = optionalUintParam("before", c.req.query("before"));
    const skip = uintParam("skip", c.req.query("skip") ?? "0", MAX_SKIPPED_RECEIPTS);
    if (skip > 0 && Object.keys(filter).length > 0)
      throw new FailureError("malformed", "skip goes without a filter: continue below an entry instead");
    const limit = uintParam("limit", c.req.query("limit") ?? DEFAULT_RECEIPTS, MAX_HISTORY_PAGE);
    const page = { ...filter, skip, limit, ...(before === undefined ? {} : { before }) };
    return view(c, historyPageJson.write(books.history.page(peer, page)));
  });

  http.get(RELAY_PATHS.accountEarnings, (c) => {
    const peer = peerParam("peer", c.req.param("peer"));
    const span = oneOfParam("bucket", c.req.query("bucket"), EARNINGS_SPANS);
    const from = uintParam("from", c.req.query("from") ?? "0");
    const points = books.history.earnings(peer, span, from);
    return view(c, earningsPointsJson.write(points.slice(-MAX_EARNINGS_POINTS)));
  });

  http.get(RELAY_PATHS.accountShares, (c) => {
    const peer = peerParam("peer", c.req.param("peer"));
    const span = oneOfParam("bucket", c.req.query("bucket"), EARNINGS_SPANS);
    const split = oneOfParam("by", c.req.query("by"), EARNINGS_SPLITS);
    const from = uintParam("from", c.req.query("from") ?? "0");
    const earliest = Math.max(from, nowMs() - SHARED_MS[span], 0);
    return view(c, earningsSharesJson.write(books.history.shares(peer, split, span, earliest)));
  });
}
