import type { AlertTrial, AlertView } from "../../protocol/alert-view.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { CLOCK_SKEW_MS, MAX_ALERTS_PER_ACCOUNT } from "../../protocol/limits.ts";
import {
  type Alert,
  alertMessage,
  type AlertRequest,
  alertRequestMessage,
} from "../../protocol/messages/alert.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { encode } from "../../protocol/schema.ts";
import type { Authentication } from "../authenticate.ts";
import type { Books } from "../books.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { AlertRows } from "./alert-rows.ts";
import { callBody } from "./happening.ts";
import { MAX_ALERTS } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import { whyNotCallable } from "./place-call.ts";
import type { StandingAlert, StandingAlerts } from "./standing-alerts.ts";

export interface AlertDeskParts {
  readonly books: Pick<Books, "account" | "hasAccount" | "origin">;
  readonly authentication: Authentication;
  readonly rows: AlertRows;
  readonly alerts: StandingAlerts;
  readonly outbox: Outbox;
  readonly isOffering: (provider: PeerId) => boolean;
  /** Gives a new account its test credits, or does nothing. */
  readonly welcome: (account: PeerId) => Promise<void>;
  /** Messages of one identity. */
  readonly limit: RateLimit;
  /** Calls on request of one account. */
  readonly trials: RateLimit;
  readonly allowPrivate: boolean;
  readonly relayName: string;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly onRemoved: (alert: Cid) => void;
}

/** Alerts of accounts, made and looked at by messages that the account itself signs: nobody else learns of them. */
export class AlertDesk {
  readonly #parts: AlertDeskParts;
  /** When each account asked last, `issuedAt`. */
  readonly #asked = new Map<PeerId, number>();

  constructor(parts: AlertDeskParts) {
    this.#parts = parts;
  }

  /** The relay's key for Web Push, base64url. */
  async pushKey(): Promise<string> {
    return this.#parts.outbox.pushKey();
  }

  /**
   * The same alert again is the same alert; another one at the same target takes its place.
   * @throws FailureError `bad-signature` unless the account itself signed it, `expired`, `replayed` where it was removed, `malformed` for a
   * target that cannot be called, `denied` for an account that has no money and no provider here, `too-large` beyond the alerts there may be
   */
  async add(envelope: Uint8Array): Promise<AlertView> {
    const { authentication, alerts, rows, limit, nowMs, welcome } = this.#parts;
    const message = own(authentication.open(alertMessage, envelope));
    const { account, issuedAt } = message.body;
    limit.take(account);
    const known = alerts.find(account, message.id);
    if (known !== undefined) return this.#view(known);
    this.#requireNow(issuedAt);
    if (rows.wasRemoved(message.id)) throw new FailureError("replayed", "alert: it was removed");
    this.#requireCallable(message.body);
    await welcome(account);
    this.#requireRoom(message.body);
    const now = nowMs();
    rows.forgetRemoved(now - 3 * CLOCK_SKEW_MS);
    for (const before of this.#sameTarget(message.body)) this.#remove(before.id);
    const added = alerts.add(message.id, encode(alertMessage.schema, message.body), now);
    // What is so already is no news: the balance that is low now, and nobody who works.
    this.#see(added);
    return this.#view(added);
  }

  /** @throws FailureError as `add`, and `not-found` for an alert the account does not have */
  async ask(envelope: Uint8Array): Promise<readonly AlertView[] | AlertTrial | undefined> {
    const { authentication, alerts, limit } = this.#parts;
    const { body } = own(authentication.open(alertRequestMessage, envelope));
    const { account, does, alert: id, issuedAt } = body;
    limit.take(account);
    this.#requireNow(issuedAt);
    this.#requireNewer(body);
    if (id === undefined) return alerts.of(account).map((alert) => this.#view(alert));
    const alert = alerts.find(account, id);
    if (alert === undefined) throw new FailureError("not-found", `this account has no alert ${id}`);
    if (does === "test") return this.#try(alert);
    this.#remove(id);
    return undefined;
  }

  #remove(id: Cid): void {
    const { alerts, nowMs, onRemoved } = this.#parts;
    alerts.remove(id, nowMs());
    onRemoved(id);
  }

  /** Alerts of the account at the same place: a new one takes their place, or everything would be told twice. */
  #sameTarget({ account, webhook, push }: Alert): readonly StandingAlert[] {
    return this.#parts.alerts
      .of(account)
      .filter(({ terms }) =>
        push === undefined ? terms.webhook?.url === webhook?.url : terms.push?.endpoint === push.endpoint,
      );
  }

  async #try({ id, terms }: StandingAlert): Promise<AlertTrial> {
    const { trials, outbox, books, relayName, nowMs } = this.#parts;
    const { account } = terms;
    trials.take(account);
    const now = nowMs();
    const words = "This is a test. When something happens, you will be told like this.";
    const happening = { event: "test", account, name: `test.${now}`, words, facts: {} } as const;
    const body = callBody(happening, { name: relayName, origin: books.origin }, now);
    const { status, words: came, elapsedMs } = await outbox.call(terms, `test.${now}.${id.slice(-12)}`, body);
    return { ok: status !== undefined && status >= 200 && status < 300, words: came, elapsedMs };
  }

  #see(alert: StandingAlert): void {
    const { rows, books, isOffering } = this.#parts;
    const { account, below, events } = alert.terms;
    if (below !== undefined && books.account(account).available < below) {
      alert.isLow = true;
      rows.setLow(alert.id, true);
    }
    if (events.includes("provider-stopped") && isOffering(account)) {
      alert.works = true;
      rows.setWorks(alert.id, true);
    }
  }

  #requireNow(issuedAt: number): void {
    if (Math.abs(issuedAt - this.#parts.nowMs()) > CLOCK_SKEW_MS)
      throw new FailureError("expired", "the message is not of now: is this machine's clock right?");
  }

  /** Nobody who has seen a request can make it again. */
  #requireNewer({ account, issuedAt }: AlertRequest): void {
    if (issuedAt <= (this.#asked.get(account) ?? 0))
      throw new FailureError("replayed", "alert-request: a later one was answered already");
    this.#asked.delete(account);
    this.#asked.set(account, issuedAt);
    for (const [each, at] of this.#asked) {
      if (at + 2 * CLOCK_SKEW_MS >= this.#parts.nowMs()) break;
      this.#asked.delete(each);
    }
  }

  #requireCallable({ webhook, push, events }: Alert): void {
    const why = whyNotCallable(webhook?.url ?? push?.endpoint ?? "", this.#parts.allowPrivate);
    if (why !== undefined) throw new FailureError("malformed", `alert: ${why}`);
    if (events.length === 0) throw new FailureError("malformed", "alert: it is about nothing");
  }

  #requireRoom(alert: Alert): void {
    const { books, alerts, isOffering } = this.#parts;
    const { account } = alert;
    if (!books.hasAccount(account) && !isOffering(account))
      throw new FailureError("denied", "this key has neither money nor a provider here yet");
    const others = alerts.of(account).length - this.#sameTarget(alert).length;
    if (others >= MAX_ALERTS_PER_ACCOUNT)
      throw new FailureError("too-large", `an account has at most ${MAX_ALERTS_PER_ACCOUNT} alerts`);
    if (alerts.size >= MAX_ALERTS) throw new FailureError("too-large", "this relay keeps no more alerts");
  }

  #view({ id, terms }: StandingAlert): AlertView {
    const { rows } = this.#parts;
    const row = rows.alert(id);
    if (row === undefined) throw new FailureError("not-found", `there is no alert ${id} any more`);
    const { webhook, push, events, below } = terms;
    const target = webhook?.url ?? URL.parse(push?.endpoint ?? "")?.host ?? "";
    return {
      alert: id,
      kind: push === undefined ? "webhook" : "push",
      target,
      events,
      created: row.created,
      delivered: row.delivered,
      waiting: rows.waiting(id),
      ...(below === undefined ? {} : { below }),
      ...(row.deliveredAt === undefined ? {} : { lastDelivery: row.deliveredAt }),
      ...(row.failedAt === undefined
        ? {}
        : { lastFailure: { time: row.failedAt, words: row.failure ?? "" } }),
    };
  }
}

/** Signed by the account's root identity itself and nobody else. @throws FailureError `bad-signature` */
function own<T extends { readonly account: PeerId }>({
  message,
  by,
}: {
  readonly message: Verified<T>;
  readonly by: readonly { readonly root: PeerId; readonly session: PeerId }[];
}): Verified<T> {
  const [signer, ...more] = by;
  const { account } = message.body;
  if (signer?.session !== account || signer.root !== account || more.length > 0)
    throw new FailureError("bad-signature", "not signed by the account's identity itself");
  return message;
}
