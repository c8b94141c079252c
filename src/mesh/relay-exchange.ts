import { FailureError } from "../protocol/failure.ts";
import { errorViewJson } from "../protocol/relay-json.ts";

/** Body of an answer that is not 2xx: an ErrorView is a few hundred bytes, a proxy's own page is cut here. */
const MAX_ERROR_BYTES: number = 16 * 1024;

/** Slowest transfer of a large body that is still waited for, in bytes per millisecond (64 KiB/s). */
const SLOWEST_BYTES_PER_MS = 64;

/** One request to the relay. */
export interface Exchange {
  readonly path: string;
  readonly method?: "GET" | "HEAD" | "POST" | "PUT";
  readonly body?: Uint8Array;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest answer that is read, in bytes. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ExchangeOptions {
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
  /** Silence that is waited for, in milliseconds: for the answer to begin, and between its parts. */
  readonly timeoutMs: number;
}

/** Aborts after a silence; `heard` begins the wait anew. */
export class Patience {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutMs: number, firstMs: number = timeoutMs) {
    this.#timeoutMs = timeoutMs;
    this.#wait(firstMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    this.#wait(this.#timeoutMs);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #wait(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), delayMs);
  }
}

/** Sends a request; the answer's body is still to be read. @throws FailureError of the relay's own code. */
export async function ask(
  options: ExchangeOptions,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<Response> {
  const headers = new Headers(exchange.headers);
  if (exchange.contentType !== undefined) headers.set("content-type", exchange.contentType);
  const response = await options.fetch(options.baseUrl + exchange.path, {
    method: exchange.method ?? "GET",
    headers,
    signal,
    redirect: "error",
    credentials: "omit",
    ...(exchange.body === undefined ? {} : { body: exchange.body.slice() }),
  });
  if (!response.ok) throw await refusal(response, exchange.method);
  return response;
}

/**
 * One whole request and answer.
 * @throws FailureError with the relay's code when it refuses, `disconnected` or `timed-out` when it cannot be reached,
 * `too-large` above `maxBytes`; the signal's reason when that was aborted.
 */
export async function exchangeBytes(
  options: ExchangeOptions,
  exchange: Exchange,
): Promise<Uint8Array<ArrayBuffer>> {
  const sendMs = Math.ceil((exchange.body?.length ?? 0) / SLOWEST_BYTES_PER_MS);
  const patience = new Patience(options.timeoutMs, options.timeoutMs + sendMs);
  const signal = anySignal(patience.signal, exchange.signal);
  try {
    exchange.signal?.throwIfAborted();
    const response = await ask(options, exchange, signal);
    patience.heard();
    return await readBounded(response, exchange.maxBytes, () => patience.heard());
  } catch (error) {
    throw inPlainWords(error, exchange.signal, patience.signal, options.timeoutMs);
  } finally {
    patience.end();
  }
}

export function anySignal(own: AbortSignal, given: AbortSignal | undefined): AbortSignal {
  return given === undefined ? own : AbortSignal.any([own, given]);
}

/** What went wrong, as the caller is to see it. */
export function inPlainWords(
  error: unknown,
  given: AbortSignal | undefined,
  silence: AbortSignal,
  timeoutMs: number,
): unknown {
  if (given?.aborted === true) return given.reason;
  if (error instanceof FailureError) return error;
  return silence.aborted
    ? new FailureError("timed-out", `the relay did not answer within ${timeoutMs} ms`, { cause: error })
    : new FailureError("disconnected", "the relay cannot be reached", { cause: error });
}

/** The whole body, at most `maxBytes`. @throws FailureError `too-large` */
async function readBounded(
  response: Response,
  maxBytes: number,
  heard: () => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one part after the other
    const part = await reader?.read();
    if (part?.value === undefined) break;
    heard();
    length += part.value.length;
    if (length > maxBytes) {
      void reader?.cancel().catch(() => undefined);
      throw new FailureError("too-large", `the relay's answer is longer than ${maxBytes} bytes`);
    }
    chunks.push(part.value);
  }
  return join(chunks, length);
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

/** The relay's refusal with its own code; what a proxy in between says counts as a lost connection or a fault. */
async function refusal(response: Response, method: Exchange["method"]): Promise<FailureError> {
  try {
    const bytes = await readBounded(response, MAX_ERROR_BYTES, () => undefined);
    const { error } = errorViewJson.read(JSON.parse(new TextDecoder().decode(bytes)));
    return new FailureError(error.code, error.detail);
  } catch {
    // The answer to HEAD has no body.
    if (method === "HEAD" && response.status === 404)
      return new FailureError("not-found", "the relay has it not");
    const unreachable = response.status === 502 || response.status === 503 || response.status === 504;
    const detail = `HTTP status ${response.status} without a failure code`;
    return new FailureError(unreachable ? "disconnected" : "relay-fault", detail);
  }
}
