import { failureKind } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";

/** An error in one line of a program that goes on. */
export function troubleWords(error: unknown): string {
  if (error instanceof FailureError) return `${failureKind(error.code).name}: ${error.detail}`;
  return error instanceof Error ? error.message : String(error);
}
