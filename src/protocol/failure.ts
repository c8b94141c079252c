import { type FailureCode, failureCode, failureKind, type FailureName } from "./failure-code.ts";

/** A failure as data: the code, and a detail for people that names the offending thing and holds no secret or payload. */
export interface Failure {
  readonly code: FailureCode;
  readonly detail: string;
}

/** An expected failure travelling as an exception, across code that returns something else. Crosses realms by `code` and `message`. */
export class FailureError extends Error {
  static override readonly name = "FailureError";
  override readonly name = "FailureError";
  readonly code: FailureCode;
  readonly detail: string;

  constructor(name: FailureName | FailureCode, detail: string, options?: ErrorOptions) {
    const code = typeof name === "number" ? name : failureCode(name);
    super(`${failureKind(code).name}: ${detail}`, options);
    this.code = code;
    this.detail = detail;
  }

  toFailure(): Failure {
    return { code: this.code, detail: this.detail };
  }
}
