import { type ClientRequest, type RequestOptions, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { CALL_MS } from "./limits.ts";
import { type AddressOptions, checkedAddress, pinnedTo } from "./public-address.ts";

/** A POST to be made for somebody else. */
export interface OutwardCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** How a call went. `status` is absent where nobody answered. */
export interface CallResult {
  readonly status?: number;
  /** What came back, or why nothing did, in words that tell nothing of the relay's own network. */
  readonly words: string;
  readonly elapsedMs: number;
}

/** With `allowPrivate` plain HTTP may be called too. */
export interface PlaceCallOptions extends AddressOptions {
  /** Certificates to believe beside the system's, PEM. */
  readonly ca?: string;
}

/** The same whether a name is unknown or leads inside, so that nobody learns names of the relay's own network. */
const LEADS_NOWHERE = "its address leads nowhere that this relay may call";

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the connection broke off",
  ENETUNREACH: "it cannot be reached",
  EHOSTUNREACH: "it cannot be reached",
};

/** Why a URL is not to be called, whatever it leads to; undefined where nothing stands against it. */
export function whyNotCallable(text: string, allowPrivate: boolean): string | undefined {
  const url = URL.parse(text);
  if (url === null) return "it is no web address";
  if (url.protocol !== "https:" && !(allowPrivate && url.protocol === "http:"))
    return "it does not begin with https://";
  if (url.username !== "" || url.password !== "") return "it has a name or password in it";
  return undefined;
}

/**
 * Makes a call to an address that a stranger gave. The name is looked up once, every address it has must be public, and the connection
 * goes to one of those that were checked: no second lookup can lead elsewhere. No redirects are followed, and of the answer nothing
 * but its status is read. Never throws.
 */
export async function placeCall(call: OutwardCall, options: PlaceCallOptions): Promise<CallResult> {
  const started = performance.now();
  const ended = (words: string, status?: number): CallResult => ({
    words,
    elapsedMs: Math.round(performance.now() - started),
    ...(status === undefined ? {} : { status }),
  });
  const refusal = whyNotCallable(call.url, options.allowPrivate);
  if (refusal !== undefined) return ended(refusal);
  const url = new URL(call.url);
  const signal = AbortSignal.timeout(CALL_MS);
  const address = await checkedAddress(url, options, signal);
  if (address === undefined) return ended(LEADS_NOWHERE);
  try {
    const status = await send(url, address, call, options, signal);
    return ended(`it answered ${status}`, status);
  } catch (error) {
    return ended(signal.aborted ? `it did not answer within ${CALL_MS / 1_000} s` : reasonOf(error));
  }
}

async function send(
  url: URL,
  address: string,
  { headers, body }: OutwardCall,
  { ca }: PlaceCallOptions,
  signal: AbortSignal,
): Promise<number> {
  const settings: RequestOptions = {
    method: "POST",
    // A connection of its own, to the address that was checked.
    agent: false,
    lookup: pinnedTo(address),
    signal,
    headers: { ...headers, "content-length": body.length, connection: "close" },
  };
  return new Promise<number>((resolve, reject) => {
    const request: ClientRequest =
      url.protocol === "https:"
        ? httpsRequest(url, { ...settings, ...(ca === undefined ? {} : { ca }) })
        : httpRequest(url, settings);
    request.once("response", (response) => {
      resolve(response.statusCode ?? 0);
      response.on("error", () => undefined);
      response.destroy();
    });
    request.on("error", reject);
    request.end(body);
  });
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  if (/CERT|SIGNATURE|ALTNAME/u.test(code)) return "its certificate is not valid";
  return REASONS[code] ?? "the call failed";
}
