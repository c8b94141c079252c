import { FailureError } from "../../protocol/failure.ts";
import type { FailureName } from "../../protocol/failure-code.ts";

/** A task that ends without a result although fuel was spent since its last part. */
export class TaskFailure extends FailureError {
  static override readonly name = "FailureError";
  /** Since the part before. */
  readonly fuel: bigint;

  constructor(name: FailureName, detail: string, fuel: bigint) {
    super(name, detail);
    this.fuel = fuel;
  }
}
