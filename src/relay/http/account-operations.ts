import { EARNINGS_SPANS, EARNINGS_SPLITS, PAY_STATES } from "../../protocol/earnings-json.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { cid, listOf, peer, text, whole } from "./open-api-schemas.ts";
import { type Operation, view } from "./operation.ts";

export const ACCOUNT_OPERATIONS: readonly Operation[] = [
  {
    method: "get",
    path: RELAY_PATHS.account,
    summary: "Balances of an identity",
    answer: view("AccountView"),
  },
  {
    method: "get",
    path: RELAY_PATHS.accountReceipts,
    summary: "Newest receipt of each lease, newest first",
    query: { before: whole, limit: whole },
    answer: { "application/json": { schema: listOf({ $ref: "#/components/schemas/ReceiptView" }) } },
  },
  {
    method: "get",
    path: RELAY_PATHS.accountEarnings,
    summary: "Earnings over time",
    query: { bucket: { enum: EARNINGS_SPANS }, from: whole },
    required: ["bucket"],
    answer: { "application/json": { schema: listOf({ $ref: "#/components/schemas/EarningsPoint" }) } },
  },
  {
    method: "get",
    path: RELAY_PATHS.accountShares,
    summary: "Earnings over time by function or site, the largest first",
    query: { by: { enum: EARNINGS_SPLITS }, bucket: { enum: EARNINGS_SPANS }, from: whole },
    required: ["by", "bucket"],
    answer: { "application/json": { schema: listOf({ $ref: "#/components/schemas/EarningsShare" }) } },
  },
  {
    method: "get",
    path: RELAY_PATHS.accountHistory,
    summary: "Receipts looked through page by page, newest first",
    query: {
      before: whole,
      skip: whole,
      limit: whole,
      work: cid,
      requester: peer,
      state: { enum: PAY_STATES },
      from: whole,
      to: whole,
      text,
    },
    answer: view("HistoryPage"),
  },
  {
    method: "get",
    path: RELAY_PATHS.accountEvents,
    summary: "Server-sent events `account`, `receipt` and `lapse`; resumed by Last-Event-ID",
    answer: { "text/event-stream": { schema: text } },
  },
];
