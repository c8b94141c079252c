import type { PushTarget } from "../../protocol/messages/alert.ts";
import type { PushKeys } from "./alert-rows.ts";
import { PUSH_TTL_S } from "./limits.ts";
import type { OutwardCall } from "./place-call.ts";

/** Loaded when somebody wants to be told through Web Push: it brings much along. */
async function library(): Promise<typeof import("web-push")> {
  return (await import("web-push")).default;
}

export async function newPushKeys(): Promise<PushKeys> {
  const { generateVAPIDKeys } = await library();
  const { publicKey, privateKey } = generateVAPIDKeys();
  return { public: publicKey, private: privateKey };
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

/**
 * A message to a browser through its push service, sealed so that only the browser can read it (RFC 8291), with the relay's own signature
 * for the service (RFC 8292).
 * @param contact where the service's operator reaches the relay's: a mailto: or https: URL
 * @throws Error for a subscription that is none
 */
export async function pushCall(
  target: PushTarget,
  body: string,
  keys: PushKeys,
  contact: string,
): Promise<OutwardCall> {
  const { generateRequestDetails } = await library();
  const subscription = {
    endpoint: target.endpoint,
    keys: { p256dh: base64url(target.p256dh), auth: base64url(target.auth) },
  };
  const details = generateRequestDetails(subscription, body, {
    vapidDetails: { subject: contact, publicKey: keys.public, privateKey: keys.private },
    TTL: PUSH_TTL_S,
    contentEncoding: "aes128gcm",
    urgency: "normal",
  });
  const headers = Object.entries(details.headers)
    .filter(([name]) => name.toLowerCase() !== "content-length")
    .map(([name, value]: [string, unknown]) => [name, String(value)] as const);
  return {
    url: details.endpoint,
    headers: Object.fromEntries(headers),
    body: details.body ?? new Uint8Array(),
  };
}
