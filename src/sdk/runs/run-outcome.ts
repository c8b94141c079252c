import type { RunEnd } from "../../plan/runner/runner-options.ts";
import type { Cid } from "../../protocol/cid.ts";
import { failureCode, failureKind } from "../../protocol/failure-code.ts";
import type { RunEnd as EndBody } from "../../protocol/messages/run.ts";

const CANCELLED = failureCode("cancelled");

/**
 * How a run ended, for the public log. What a provider said of its failure stays out of it: nobody can take anything out of the log
 * again. Node and code are what the plan and the table say; the words are in the receipts, which coordinators alone may read.
 */
export function outcomeOf(
  result: Cid | undefined,
  failure: RunEnd["failure"],
): Pick<EndBody, "status" | "result" | "code" | "detail"> {
  if (result !== undefined) return { status: "done", result };
  const code = failure?.code ?? CANCELLED;
  const { means } = failureKind(code);
  const node = failure?.node ?? "";
  const detail = node === "" ? means : `${node}: ${means}`;
  return code === CANCELLED ? { status: "cancelled", detail } : { status: "failed", code, detail };
}
