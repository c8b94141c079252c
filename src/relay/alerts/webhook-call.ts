import { createHmac } from "node:crypto";
import type { WebhookTarget } from "../../protocol/messages/alert.ts";
import type { OutwardCall } from "./place-call.ts";

/**
 * A call as in Standard Webhooks: `webhook-signature` is `v1,` and the base64 of HMAC-SHA-256, under the webhook's secret, of
 * `id.timestamp.body`. A call that is repeated has the same id and a new timestamp.
 * @param body JSON @param nowMs milliseconds since 1970
 */
export function webhookCall(
  { url, secret }: WebhookTarget,
  id: string,
  body: string,
  nowMs: number,
): OutwardCall {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const mac = createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`).digest("base64");
  return {
    url,
    headers: {
      "content-type": "application/json",
      "user-agent": "tabmesh-relay",
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${mac}`,
    },
    body: Buffer.from(body),
  };
}
