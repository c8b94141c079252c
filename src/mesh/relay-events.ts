import { FailureError } from "../protocol/failure.ts";
import { failureCode } from "../protocol/failure-code.ts";
import type { AccountView, ReceiptView } from "../protocol/relay-api.ts";
import { accountViewJson, receiptViewJson } from "../protocol/relay-json.ts";
import {
  anySignal,
  ask,
  type Exchange,
  type ExchangeOptions,
  inPlainWords,
  Patience,
} from "./relay-exchange.ts";

/** One change of an account. `id` is the index of the log entry it follows from, to resume by. */
export type AccountEvent =
  | { readonly id: number; readonly kind: "account"; readonly data: AccountView }
  | { readonly id: number; readonly kind: "receipt"; readonly data: ReceiptView }
  /** More happened than is told one by one: lists have to be fetched anew. */
  | { readonly id: number; readonly kind: "lapse" };

/** The relay sends a comment every 15 s; after three missed ones the connection is taken for dead. */
const SILENCE_MS = 50_000;
/** Waits between attempts double from the first to the last, less up to a half at random, so that tabs spread out. */
const FIRST_WAIT_MS = 500;
const LAST_WAIT_MS = 30_000;
/** An event of an account is a view of under 1 KiB; the view of a run with 512 jobs takes 190 KiB. */
const MAX_EVENT_LENGTH: number = 256 * 1024;

/** Refusals that a later attempt may not meet. */
const PASSING: ReadonlySet<number> = new Set(
  (["disconnected", "timed-out", "rate-limited", "relay-fault"] as const).map(failureCode),
);

export interface EventsOptions extends ExchangeOptions {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly lastId?: number | undefined;
  /** What each connection asks with, where it is more than a GET. */
  readonly request?: () => Promise<Pick<Exchange, "method" | "body" | "contentType">>;
  readonly signal: AbortSignal;
  /** Told whenever a connection is gone, or could not be made, and another one is tried after a pause. */
  readonly onLost?: (() => void) | undefined;
}

/**
 * Events as they come, through lost connections, without gaps. Ends when the signal is aborted.
 * @throws FailureError when the relay refuses for good.
 */
export function accountEvents(options: EventsOptions): AsyncGenerator<AccountEvent> {
  return relayEvents(options, accountEvent);
}

/** A server-sent event as it came. */
export interface SentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/**
 * Events of any kind, likewise.
 * @param read what an event says; `undefined` for one that is passed over.
 */
export async function* relayEvents<T extends { readonly id: number }>(
  options: EventsOptions,
  read: (sent: SentEvent) => T | undefined,
): AsyncGenerator<T> {
  let { lastId } = options;
  let attempts = 0;
  while (!options.signal.aborted) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one connection after the other
      for await (const sent of oneConnection(options, lastId)) {
        const event = read(sent);
        if (event === undefined) continue;
        attempts = 0;
        lastId = event.id;
        yield event;
      }
    } catch (error) {
      if (options.signal.aborted) return;
      if (!(error instanceof FailureError) || !PASSING.has(error.code)) throw error;
    }
    attempts += 1;
    options.onLost?.();
    // oxlint-disable-next-line no-await-in-loop -- the wait between two attempts
    await pause(Math.min(FIRST_WAIT_MS * 2 ** (attempts - 1), LAST_WAIT_MS), options.signal);
  }
}

async function pause(longestMs: number, signal: AbortSignal): Promise<void> {
  const delayMs = longestMs * (1 - Math.random() / 2);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, delayMs);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    if (signal.aborted) done();
  });
}

async function* oneConnection(options: EventsOptions, lastId: number | undefined): AsyncGenerator<SentEvent> {
  const patience = new Patience(SILENCE_MS, options.timeoutMs);
  const leaving = new AbortController();
  const signal = anySignal(AbortSignal.any([patience.signal, leaving.signal]), options.signal);
  const headers = {
    ...options.headers,
    ...(lastId === undefined ? {} : { "last-event-id": String(lastId) }),
  };
  try {
    const request = (await options.request?.()) ?? {};
    const response = await ask(options, { path: options.path, maxBytes: 0, headers, ...request }, signal);
    const parser = new EventLines();
    const reader = response.body?.pipeThrough(new TextDecoderStream(), { signal }).getReader();
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one part after the other
      const part = await reader?.read();
      if (part?.value === undefined) return;
      patience.heard();
      yield* parser.push(part.value);
    }
  } catch (error) {
    throw inPlainWords(error, options.signal, patience.signal, SILENCE_MS);
  } finally {
    patience.end();
    leaving.abort();
  }
}

/** Reads server-sent events (WHATWG HTML §9.2). */
class EventLines {
  #rest = "";
  #id = "";
  #kind = "";
  #data = "";

  /** @throws FailureError `too-large` */
  *push(text: string): Generator<SentEvent> {
    this.#rest += text;
    for (;;) {
      const end = /\r\n|\n|\r(?=.)/su.exec(this.#rest);
      if (end === null) break;
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      const event = line === "" ? this.#dispatch() : this.#field(line);
      if (event !== undefined) yield event;
    }
    if (this.#rest.length + this.#data.length > MAX_EVENT_LENGTH)
      throw new FailureError("too-large", `an event is longer than ${MAX_EVENT_LENGTH} characters`);
  }

  #field(line: string): undefined {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /u, "");
    if (name === "id") this.#id = value;
    else if (name === "event") this.#kind = value;
    else if (name === "data") this.#data += `${value}\n`;
  }

  #dispatch(): SentEvent | undefined {
    const sent = { id: this.#id, event: this.#kind, data: this.#data.trimEnd() };
    this.#kind = "";
    this.#data = "";
    return sent.data === "" ? undefined : sent;
  }
}

/** Reads events of an account; others are passed over. */
export class EventParser {
  readonly #lines = new EventLines();

  /** @throws FailureError `too-large`, or `malformed` when an event's data is no view. */
  *push(text: string): Generator<AccountEvent> {
    for (const sent of this.#lines.push(text)) {
      const event = accountEvent(sent);
      if (event !== undefined) yield event;
    }
  }
}

/** @throws FailureError `malformed` */
export function eventId({ id }: SentEvent): number {
  const number = Number(id);
  if (id === "" || !Number.isSafeInteger(number) || number < 0)
    throw new FailureError("malformed", "an event has no id");
  return number;
}

function accountEvent(sent: SentEvent): AccountEvent | undefined {
  const { event: kind, data } = sent;
  if (kind !== "account" && kind !== "receipt" && kind !== "lapse") return undefined;
  const id = eventId(sent);
  if (kind === "lapse") return { id, kind };
  const json: unknown = parseJson(data);
  return kind === "account"
    ? { id, kind, data: accountViewJson.read(json, kind) }
    : { id, kind, data: receiptViewJson.read(json, kind) };
}

/** @throws FailureError `malformed` */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FailureError("malformed", "the relay's answer is not JSON", { cause: error });
  }
}
