import { equalBytes } from "../../protocol/bytes.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { delegationMessage, signatory } from "../../protocol/delegation.ts";
import { openEnvelope, type SignedBy, verifiedSync } from "../../protocol/envelope.ts";
import { failureCode, failureKind } from "../../protocol/failure-code.ts";
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

/** Whether an opening is the provider's own: of the lease's key, or of one that the same identity uses since. */
function isProviders([signed, ...more]: readonly SignedBy[], { terms }: DrawnOutcome["lease"]): boolean {
  if (signed === undefined || more.length > 0) return false;
  if (signed.key === terms.instance || signed.key === terms.provider) return true;
  if (signed.delegation === undefined) return false;
  // What it has shown counts whether or not its time is over.
  const { notBefore } = openEnvelope(delegationMessage, signed.delegation).body;
  const { root, delegation } = signatory(signed, notBefore);
  if (root !== terms.provider || delegation === undefined) return false;
  verifiedSync(delegation, verifyNative);
  return true;
}

/**
 * Whether the outcome itself tells which task it is of, whatever list of tasks that is shown in: it names input and salt, it
 * does not depend on a seed, and a smaller limit of fuel than the job's, if there was one, was not reached.
 */
function tellsItsTask(claimed: OutcomeLeaf, task: Task, { terms }: DrawnOutcome["job"]): boolean {
  const isOfTask = claimed.inputCid === task.inputCid && equalBytes(claimed.salt, task.salt);
  const isAnyLimit = task.fuelLimit === terms.limits.fuel && claimed.code !== OUT_OF_FUEL;
  return isOfTask && isAnyLimit && terms.work.abi === SEEDLESS;
}

const OUT_OF_FUEL = failureCode("out-of-fuel");
/** An interface without clock and randomness. */
const SEEDLESS = "bytes-1";

/** A list of tasks, as advances and receipts name it. */
type NamedTasks = Pick<Advance, "taskCount" | "tasksRoot">;

function isSameList(a: NamedTasks, b: NamedTasks): boolean {
  return a.taskCount === b.taskCount && equalBytes(a.tasksRoot, b.tasksRoot);
}

/** The tasks that the requester has named: as in the report, or in a later advance of the same key. */
function broughtTasks(opening: Opening, { advance, lease }: DrawnOutcome): NamedTasks {
  const brought = openEnvelope(advanceMessage, opening.advance, sha256);
  const { body } = brought;
  if (isSameList(body, advance)) return advance;
  const [by, ...more] = brought.signedBy;
  if (body.lease !== lease.id || more.length > 0 || by?.key !== lease.terms.requesterKey)
    throw malformed("its advance is not one of the lease's requester");
  verifiedSync(brought, verifyNative);
  return body;
}

/**
 * Checks that the task is the one which the provider has worked on. A requester could name another one afterwards, and show a
 * right outcome as a false one of that: so what the provider has not signed for in its receipt, it alone may bring.
 */
function requireNamed(
  opening: Opening,
  drawn: DrawnOutcome,
  by: readonly SignedBy[],
  claimed: OutcomeLeaf,
  task: Task,
): void {
  const { receipt, lease, job, dispute } = drawn;
  const hash = leafHash(opening.task);
  const proves = ({ taskCount, tasksRoot }: NamedTasks): boolean =>
    verifyInclusion(hash, claimed.seq, taskCount, opening.taskPath, tasksRoot);
  const tasks = broughtTasks(opening, drawn);
  // Both have signed for these.
  if (dispute === undefined && proves(receipt)) return;
  if (!proves(tasks)) throw malformed("its path does not lead from the task to what the requester has named");
  if (isSameList(tasks, receipt) || isProviders(by, lease) || tellsItsTask(claimed, task, job)) return;
  throw malformed("its provider has not signed for this list of tasks");
}

function isComputed({ code }: OutcomeLeaf): boolean {
  return code === undefined || failureKind(code).pay === "fuel";
}

/**
 * Checks what an opening says against what is signed and logged: the outcome is the drawn one, and the task is one that
 * the requester has named. Whether the outcome fits the task is not looked at here: that is what is recomputed.
 * @param by who has signed the opening, verified
 * @throws FailureError `malformed`, `bad-signature`, `content-mismatch` for an input that is not the task's, `unsupported`
 */
export function checkOpening(opening: Opening, drawn: DrawnOutcome, by: readonly SignedBy[]): Shown {
  const { receipt, lease } = drawn;
  const found = leafHash(opening.leaf);
  if (!verifyInclusion(found, opening.index, receipt.count, opening.path, receipt.root))
    throw malformed("its path does not lead from the outcome to the receipt's root");
  const claimed = decode(outcomeSchema, opening.leaf);
  const task = decode(taskSchema, opening.task);
  requireNamed(opening, drawn, by, claimed, task);
  if (task.lease !== lease.id || task.seq !== claimed.seq) throw malformed("the task is another lease's");
  if (opening.sealed !== undefined)
    throw new FailureError("unsupported", "opening: sealed inputs are not read yet");
  if (opening.effects !== undefined && claimed.effectsCid === undefined)
    throw malformed("its outcome names no record of an effect");
  const { input } = opening;
  if (input !== undefined && cidOf(RAW, input, sha256) !== task.inputCid)
    throw new FailureError("content-mismatch", "opening: the input is not the one that the task names");
  return { claimed, found, task, isComputed: isComputed(claimed) };
}
