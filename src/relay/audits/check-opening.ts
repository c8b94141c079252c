import { equalBytes } from "../../protocol/bytes.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { openEnvelope, verifiedSync } from "../../protocol/envelope.ts";
import { failureKind } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { leafHash, verifyInclusion } from "../../protocol/merkle.ts";
import type { Opening } from "../../protocol/messages/audit.ts";
import {
  type Advance,
  advanceMessage,
  type OutcomeLeaf,
  outcomeSchema,
  type Task,
  taskSchema,
} from "../../protocol/messages/task.ts";
import { decode } from "../../protocol/schema.ts";
import type { DrawnOutcome } from "../audit-books.ts";
import { sha256 } from "../books/native-hash.ts";
import { verifyNative } from "../books/native-keys.ts";

/** What an opening shows beyond doubt: what the provider has claimed, and for which task. */
export interface Shown {
  readonly claimed: OutcomeLeaf;
  /** Leaf hash of the claim. */
  readonly found: Uint8Array;
  readonly task: Task;
  /** Whether the claim is one that a recomputation can confirm: what ended by its surroundings or was cancelled is none. */
  readonly isComputed: boolean;
}

function malformed(problem: string): FailureError {
  return new FailureError("malformed", `opening: ${problem}`);
}

/** The tasks that the requester has named: as in the report, or in a later advance of the same key. */
function namedTasks(opening: Opening, { advance, lease }: DrawnOutcome): Advance {
  const brought = openEnvelope(advanceMessage, opening.advance, sha256);
  const { body } = brought;
  if (body.taskCount === advance.taskCount && equalBytes(body.tasksRoot, advance.tasksRoot)) return advance;
  const [by, ...more] = brought.signedBy;
  if (body.lease !== lease.id || more.length > 0 || by?.key !== lease.terms.requesterKey)
    throw malformed("its advance is not one of the lease's requester");
  verifiedSync(brought, verifyNative);
  return body;
}

function isComputed({ code }: OutcomeLeaf): boolean {
  return code === undefined || failureKind(code).pay === "fuel";
}

/**
 * Checks what an opening says against what is signed and logged: the outcome is the drawn one, and the task is one that
 * the requester has named. Whether the outcome fits the task is not looked at here: that is what is recomputed.
 * @throws FailureError `malformed`, `bad-signature`, `content-mismatch` for an input that is not the task's, `unsupported`
 */
export function checkOpening(opening: Opening, drawn: DrawnOutcome): Shown {
  const { receipt, lease } = drawn;
  const found = leafHash(opening.leaf);
  if (!verifyInclusion(found, opening.index, receipt.count, opening.path, receipt.root))
    throw malformed("its path does not lead from the outcome to the receipt's root");
  const claimed = decode(outcomeSchema, opening.leaf);
  const task = decode(taskSchema, opening.task);
  const { tasksRoot, taskCount } = namedTasks(opening, drawn);
  if (!verifyInclusion(leafHash(opening.task), claimed.seq, taskCount, opening.taskPath, tasksRoot))
    throw malformed("its path does not lead from the task to what the requester has named");
  if (task.lease !== lease.id || task.seq !== claimed.seq) throw malformed("the task is another lease's");
  if (opening.sealed !== undefined || opening.effects !== undefined)
    throw new FailureError("unsupported", "opening: sealed inputs and effects are not read yet");
  const { input } = opening;
  if (input !== undefined && cidOf(RAW, input, sha256) !== task.inputCid)
    throw new FailureError("content-mismatch", "opening: the input is not the one that the task names");
  return { claimed, found, task, isComputed: isComputed(claimed) };
}
