import { concatBytes } from "../protocol/bytes.ts";
import { FailureError } from "../protocol/failure.ts";
import type { Exchange, HttpRequest } from "./effect-ports.ts";

/** A runtime's own way to ask web servers. */
type Send = (url: URL, init: RequestInit) => Promise<Response>;

async function readBody(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a body comes in order
    const part = await reader?.read();
    if (part?.value === undefined) break;
    size += part.value.length;
    if (size > maxBytes) {
      void reader?.cancel().catch(() => undefined);
      throw new FailureError("output-too-large", `an answer of more than ${maxBytes} bytes`);
    }
    parts.push(part.value);
  }
  return concatBytes(...parts);
}

/** What a browser says of a request that failed is the same for all reasons, so that pages learn nothing of private networks. */
function unreachable({ origin }: URL): FailureError {
  return new FailureError(
    "effect-failed",
    `${origin} did not answer a browser: it is away, sends elsewhere, or does not let other sites read it (CORS); the relay can ask it`,
  );
}

/**
 * Requests by a browser's fetch: without cookies or other credentials, without a referrer, past its caches. Redirects are not
 * followed. What a name leads to is the browser's to find out: see docs/effects.md on DNS rebinding.
 * @param send the browser's own
 */
export function browserExchange(send: Send): Exchange {
  return async ({ url, method, headers, body, maxBytes }: HttpRequest, signal) => {
    let response: Response;
    try {
      response = await send(url, {
        method,
        headers: { ...headers },
        redirect: "error",
        credentials: "omit",
        mode: "cors",
        cache: "no-store",
        referrerPolicy: "no-referrer",
        signal,
        ...(body === undefined ? {} : { body }),
      });
    } catch {
      signal.throwIfAborted();
      throw unreachable(url);
    }
    if (response.redirected || response.type === "opaque") throw unreachable(url);
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await readBody(response, maxBytes),
    };
  };
}
