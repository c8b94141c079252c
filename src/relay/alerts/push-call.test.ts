import { createDecipheriv, createECDH, createPublicKey, type ECDH, hkdfSync, verify } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bodyId } from "../../protocol/envelope.ts";
import { alertMessage } from "../../protocol/messages/alert.ts";
import { microCredits } from "../../protocol/units.ts";
import { signedJob } from "../books/books-scene.contract.ts";
import { openRelayScene, type RelayScene } from "../relay-scene.contract.ts";
import { pushKeyJson } from "../../protocol/alert-view.ts";
import {
  addAlert,
  type ArrivedCall,
  type HookServer,
  listAlerts,
  lowBalance,
  openHookServer,
  tryAlert,
  webhookAlert,
} from "./alert-scene.contract.ts";

/*
 * The push service here is a web server of this test, not one of a browser's maker: it takes what those take, and what it got is opened
 * with the browser's keys as RFC 8291 says.
 */

let relay: RelayScene;
let service: HookServer;
let browser: ECDH;
const auth = new Uint8Array(16).fill(9);
beforeEach(async () => {
  relay = await openRelayScene({ privateWebhooks: true });
  service = await openHookServer();
  browser = createECDH("prime256v1");
  browser.generateKeys();
});
afterEach(async () => {
  await relay.close();
  await service.close();
});

function derive(key: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Buffer {
  return Buffer.from(hkdfSync("sha256", key, salt, info, length));
}

/** RFC 8291 §3.4 and RFC 8188 §2, one record. */
function unsealed(body: Buffer): unknown {
  const salt = body.subarray(0, 16);
  const keyLength = body.readUInt8(20);
  const senderKey = body.subarray(21, 21 + keyLength);
  const sealed = body.subarray(21 + keyLength);
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), browser.getPublicKey(), senderKey]);
  const secret = derive(browser.computeSecret(senderKey), auth, info, 32);
  const key = derive(secret, salt, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
  const nonce = derive(secret, salt, Buffer.from("Content-Encoding: nonce\0"), 12);
  const decipher = createDecipheriv("aes-128-gcm", key, nonce);
  decipher.setAuthTag(sealed.subarray(-16));
  const plain = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
  return JSON.parse(plain.subarray(0, plain.lastIndexOf(2)).toString());
}

/** What the relay says of itself to the push service, if its signature is that of the key the relay shows (RFC 8292). */
function vouched({ headers }: ArrivedCall, publicKey: string): unknown {
  const [, token = "", key] = /^vapid t=(?<t>[^,]+), ?k=(?<k>.+)$/u.exec(headers.authorization ?? "") ?? [];
  if (key !== publicKey) return undefined;
  const [head = "", claims = "", signature = ""] = token.split(".");
  const point = Buffer.from(publicKey, "base64url");
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
  };
  const by = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" } as const;
  const holds = verify("sha256", Buffer.from(`${head}.${claims}`), by, Buffer.from(signature, "base64url"));
  return holds ? JSON.parse(Buffer.from(claims, "base64url").toString()) : undefined;
}

async function subscribed(): Promise<ReturnType<typeof bodyId>> {
  const { requester } = relay.scene;
  const { webhook: _none, ...alert } = webhookAlert(relay, requester, service.url, lowBalance(500_000));
  const push = { endpoint: service.url, p256dh: new Uint8Array(browser.getPublicKey()), auth };
  await addAlert(relay, { ...alert, push }, [requester]);
  return bodyId(alertMessage, { ...alert, push });
}

test("a push is sealed for the browser alone and signed by the key that the relay shows", async () => {
  const { requester, books } = relay.scene;
  await subscribed();
  await books.openJob(await signedJob(relay.scene, { cap: microCredits(900_000) }));
  await relay.alerts.deliver();
  const [call] = service.calls;
  expect(call?.headers).toMatchObject({ "content-encoding": "aes128gcm", ttl: "86400" });
  expect(unsealed(call!.body)).toMatchObject({
    type: "low-balance",
    data: { account: requester.key, words: expect.stringContaining("0.100000 credits") },
  });
  const shown = await (await relay.http.request("/v1/alerts/push-key")).json();
  expect(vouched(call!, pushKeyJson.read(shown).key)).toMatchObject({
    aud: new URL(service.url).origin,
    sub: "mailto:operator@example.org",
  });
});

test("a subscription that has ended ends the alert", async () => {
  const { requester } = relay.scene;
  const id = await subscribed();
  expect(await listAlerts(relay, requester)).toEqual([
    expect.objectContaining({ alert: id, kind: "push", target: new URL(service.url).host }),
  ]);
  expect(await tryAlert(relay, requester, id)).toMatchObject({ ok: true });
  await relay.scene.books.openJob(await signedJob(relay.scene, { cap: microCredits(900_000) }));
  service.answer = 404;
  await relay.alerts.deliver();
  expect(await listAlerts(relay, requester)).toEqual([]);
});

test("a subscription whose key is none is refused by its trial, not by the relay's end", async () => {
  const { requester } = relay.scene;
  const { webhook: _none, ...alert } = webhookAlert(relay, requester, service.url, lowBalance(5));
  const push = { endpoint: service.url, p256dh: new Uint8Array(65), auth };
  await addAlert(relay, { ...alert, push }, [requester]);
  expect(await tryAlert(relay, requester, bodyId(alertMessage, { ...alert, push }))).toMatchObject({
    ok: false,
    words: "its subscription is not valid",
  });
});
