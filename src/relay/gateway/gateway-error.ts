import { type FailureCode, failureCode, failureKind, type FailureName } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { hasLeft } from "../http/read-body.ts";
import { NO_PROVIDER_RETRY_S } from "./limits.ts";

export type GatewayStatus = 400 | 401 | 402 | 403 | 404 | 405 | 408 | 413 | 429 | 500 | 503;

export type GatewayErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "insufficient_quota"
  | "rate_limit_error"
  | "server_error";

interface Particulars {
  /** Field of the request, as in "messages[1].content". */
  readonly param?: string;
  readonly code?: string;
  /** Seconds after which the same request may do. Without it a client is told not to repeat the request. */
  readonly retryAfterS?: number;
  readonly cause?: unknown;
}

/** A refusal in the form that clients of OpenAI's interface expect. */
export class GatewayError extends Error {
  static override readonly name = "GatewayError";
  override readonly name = "GatewayError";
  readonly status: GatewayStatus;
  readonly type: GatewayErrorType;
  readonly code: string | undefined;
  readonly param: string | undefined;
  readonly retryAfterS: number | undefined;

  constructor(status: GatewayStatus, type: GatewayErrorType, message: string, more: Particulars = {}) {
    super(message, { cause: more.cause });
    this.status = status;
    this.type = type;
    this.code = more.code;
    this.param = more.param;
    this.retryAfterS = more.retryAfterS;
  }
}

/** Body of an answer that is not 2xx, and of an error in the middle of a stream. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: GatewayErrorType;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export function errorBody({ message, type, param, code }: GatewayError): ErrorBody {
  return { error: { message, type, param: param ?? null, code: code ?? null } };
}

/** A request that cannot be done as it is. @param param the field that stands against it. */
export function invalidRequest(param: string, message: string, code = "invalid_value"): GatewayError {
  return new GatewayError(400, "invalid_request_error", message, { param, code });
}

type Shape = readonly [status: GatewayStatus, type: GatewayErrorType, code: string, retryAfterS?: number];

const NO_PROVIDER: Shape = [503, "server_error", "no_provider", NO_PROVIDER_RETRY_S];

/** Failures that have an answer of their own; the others follow from whose fault they are. */
const SHAPES: Readonly<Partial<Record<FailureName, Shape>>> = {
  "no-provider": NO_PROVIDER,
  unreachable: NO_PROVIDER,
  "insufficient-funds": [402, "insufficient_quota", "insufficient_quota"],
  "key-revoked": [401, "authentication_error", "invalid_api_key"],
  "bad-signature": [401, "authentication_error", "invalid_api_key"],
  expired: [401, "authentication_error", "invalid_api_key"],
  denied: [403, "permission_error", "denied"],
  "wrong-asset": [403, "permission_error", "wrong_asset"],
  "rate-limited": [429, "rate_limit_error", "rate_limit_exceeded", 1],
  "not-found": [404, "invalid_request_error", "not_found"],
  "too-large": [413, "invalid_request_error", "request_too_large"],
  "timed-out": [408, "invalid_request_error", "timeout", 1],
  malformed: [400, "invalid_request_error", "invalid_value"],
  unsupported: [400, "invalid_request_error", "unsupported_value"],
  "out-of-fuel": [400, "invalid_request_error", "out_of_fuel"],
  "bad-output": [400, "invalid_request_error", "invalid_value"],
  "output-too-large": [400, "invalid_request_error", "output_too_large"],
};

function shapeOf(code: FailureCode): Shape {
  const { name, fault } = failureKind(code);
  const known = Object.entries(SHAPES).find(([each]) => each === name)?.[1];
  if (known !== undefined) return known;
  const told = name.replaceAll("-", "_");
  // The provider's side and the way to it: another one may do better.
  if (code < failureCode("out-of-fuel")) return [503, "server_error", told, 1];
  return fault === "nobody" ? [500, "server_error", told, 1] : [500, "server_error", told];
}

/** What a handler threw, as the client is told. A bug is told without its words. */
export function asGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  if (hasLeft(error)) return asGatewayError(new FailureError("disconnected", "", { cause: error }));
  if (!(error instanceof FailureError))
    return new GatewayError(500, "server_error", "The relay failed while handling the request.", {
      code: "relay_fault",
      cause: error,
    });
  const [status, type, code, retryAfterS] = shapeOf(error.code);
  const { means } = failureKind(error.code);
  return new GatewayError(status, type, error.detail === "" ? means : `${means} ${error.detail}`, {
    code,
    cause: error,
    ...(retryAfterS === undefined ? {} : { retryAfterS }),
  });
}
