import type { Logger } from "pino";
import { FailureError } from "../../protocol/failure.ts";
import { failureKind, type FailureName } from "../../protocol/failure-code.ts";
import { errorView, errorViewJson } from "../../protocol/relay-json.ts";
import type { RelayMetrics } from "../metrics.ts";
import type { RelayContext } from "./http-env.ts";
import { hasLeft } from "./read-body.ts";

type RefusalStatus = 400 | 402 | 403 | 404 | 408 | 409 | 410 | 413 | 429 | 500 | 503;

/** HTTP status of a failure, for proxies and tools; programs of ours read the code in the body. */
const STATUS: Readonly<Partial<Record<FailureName, RefusalStatus>>> = {
  "insufficient-funds": 402,
  "bad-signature": 403,
  "key-revoked": 403,
  denied: 403,
  "wrong-provider": 403,
  "not-found": 404,
  "unknown-lease": 404,
  "timed-out": 408,
  replayed: 409,
  "stale-receipt": 409,
  "inconsistent-receipt": 409,
  expired: 410,
  "lease-ended": 410,
  "too-large": 413,
  "rate-limited": 429,
  "relay-fault": 500,
  "no-provider": 503,
};

/** What a handler threw, as data: a failure as it is, a bug as `relay-fault` without its words. */
function asFailure(error: unknown): FailureError {
  if (hasLeft(error)) return new FailureError("disconnected", "the client has left", { cause: error });
  return error instanceof FailureError
    ? error
    : new FailureError("relay-fault", "the relay failed while handling the request", { cause: error });
}

/** Answers with an ErrorView, and leaves one line in the log and one count. */
export function refuse(c: RelayContext, error: unknown, log: Logger, metrics: RelayMetrics): Response {
  const failure = asFailure(error);
  const { name } = failureKind(failure.code);
  const status = statusOf(name);
  metrics.refused(name);
  const line = {
    address: c.get("address"),
    method: c.req.method,
    path: c.req.path,
    code: failure.code,
    name,
  };
  if (status === 500) log.error({ ...line, err: failure.cause }, "request failed");
  // A flood of requests must not become a flood of lines.
  else log[status === 429 ? "debug" : "info"]({ ...line, detail: failure.detail }, "request refused");
  if (status === 429) c.header("Retry-After", "1");
  c.header("Cache-Control", "no-store");
  return c.json(errorViewJson.write(errorView(failure.toFailure())) ?? null, status);
}

function statusOf(name: string): RefusalStatus {
  const found = Object.entries(STATUS).find(([known]) => known === name);
  return found?.[1] ?? 400;
}
