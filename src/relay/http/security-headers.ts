import type { MiddlewareHandler } from "hono";
import type { RelayEnv } from "./http-env.ts";

/**
 * The pages' own policy: scripts from here alone, WASM may be compiled, connections to relays and nothing to frames of
 * others. Workers are bound by the policy of their own script, see THREAD_POLICY.
 */
const PAGE_POLICY: string = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data: blob:",
  "style-src 'self'",
  "worker-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * Pages of the widget. Its frame may stand in pages of the site that it is for, and nowhere else; the window in which a person
 * agrees stands in nobody's page, and may be opened by any: its opener hands its own frame over, see src/widget.
 */
export function embedPolicy(ancestors: string): string {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "connect-src 'self' ws: wss:",
    "img-src 'self'",
    "style-src 'self'",
    "worker-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${ancestors}`,
  ].join("; ");
}

/** Threads that run strangers' WASM, or models on strangers' words: they compile bytes they are given, and reach nothing. */
const THREAD_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'";

/**
 * The thread that asks web servers for others (workers/fetch.worker.ts): the only script that may reach any. Where the page is on
 * this machine, servers of this machine as well. @param hostname of the page
 */
function fetchPolicy(hostname: string): string {
  const isLocal = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/u.test(hostname);
  const local = isLocal ? " http://localhost:* http://127.0.0.1:*" : "";
  return `default-src 'none'; connect-src https:${local}`;
}

/** The frame in which these threads live (public/sandbox.html): no origin, whoever opens it, and nothing but blob threads. */
export const SANDBOX_PAGE = "/sandbox.html";

/** @param ancestors pages in which it may stand: the app's, and around the widget's frame its site's. */
export function sandboxPagePolicy(ancestors: string): string {
  return [
    "sandbox allow-scripts",
    "default-src 'none'",
    // The document's own policy names the one script by its hash.
    "script-src 'unsafe-inline' 'wasm-unsafe-eval'",
    "connect-src 'none'",
    "worker-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${ancestors}`,
  ].join("; ");
}

/** Bytes of strangers: never a page, never a script, whatever a browser makes of them. */
export const BLOB_POLICY = "sandbox; default-src 'none'";

/** Names of these threads' scripts in a build, with or without a hash. */
const THREAD_SCRIPT = /\/(?:sandbox|inference)[^/]*\.js$/u;

const FETCH_SCRIPT = /\/fetch\.worker[^/]*\.js$/u;

/** Headers of every answer; what a handler has set itself stays. */
export const securityHeaders: MiddlewareHandler<RelayEnv> = async (c, next) => {
  await next();
  const { headers } = c.res;
  const isApi = c.req.path.startsWith("/v1/");
  setDefault(headers, "Content-Security-Policy", isApi ? BLOB_POLICY : policyOf(new URL(c.req.url)));
  // A frame without an origin is a stranger to everybody: Firefox asks this header of its document.
  const isOpen = isApi || c.req.path === SANDBOX_PAGE;
  setDefault(headers, "Cross-Origin-Resource-Policy", isOpen ? "cross-origin" : "same-origin");
  setDefault(headers, "Cross-Origin-Opener-Policy", "same-origin");
  setDefault(headers, "Cross-Origin-Embedder-Policy", "require-corp");
  setDefault(headers, "X-Content-Type-Options", "nosniff");
  setDefault(headers, "Referrer-Policy", "no-referrer");
  setDefault(headers, "Permissions-Policy", "camera=(self), geolocation=(), microphone=()");
};

function policyOf({ pathname: path, hostname }: URL): string {
  if (FETCH_SCRIPT.test(path)) return fetchPolicy(hostname);
  if (path === SANDBOX_PAGE) return sandboxPagePolicy("'self'");
  return THREAD_SCRIPT.test(path) ? THREAD_POLICY : PAGE_POLICY;
}

function setDefault(headers: Headers, name: string, value: string): void {
  if (!headers.has(name)) headers.set(name, value);
}
