import type { Logger } from "pino";
import type { Cid } from "../../protocol/cid.ts";
import { type Alert, alertMessage } from "../../protocol/messages/alert.ts";
import { decode } from "../../protocol/schema.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { AlertRows, CallRow, PushKeys } from "./alert-rows.ts";
import { MAX_CALLS, RETRY_MS } from "./limits.ts";
import { type CallResult, type OutwardCall, placeCall, type PlaceCallOptions } from "./place-call.ts";
import { newPushKeys, pushCall } from "./push-call.ts";
import { webhookCall } from "./webhook-call.ts";

export interface OutboxParts {
  readonly rows: AlertRows;
  readonly calling: PlaceCallOptions;
  /** For operators of push services. */
  readonly contact: string;
  /** Calls to one host. */
  readonly hosts: RateLimit;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** From 0 to 1, so that calls that failed together are not repeated together. */
  readonly random: () => number;
  /** An alert is gone, as its target wants no more calls. */
  readonly onGone: (alert: Cid) => void;
}

/** The statuses by which a target says that it wants no more calls. */
const GONE: Readonly<Record<"webhook" | "push", readonly number[]>> = { webhook: [410], push: [404, 410] };
/** A host that is called too often is tried again after this. */
const HOST_PAUSE_MS = 5_000;
/** Waits are longer or shorter by up to this share. */
const SPREAD = 0.1;

/** What an alert message's body says, as it was kept. */
export function alertOf(body: Uint8Array): Alert {
  return decode(alertMessage.schema, body);
}

/** Makes the calls that wait, each until it is answered well or given up. What waits survives the relay's end. */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #busy = new Set<Cid>();
  #keys: Promise<PushKeys> | undefined;
  #underWay = 0;
  #isStopped = false;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** What comes of calls under way is not noted any more: they are made again. */
  stop(): void {
    this.#isStopped = true;
  }

  /** The relay's key for Web Push, base64url. */
  async pushKey(): Promise<string> {
    return (await this.#pushKeys()).public;
  }

  /** Makes the calls whose time has come, of each alert one at a time. Resolves when they are over. Never throws. */
  async turn(): Promise<void> {
    const { rows, nowMs } = this.#parts;
    const free = MAX_CALLS - this.#underWay;
    if (free <= 0) return;
    const chosen = new Map<Cid, CallRow>();
    for (const call of rows.due(nowMs(), 4 * MAX_CALLS))
      if (chosen.size < free && !this.#busy.has(call.alert) && !chosen.has(call.alert))
        chosen.set(call.alert, call);
    await Promise.all([...chosen.values()].map((call) => this.#deliver(call)));
  }

  /** Makes one call now, that is not repeated. @param id what the target tells calls apart by */
  async call(alert: Alert, id: string, body: string): Promise<CallResult> {
    const { calling, contact, nowMs } = this.#parts;
    const { webhook, push } = alert;
    try {
      const outward: OutwardCall | undefined =
        webhook === undefined
          ? push && (await pushCall(push, body, await this.#pushKeys(), contact))
          : webhookCall(webhook, id, body, nowMs());
      if (outward !== undefined) return await placeCall(outward, calling);
    } catch (error) {
      this.#parts.log.info({ error: String(error) }, "an alert cannot be sent");
    }
    return { words: "its subscription is not valid", elapsedMs: 0 };
  }

  async #deliver(call: CallRow): Promise<void> {
    const { rows, hosts, log, nowMs } = this.#parts;
    const row = rows.alert(call.alert);
    if (row === undefined) return;
    const alert = alertOf(row.body);
    const url = alert.webhook?.url ?? alert.push?.endpoint ?? "";
    if (!hosts.tryTake(URL.parse(url)?.hostname ?? "")) {
      rows.postpone(call, nowMs() + HOST_PAUSE_MS);
      return;
    }
    this.#busy.add(call.alert);
    this.#underWay += 1;
    try {
      const result = await this.call(alert, callId(call), call.body);
      this.#note(call, alert.webhook === undefined ? "push" : "webhook", result);
    } catch (error) {
      log.error({ err: error, alert: call.alert }, "what became of an alert cannot be kept");
    } finally {
      this.#busy.delete(call.alert);
      this.#underWay -= 1;
    }
  }

  #note(call: CallRow, kind: "webhook" | "push", { status, words }: CallResult): void {
    const { rows, log, nowMs, random, onGone } = this.#parts;
    if (this.#isStopped || rows.alert(call.alert) === undefined) return;
    if (status !== undefined && status >= 200 && status < 300) {
      rows.delivered(call, nowMs());
      return;
    }
    log.info({ alert: call.alert, event: call.event, attempts: call.attempts + 1, words }, "alert not taken");
    if (status !== undefined && GONE[kind].includes(status)) {
      rows.remove(call.alert, nowMs());
      onGone(call.alert);
      return;
    }
    const wait = RETRY_MS[call.attempts];
    const due =
      wait === undefined ? undefined : nowMs() + Math.round(wait * (1 + SPREAD * (2 * random() - 1)));
    rows.failed(call, words, nowMs(), due);
  }

  async #pushKeys(): Promise<PushKeys> {
    this.#keys ??= this.#loadKeys();
    return this.#keys;
  }

  async #loadKeys(): Promise<PushKeys> {
    const { rows } = this.#parts;
    const known = rows.pushKeys();
    if (known !== undefined) return known;
    rows.keepPushKeys(await newPushKeys());
    return rows.pushKeys() ?? newPushKeys();
  }
}

function callId({ alert, event }: CallRow): string {
  return `${event}.${alert.slice(-12)}`;
}
