import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { listOf, whole } from "./open-api-schemas.ts";
import { messageBody, type Operation, view } from "./operation.ts";

export const SITE_OPERATIONS: readonly Operation[] = [
  {
    method: "put",
    path: RELAY_PATHS.sites,
    summary: "Registers a site that embeds the widget, or changes it, signed by its owner",
    body: messageBody,
    answer: view("Site"),
  },
  {
    method: "get",
    path: RELAY_PATHS.site,
    summary: "A site, with its owner's message",
    answer: view("Site"),
  },
  {
    method: "get",
    path: RELAY_PATHS.accountSites,
    summary: "Sites of an owner, each with what visitors contributed by day",
    query: { from: whole },
    answer: { "application/json": { schema: listOf({ $ref: "#/components/schemas/SiteContributions" }) } },
  },
  {
    method: "post",
    path: RELAY_PATHS.assignments,
    summary: "Says who gets a part of an account's earnings, signed by the account itself; safe to repeat",
    body: messageBody,
    answer: messageBody,
  },
  {
    method: "get",
    path: RELAY_PATHS.accountAssignment,
    summary: "Who gets a part of an account's earnings",
    answer: view("Assignment"),
  },
  {
    method: "get",
    path: RELAY_PATHS.accountTransfers,
    summary: "Money that went to an account or from it as somebody assigned it, newest first",
    query: { before: whole, limit: whole },
    answer: { "application/json": { schema: listOf({ $ref: "#/components/schemas/Transfer" }) } },
  },
];
