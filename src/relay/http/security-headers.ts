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

/** Threads that run strangers' WASM, or models on strangers' words: they compile bytes they are given, and reach nothing. */
const THREAD_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'";

/** The frame in which these threads live (public/sandbox.html): no origin, whoever opens it, and nothing but blob threads. */
const SANDBOX_PAGE = "/sandbox.html";
const SANDBOX_PAGE_POLICY: string = [
  "sandbox allow-scripts",
  "default-src 'none'",
  // The document's own policy names the one script by its hash.
  "script-src 'unsafe-inline' 'wasm-unsafe-eval'",
  "connect-src 'none'",
  "worker-src blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join("; ");

/** Bytes of strangers: never a page, never a script, whatever a browser makes of them. */
export const BLOB_POLICY = "sandbox; default-src 'none'";

/** Names of these threads' scripts in a build, with or without a hash. */
const THREAD_SCRIPT = /\/(?:sandbox|inference)[^/]*\.js$/u;

/** Headers of every answer; what a handler has set itself stays. */
export const securityHeaders: MiddlewareHandler<RelayEnv> = async (c, next) => {
  await next();
  const { headers } = c.res;
  const isApi = c.req.path.startsWith("/v1/");
  setDefault(headers, "Content-Security-Policy", isApi ? BLOB_POLICY : policyOf(c.req.path));
  // A frame without an origin is a stranger to everybody: Firefox asks this header of its document.
  const isOpen = isApi || c.req.path === SANDBOX_PAGE;
  setDefault(headers, "Cross-Origin-Resource-Policy", isOpen ? "cross-origin" : "same-origin");
  setDefault(headers, "Cross-Origin-Opener-Policy", "same-origin");
  setDefault(headers, "Cross-Origin-Embedder-Policy", "require-corp");
  setDefault(headers, "X-Content-Type-Options", "nosniff");
  setDefault(headers, "Referrer-Policy", "no-referrer");
  setDefault(headers, "Permissions-Policy", "camera=(), geolocation=(), microphone=()");
};

function policyOf(path: string): string {
  if (path === SANDBOX_PAGE) return SANDBOX_PAGE_POLICY;
  return THREAD_SCRIPT.test(path) ? THREAD_POLICY : PAGE_POLICY;
}

function setDefault(headers: Headers, name: string, value: string): void {
  if (!headers.has(name)) headers.set(name, value);
}
