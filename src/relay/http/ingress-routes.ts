import { toBase64 } from "../../protocol/base64.ts";
import { FailureError } from "../../protocol/failure.ts";
import { decodeUtf8 } from "../../protocol/text.ts";
import { addressGroup } from "../client-address.ts";
import { answerOf, resultType } from "../deployments/call-answer.ts";
import type { Call } from "../deployments/call-desk.ts";
import { elementLines, runEventTexts } from "../deployments/call-stream.ts";
import { MAX_CALL_BYTES } from "../deployments/limits.ts";
import type { RunInput } from "../deployments/run-params.ts";
import { eventBody } from "../gateway/text-stream.ts";
import type { RateLimit } from "../rate-limit.ts";
import { type DeploymentRouteParts, mediaType } from "./deployment-routes.ts";
import type { RelayContext, RelayHttp } from "./http-env.ts";
import { readMessage } from "./read-body.ts";

/** What is deployed is called below here. */
export const INGRESS_PREFIX = "/f/";

/** Header of an answer that names its run. */
const RUN_HEADER = "tabmesh-run";

/**
 * What a page of a stranger may do on the relay's own origin: be looked at. It has no origin of its own, so that keys of the app and its
 * service worker are out of its reach, and no script, so that it cannot ask anybody for theirs.
 */
const OWN_ORIGIN_POLICY: string = [
  "sandbox",
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "img-src data:",
  "font-src data:",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** On an origin for this alone a page may run scripts; each is still an origin of its own, so that none reaches into another. */
const INGRESS_ORIGIN_POLICY = "sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads";

/** What a browser fetches an address for that would give it power over pages of this origin. */
const POWERFUL: ReadonlySet<string> = new Set([
  "audioworklet",
  "embed",
  "manifest",
  "object",
  "paintworklet",
  "script",
  "serviceworker",
  "sharedworker",
  "style",
  "worker",
  "xslt",
]);

/** Headers of a call that a plan is shown: no cookies, no credentials, nothing that says who called. */
const SHOWN_HEADERS = ["accept", "accept-language", "content-type", "if-none-match", "user-agent"] as const;

const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";

export interface IngressParts extends DeploymentRouteParts {
  readonly addressLimit: RateLimit;
  /** Where deployments are called when not on the relay's own origin, as in "https://run.example". */
  readonly ingressOrigin?: string;
}

/** Whether a request came to the origin that is for deployments alone. */
function isAtIngress(c: RelayContext, origin: string | undefined): boolean {
  return origin !== undefined && new URL(origin).host === (c.req.header("host") ?? "").toLowerCase();
}

/** Deployments over HTTP: any method, any path below the name. Answers come from strangers. */
export function addIngressRoutes(http: RelayHttp, parts: IngressParts): void {
  const { deployments, addressLimit, ingressOrigin } = parts;

  // That origin has nothing but deployments: no app, no interface.
  http.use("*", async (c, next) => {
    if (isAtIngress(c, ingressOrigin) && !c.req.path.startsWith(INGRESS_PREFIX))
      throw new FailureError("not-found", "there is nothing here but what is deployed");
    await next();
  });

  const answer = async (c: RelayContext): Promise<Response> => {
    addressLimit.take(addressGroup(c.get("address")));
    const atIngress = isAtIngress(c, ingressOrigin);
    setSafe(c, atIngress);
    if (ingressOrigin !== undefined && !atIngress) {
      const { pathname, search } = new URL(c.req.url);
      return c.redirect(`${ingressOrigin}${pathname}${search}`, 308);
    }
    if (c.req.method === "OPTIONS") return c.body(null, 204, { "Access-Control-Allow-Methods": METHODS });
    requirePowerless(c);
    if (deployments === undefined) throw new FailureError("not-found", "this relay deploys nothing");
    const name = c.req.param("name") ?? "";
    const what = `${c.req.method} ${pathBelow(c, name)}`.slice(0, 256);
    const left = new AbortController();
    const gone = AbortSignal.any([c.req.raw.signal, left.signal]);
    const call = await deployments.calls.call(name, ({ take }) => inputOf(c, name, take), what, gone);
    return respond(c, call, left);
  };
  http.all("/f/:name", answer);
  http.all("/f/:name/*", answer);
}

/** Whatever becomes of the answer. */
function setSafe(c: RelayContext, atIngress: boolean): void {
  c.header("Content-Security-Policy", atIngress ? INGRESS_ORIGIN_POLICY : OWN_ORIGIN_POLICY);
  c.header("X-Content-Type-Options", "nosniff");
  c.header("Cross-Origin-Resource-Policy", "cross-origin");
  c.header("Access-Control-Allow-Origin", "*");
  c.header("Access-Control-Allow-Headers", "*");
  c.header("Access-Control-Expose-Headers", RUN_HEADER);
  c.header("Cache-Control", "no-store");
  // A plan may let its answers be kept: what is given to one kind of asking is not what another is to get.
  c.header("Vary", "Sec-Fetch-Dest, Sec-Fetch-Site, Service-Worker, Accept");
}

/** Answers of strangers are never scripts or styles of pages of this origin, nor workers of anybody. @throws FailureError `denied` */
function requirePowerless(c: RelayContext): void {
  const site = c.req.header("sec-fetch-site");
  const dest = c.req.header("sec-fetch-dest") ?? "";
  const isWorker = c.req.header("service-worker") !== undefined || dest.endsWith("worker");
  if (isWorker || (site === "same-origin" && POWERFUL.has(dest)))
    throw new FailureError("denied", "what is deployed is no script of this origin");
}

function pathBelow(c: RelayContext, name: string): string {
  const path = c.req.path.slice(INGRESS_PREFIX.length + name.length);
  return path === "" ? "/" : path;
}

function bodyText(body: Uint8Array): { readonly body: string; readonly base64: boolean } {
  try {
    return { body: decodeUtf8(body), base64: false };
  } catch {
    return { body: toBase64(body), base64: true };
  }
}

async function inputOf(c: RelayContext, name: string, take: (bytes: number) => void): Promise<RunInput> {
  const hasBody = c.req.raw.body !== null;
  const body = hasBody ? await readMessage(c, MAX_CALL_BYTES, take) : new Uint8Array();
  const headers = SHOWN_HEADERS.flatMap((each) => {
    const value = c.req.header(each);
    return value === undefined ? [] : [[each, value] as const];
  });
  const texts = c.req.query();
  return {
    request: {
      method: c.req.method,
      path: pathBelow(c, name),
      query: texts,
      headers: Object.fromEntries(headers),
      ...bodyText(body),
    },
    body,
    contentType: mediaType(c),
    texts,
  };
}

/** Streams where the caller takes a stream; waits for the whole otherwise. */
async function respond(c: RelayContext, call: Call, left: AbortController): Promise<Response> {
  c.header(RUN_HEADER, call.run.run);
  const accept = c.req.header("accept") ?? "";
  const stop = (): void => left.abort(new FailureError("cancelled", "the caller has gone"));
  if (accept.includes("text/event-stream")) {
    c.header("Content-Type", "text/event-stream; charset=utf-8");
    c.header("X-Accel-Buffering", "no");
    return c.body(eventBody(runEventTexts(call), stop));
  }
  if (accept.includes("application/x-ndjson")) {
    c.header("Content-Type", "application/x-ndjson; charset=utf-8");
    c.header("X-Accel-Buffering", "no");
    return c.body(eventBody(elementLines(call, left.signal), stop));
  }
  const { status, headers, body } = answerOf(resultType(call.plan), await call.result);
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  return new Response(isBodiless(status) || c.req.method === "HEAD" ? null : body, {
    status,
    headers: c.res.headers,
  });
}

function isBodiless(status: number): boolean {
  return status === 204 || status === 205;
}
