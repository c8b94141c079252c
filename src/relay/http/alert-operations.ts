import { LATENCIES, LINK_KINDS } from "../../protocol/network-view.ts";
import { ALERT_EVENTS } from "../../protocol/messages/alert.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { cid, decimal, flag, type Json, listOf, object, text, whole } from "./open-api-schemas.ts";
import { messageBody, type Operation } from "./operation.ts";

function answerOf(schema: Json): Json {
  return { "application/json": { schema } };
}

const alert: Json = object(
  {
    alert: cid,
    kind: { enum: ["webhook", "push"] },
    target: text,
    events: listOf({ enum: ALERT_EVENTS }),
    below: decimal,
    created: whole,
    delivered: whole,
    waiting: whole,
    lastDelivery: whole,
    lastFailure: object({ time: whole, words: text }),
  },
  ["below", "lastDelivery", "lastFailure"],
);

const span: Json = object({ start: whole, tasks: whole, fuel: decimal, paid: decimal });

const network: Json = object({
  at: whole,
  since: whole,
  verifiedMs: whole,
  providers: object(
    {
      connected: whole,
      verified: whole,
      byReceipt: whole,
      byChallenge: whole,
      oldestProof: whole,
      threads: whole,
      freeThreads: whole,
      memoryBytes: decimal,
      fuelPerSecond: decimal,
      fuelMeasured: whole,
      modelPerSecond: decimal,
      modelMeasured: whole,
    },
    ["oldestProof"],
  ),
  throughput: object({
    spanMs: whole,
    tasks: whole,
    fuel: decimal,
    receipts: whole,
    minutes: listOf(span),
  }),
  prices: object({ listed: decimal, hours: listOf(span) }),
  latency: listOf(
    object({
      what: { enum: LATENCIES },
      samples: whole,
      p50: { ...whole, description: "microseconds" },
      p90: whole,
      p99: whole,
    }),
  ),
  mesh: object({
    peers: listOf(object({ name: text, does: { enum: ["relays", "computes", "asks"] }, verified: flag })),
    links: listOf(object({ from: whole, to: whole, over: { enum: LINK_KINDS } })),
    left: whole,
  }),
});

/** What the relay tells by itself, and what it tells of its network. */
export const ALERT_OPERATIONS: readonly Operation[] = [
  {
    method: "get",
    path: RELAY_PATHS.network,
    summary: "Who works here, as the relay measured it in the last ten minutes, and what work cost",
    answer: answerOf(network),
  },
  {
    method: "post",
    path: RELAY_PATHS.alerts,
    summary: "Has the relay tell an account of events, signed by the account itself; safe to repeat",
    body: messageBody,
    answer: answerOf(alert),
  },
  {
    method: "post",
    path: RELAY_PATHS.alertRequests,
    summary: "Shows an account's alerts, tries one out or removes it, signed by the account itself",
    body: messageBody,
    answer: answerOf({
      oneOf: [listOf(alert), object({ ok: flag, words: text, elapsedMs: whole })],
      description: "For a removal 204 and nothing",
    }),
  },
  {
    method: "get",
    path: RELAY_PATHS.pushKey,
    summary: "The relay's key for subscriptions to Web Push, base64url",
    answer: answerOf(object({ key: text })),
  },
];
