import { DEPLOYMENT_STATES, LOG_KINDS } from "../../protocol/deployment-view.ts";
import { TRIGGER_KINDS } from "../../protocol/messages/deploy.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { cid, decimal, flag, type Json, listOf, object, peer, text, whole } from "./open-api-schemas.ts";
import { messageBody, type Operation, rawBody } from "./operation.ts";

const deployment: Json = object(
  {
    name: text,
    owner: peer,
    version: whole,
    deployment: cid,
    plan: cid,
    state: { enum: DEPLOYMENT_STATES },
    trying: whole,
    replicas: listOf(object({ provider: peer, since: whole, healthy: flag })),
    wanted: whole,
    triggers: listOf(
      object({ id: text, kind: { enum: TRIGGER_KINDS }, words: text, next: whole, waiting: whole }, ["next"]),
    ),
    open: flag,
    budget: decimal,
    perDay: decimal,
    today: decimal,
    created: whole,
    runs: whole,
    failed: whole,
  },
  ["trying"],
);

const line: Json = object(
  { seq: whole, time: whole, kind: { enum: LOG_KINDS }, words: text, run: cid, cost: decimal, prev: text },
  ["run", "cost"],
);

function answerOf(schema: Json): Json {
  return { "application/json": { schema } };
}

/** Plans that the relay keeps ready. What is deployed itself is called below /f/, by any method. */
export const DEPLOYMENT_OPERATIONS: readonly Operation[] = [
  {
    method: "put",
    path: RELAY_PATHS.deployments,
    summary: "Deploys a plan, or a new version of one, signed by its owner; safe to repeat",
    body: messageBody,
    answer: answerOf(deployment),
  },
  {
    method: "post",
    path: RELAY_PATHS.deploymentRequests,
    summary: "Shows an owner's deployments or what one has logged, or ends one, signed by the owner",
    body: messageBody,
    query: { from: whole, follow: whole },
    answer: answerOf({
      oneOf: [listOf(deployment), listOf(line)],
      description: "With follow=1 server-sent events `line`; for an end 204 and nothing",
    }),
  },
  {
    method: "post",
    path: RELAY_PATHS.hook,
    summary:
      "Fires a webhook of a deployment, signed as in Standard Webhooks; the same webhook-id fires once",
    body: rawBody,
    answer: answerOf(object({ event: text, fresh: flag })),
  },
];
