import { FailureError } from "../protocol/failure.ts";
import { storageError } from "../storage/storage-error.ts";

/** A browser that can keep no more, as a failure for people. Undefined for every other error. */
export function storageFailure(error: unknown): FailureError | undefined {
  if (storageError(error).trouble !== "full") return undefined;
  return new FailureError("storage-full", "the browser refused to write", { cause: error });
}
