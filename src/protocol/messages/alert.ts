import { type Cid, isCid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import { ALERT_SECRET_BYTES, MAX_ALERT_URL_BYTES } from "../limits.ts";
import type { PeerId } from "../peer-id.ts";
import {
  amount,
  cid,
  exactBytes,
  list,
  oneOf,
  optional,
  peer,
  record,
  type Schema,
  text,
  uint,
  where,
} from "../schema.ts";
import type { MicroCredits } from "../units.ts";

/**
 * What a relay tells an account of by itself. `low-balance`: what is available falls below the amount named in the alert;
 * `audit-failed`: a result was proven wrong, or missing when it was drawn; `payout`: money was paid out, or will not be;
 * `provider-stopped`: nobody works for the account any more who did.
 */
export const ALERT_EVENTS = ["low-balance", "audit-failed", "payout", "provider-stopped"] as const;
export type AlertEvent = (typeof ALERT_EVENTS)[number];

/** A web address that is called, with the key by which it knows the relay's calls. */
export interface WebhookTarget {
  /** As in "https://example.org/hooks/tabmesh". */
  readonly url: string;
  /** Key of the calls' signatures: HMAC-SHA-256 (https://www.standardwebhooks.com). */
  readonly secret: Uint8Array;
}

/** A browser's subscription to Web Push (RFC 8030), as the browser gives it out. */
export interface PushTarget {
  readonly endpoint: string;
  /** The browser's public key on P-256, uncompressed (RFC 8291). */
  readonly p256dh: Uint8Array;
  readonly auth: Uint8Array;
}

/**
 * An account asks to be told of events, at exactly one target. Signed by the account's root identity itself. The relay keeps
 * it to itself: nothing of it is logged. Its CID is the alert's name.
 */
export interface Alert extends Header {
  readonly account: PeerId;
  readonly webhook?: WebhookTarget;
  readonly push?: PushTarget;
  readonly events: readonly AlertEvent[];
  /** For `low-balance`: told once when what is available falls below this, and again after it has been above. */
  readonly below?: MicroCredits;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
}

const P256_POINT_BYTES = 65;
const PUSH_AUTH_BYTES = 16;

const url: Schema<string> = text(MAX_ALERT_URL_BYTES);

const fields: Schema<Alert> = record<Alert>({
  ...headerFields,
  account: peer,
  webhook: optional(record<WebhookTarget>({ url, secret: exactBytes(ALERT_SECRET_BYTES) })),
  push: optional(
    record<PushTarget>({
      endpoint: url,
      p256dh: exactBytes(P256_POINT_BYTES),
      auth: exactBytes(PUSH_AUTH_BYTES),
    }),
  ),
  events: list(oneOf(ALERT_EVENTS), ALERT_EVENTS.length),
  below: optional(amount),
  issuedAt: uint(),
});

function hasOneTarget({ webhook, push }: Alert): boolean {
  return (webhook === undefined) !== (push === undefined);
}

function hasThreshold({ events, below }: Alert): boolean {
  return events.includes("low-balance") === (below !== undefined);
}

export const alertMessage: MessageType<Alert> = {
  name: "alert",
  schema: where(
    where(fields, hasOneTarget, "needs either a webhook or a push subscription"),
    hasThreshold,
    "names an amount exactly where it is about a low balance",
  ),
};

/** What an account may ask about its alerts. */
export const ALERT_REQUESTS = ["list", "test", "remove"] as const;

/** An account asks about its alerts: to see them, to have one tried out, to have one taken away. Signed by its root identity itself. */
export interface AlertRequest extends Header {
  readonly account: PeerId;
  readonly does: (typeof ALERT_REQUESTS)[number];
  /** CID of the alert; absent exactly for `list`. */
  readonly alert?: Cid;
  /** Milliseconds since 1970; of two requests in a row the second is later. */
  readonly issuedAt: number;
}

export const alertRequestMessage: MessageType<AlertRequest> = {
  name: "alert-request",
  schema: where(
    record<AlertRequest>({
      ...headerFields,
      account: peer,
      does: oneOf(ALERT_REQUESTS),
      alert: optional(cid),
      issuedAt: uint(),
    }),
    ({ does, alert }) => (does === "list") !== isCid(alert),
    "names an alert exactly where it is about one",
  ),
};
