import type { Cid } from "./cid.ts";
import {
  jsonAmount,
  jsonBool,
  jsonCid,
  jsonList,
  jsonOneOf,
  jsonRecord,
  type JsonShape,
  jsonText,
  jsonUint,
  optionalJson,
} from "./json-shape.ts";
import { MAX_ALERT_URL_BYTES, MAX_ALERTS_PER_ACCOUNT } from "./limits.ts";
import { ALERT_EVENTS, type AlertEvent } from "./messages/alert.ts";
import type { MicroCredits } from "./units.ts";

/** One alert of an account, as the relay shows it to that account alone. The secret is not shown again. */
export interface AlertView {
  /** CID of the alert. */
  readonly alert: Cid;
  readonly kind: "webhook" | "push";
  /** A webhook's address; of a push service its host alone. */
  readonly target: string;
  readonly events: readonly AlertEvent[];
  readonly below?: MicroCredits;
  /** Milliseconds since 1970, by the relay's clock, as all times here. */
  readonly created: number;
  /** Calls that were answered well, since the alert was made. */
  readonly delivered: number;
  /** Calls that wait to be made, or made again. */
  readonly waiting: number;
  readonly lastDelivery?: number;
  /** The last call that failed, unless one went well since: when, and why in words. */
  readonly lastFailure?: { readonly time: number; readonly words: string };
}

/** How one call went that was made on request. */
export interface AlertTrial {
  readonly ok: boolean;
  /** What came back, or why nothing did. */
  readonly words: string;
  /** From dialling to the answer's headers, milliseconds. */
  readonly elapsedMs: number;
}

/** The relay's public key for Web Push (RFC 8292): base64url of a point on P-256. */
export interface PushKey {
  readonly key: string;
}

export const alertViewJson: JsonShape<AlertView> = jsonRecord<AlertView>({
  alert: jsonCid,
  kind: jsonOneOf(["webhook", "push"]),
  target: jsonText(MAX_ALERT_URL_BYTES),
  events: jsonList(jsonOneOf(ALERT_EVENTS), ALERT_EVENTS.length),
  below: optionalJson(jsonAmount),
  created: jsonUint(),
  delivered: jsonUint(),
  waiting: jsonUint(),
  lastDelivery: optionalJson(jsonUint()),
  lastFailure: optionalJson(
    jsonRecord<NonNullable<AlertView["lastFailure"]>>({ time: jsonUint(), words: jsonText(256) }),
  ),
});

export const alertViewsJson: JsonShape<readonly AlertView[]> = jsonList(
  alertViewJson,
  MAX_ALERTS_PER_ACCOUNT,
);

export const alertTrialJson: JsonShape<AlertTrial> = jsonRecord<AlertTrial>({
  ok: jsonBool,
  words: jsonText(256),
  elapsedMs: jsonUint(),
});

export const pushKeyJson: JsonShape<PushKey> = jsonRecord<PushKey>({ key: jsonText(128) });
