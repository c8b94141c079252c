import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { listOf, whole } from "./open-api-schemas.ts";
import { messageBody, type Operation, view } from "./operation.ts";

export const PAYOUT_OPERATIONS: readonly Operation[] = [
  {
    method: "post",
    path: RELAY_PATHS.accountPayoutAddress,
    summary: "Says where an account wants its money, signed by the account itself",
    body: messageBody,
    answer: messageBody,
  },
  {
    method: "get",
    path: RELAY_PATHS.accountPayoutAddress,
    summary: "Where an account wants its money",
    answer: view("PayoutAddress"),
  },
  {
    method: "get",
    path: RELAY_PATHS.accountPayouts,
    summary: "Payouts of an account, newest first",
    query: { before: whole, limit: whole },
    answer: { "application/json": { schema: listOf({ $ref: "#/components/schemas/Payout" }) } },
  },
];
