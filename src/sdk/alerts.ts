import type { AlertTrial, AlertView } from "../protocol/alert-view.ts";
import type { Cid } from "../protocol/cid.ts";
import { seal } from "../protocol/envelope.ts";
import { header } from "../protocol/header.ts";
import { ALERT_SECRET_BYTES } from "../protocol/limits.ts";
import {
  type Alert,
  type AlertEvent,
  alertMessage,
  type AlertRequest,
  alertRequestMessage,
  type PushTarget,
} from "../protocol/messages/alert.ts";
import { microCredits } from "../protocol/units.ts";
import { type AccountDesk, type AccountOwner, openDesk } from "./account-desk.ts";

/** What an account wants to be told of by the relay itself, while no program of its own runs. The relay shows it to nobody else. */

export interface AlertTerms {
  readonly events: readonly AlertEvent[];
  /** Micro-credits; for `low-balance`, and only there. */
  readonly below?: bigint;
}

export interface MadeWebhook {
  readonly alert: AlertView;
  /** By which the webhook knows the relay's calls, 32 bytes: the relay does not show it again. */
  readonly secret: Uint8Array;
}

/**
 * Has a web address called. Calls are signed as in Standard Webhooks, under a secret that is made here.
 * @throws FailureError `malformed` for an address that the relay does not call; the relay's own; when the relay cannot be reached or
 * contradicts its pinned keys
 */
export async function addWebhook(owner: AccountOwner, url: string, terms: AlertTerms): Promise<MadeWebhook> {
  const secret = crypto.getRandomValues(new Uint8Array(ALERT_SECRET_BYTES));
  return { alert: await add(owner, { webhook: { url, secret } }, terms), secret };
}

/** Has a browser told through its push service. @param target the browser's subscription, made with the relay's `pushKey` */
export async function addPush(
  owner: AccountOwner,
  target: PushTarget,
  terms: AlertTerms,
): Promise<AlertView> {
  return add(owner, { push: target }, terms);
}

/** The relay's key for subscriptions to Web Push, base64url. */
export async function pushKey(owner: AccountOwner): Promise<string> {
  const { client } = await openDesk(owner);
  return (await client.pushKey()).key;
}

/** Oldest first. */
export async function listAlerts(owner: AccountOwner): Promise<readonly AlertView[]> {
  const desk = await openDesk(owner);
  return desk.client.alerts(await request(desk, { does: "list" }));
}

/** Has an alert's target called now. What comes of it is a value, also where nobody answers. */
export async function testAlert(owner: AccountOwner, alert: Cid): Promise<AlertTrial> {
  const desk = await openDesk(owner);
  return desk.client.testAlert(await request(desk, { does: "test", alert }));
}

/** Ends an alert, with what it had still to tell. @throws FailureError `not-found` */
export async function removeAlert(owner: AccountOwner, alert: Cid): Promise<void> {
  const desk = await openDesk(owner);
  await desk.client.removeAlert(await request(desk, { does: "remove", alert }));
}

async function add(
  owner: AccountOwner,
  target: Pick<Alert, "webhook" | "push">,
  { events, below }: AlertTerms,
): Promise<AlertView> {
  const { client, info, signer } = await openDesk(owner);
  const body: Alert = {
    ...header(info.origin, info.asset),
    account: signer.key,
    ...target,
    events,
    ...(below === undefined ? {} : { below: microCredits(below) }),
    issuedAt: Date.now(),
  };
  return client.addAlert(await seal(alertMessage, body, [signer]));
}

/** Of two requests in a row the second is later. */
let newest = 0;

async function request(
  { info, signer }: AccountDesk,
  asked: Pick<AlertRequest, "does" | "alert">,
): Promise<Uint8Array<ArrayBuffer>> {
  newest = Math.max(newest + 1, Date.now());
  const body: AlertRequest = {
    ...header(info.origin, info.asset),
    account: signer.key,
    ...asked,
    issuedAt: newest,
  };
  return seal(alertRequestMessage, body, [signer]);
}
