import {
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from "node:http";
import { request as httpsRequest } from "node:https";
import type { Exchange, HttpAnswer, HttpRequest } from "../../effects/effect-ports.ts";
import { concatBytes } from "../../protocol/bytes.ts";
import { FailureError } from "../../protocol/failure.ts";
import { type AddressOptions, checkedAddress, pinnedTo } from "../alerts/public-address.ts";
import { MAX_ANSWER_HEADER_BYTES } from "./limits.ts";

export interface RelayExchangeOptions extends Pick<AddressOptions, "resolve"> {
  /** Whether an origin may be on a private network: those that the operator has named. */
  readonly isLocal: (origin: string) => boolean;
  /** Certificates to believe beside the system's, PEM. */
  readonly ca?: string;
}

/** The same for all reasons: nobody learns by this relay what its own network is like. */
function unreachable({ origin }: URL): FailureError {
  return new FailureError("effect-failed", `${origin} did not answer the relay`);
}

/**
 * Requests by the relay, for others. The name is looked up once, every address it has must be public, and the connection goes to one
 * of those that were checked. No redirects are followed: the answer that sends elsewhere is the answer. Answers are not unpacked.
 */
export function relayExchange({ isLocal, resolve, ca }: RelayExchangeOptions): Exchange {
  return async (asked, signal) => {
    const { url } = asked;
    const allowPrivate = isLocal(url.origin);
    const finding = { allowPrivate, ...(resolve === undefined ? {} : { resolve }) };
    const address = await checkedAddress(url, finding, signal);
    signal.throwIfAborted();
    if (address === undefined)
      throw new FailureError("effect-refused", `${url.origin} leads nowhere that the relay may ask`);
    try {
      return await exchange(asked, address, ca, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof FailureError ? error : unreachable(url);
    }
  };
}

function exchange(
  { url, method, headers, body, maxBytes }: HttpRequest,
  address: string,
  ca: string | undefined,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const settings: RequestOptions = {
    method,
    // A connection of its own, to the address that was checked.
    agent: false,
    lookup: pinnedTo(address),
    signal,
    maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
    headers: {
      ...headers,
      "accept-encoding": "identity",
      connection: "close",
      ...(body === undefined ? {} : { "content-length": body.length }),
    },
  };
  return new Promise<HttpAnswer>((resolve, reject) => {
    const request: ClientRequest =
      url.protocol === "https:"
        ? httpsRequest(url, { ...settings, ...(ca === undefined ? {} : { ca }) })
        : httpRequest(url, settings);
    request.once("response", (response) => {
      read(response, maxBytes).then(resolve, reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function read(response: IncomingMessage, maxBytes: number): Promise<HttpAnswer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response) {
    if (!(part instanceof Uint8Array)) throw new TypeError("a body comes in bytes");
    size += part.length;
    if (size > maxBytes) {
      response.destroy();
      throw new FailureError("output-too-large", `an answer of more than ${maxBytes} bytes`);
    }
    parts.push(part);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers))
    if (value !== undefined) headers[name] = typeof value === "string" ? value : value.join(", ");
  return { status: response.statusCode ?? 0, headers, body: concatBytes(...parts) };
}
