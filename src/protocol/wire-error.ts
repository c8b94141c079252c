import { FailureError } from "./failure.ts";

/** Bytes that do not follow the wire format. `detail` names the field by path, never its content. */
export class WireError extends FailureError {
  static override readonly name = "FailureError";

  constructor(detail: string, code: "malformed" | "unsupported" | "too-large" = "malformed") {
    super(code, detail);
  }
}
