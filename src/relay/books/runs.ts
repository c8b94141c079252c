import {
  mayCoordinate,
  requireBudget,
  requireHolders,
  requireRunEnd,
  requireRunJob,
  requireRunLease,
  type RunState,
  withHolders,
} from "../../ledger/run-rules.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { delegationMessage } from "../../protocol/delegation.ts";
import { FailureError } from "../../protocol/failure.ts";
import { requireOrigin } from "../../protocol/header.ts";
import { CLOCK_SKEW_MS, MAX_RUN_LIFETIME_MS } from "../../protocol/limits.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import type { Job, RunStep } from "../../protocol/messages/job.ts";
import { type Run, type RunEnd, type RunHolders, runMessage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { microCredits } from "../../protocol/units.ts";
import type { IsSilent } from "../run-books.ts";
import { requireAllowance } from "./api-keys.ts";
import type { Draft } from "./draft.ts";
import { type Court, jobIn, requireWelcome, signerOf, soleSigner } from "./judging.ts";
import { MAX_ISSUED } from "./limits.ts";
import { releaseFree } from "./settling.ts";

function runIn(draft: Draft, id: Cid): RunState {
  const run = draft.runs.run(id);
  if (run === undefined) throw new FailureError("not-found", `no run ${id}`);
  return run;
}

function requireTerms(draft: Draft, { issuedAt, notAfter, budget }: Run): void {
  if (notAfter <= draft.time) throw new FailureError("expired", "the run's time has passed");
  if (notAfter > draft.time + MAX_RUN_LIFETIME_MS + CLOCK_SKEW_MS)
    throw new FailureError("malformed", `run: ends more than ${MAX_RUN_LIFETIME_MS} ms ahead`);
  if (issuedAt > draft.time + CLOCK_SKEW_MS)
    throw new FailureError("malformed", "run: was issued in the future");
  if (budget < 1n || budget > MAX_ISSUED)
    throw new FailureError("malformed", "run: its budget is no sum that there can be");
}

/** Logs a run. The same again answers with the same entry. @returns the entry's index. See RunBooks.register. */
export function registerRun(court: Court, draft: Draft, message: Verified<Run>): number {
  const { id, body, bytes } = message;
  requireOrigin(body, court.origin, court.asset);
  const signers = message.signedBy.map((signed) => signerOf(court, draft, signed));
  const { initiator, payer, apiKey } = body;
  for (const party of apiKey === undefined ? [initiator, payer] : [initiator])
    if (!signers.some(({ root }) => root === party))
      throw new FailureError("bad-signature", `run: ${party} has not signed it`);
  const known = draft.runs.run(id);
  if (known !== undefined) return known.index;
  requireTerms(draft, body);
  // The run's whole budget need not be there: what of a key is left counts job by job.
  if (apiKey !== undefined)
    requireAllowance(draft, { requester: initiator, payer, cap: microCredits(0) }, apiKey);
  requireWelcome(draft, [initiator, payer, ...signers.flatMap(({ root, session }) => [root, session])]);
  if (draft.account(payer).available < 1n)
    throw new FailureError("insufficient-funds", `${payer} has nothing to pay a run with`);
  const index = draft.append("run", { envelope: bytes });
  const charged = microCredits(0);
  draft
    .changeRuns()
    .setRun({ id, index, time: draft.time, terms: body, holders: [], holdersRev: 0, charged });
  return index;
}

/** Says who may coordinate a run. @returns the entry's index. See RunBooks.setHolders. */
export function setHolders(court: Court, draft: Draft, message: Verified<RunHolders>): number {
  const { body } = message;
  requireOrigin(body, court.origin, court.asset);
  const run = runIn(draft, body.run);
  if (soleSigner(court, draft, message).root !== run.terms.initiator)
    throw new FailureError("bad-signature", "run-holders: not signed by the run's initiator");
  if (run.holdersIndex !== undefined && isSameHolders(run, body)) return run.holdersIndex;
  requireHolders(run, body, draft.time);
  const index = draft.append("run-holders", { envelope: message.bytes });
  const changed = withHolders(run, body, index);
  draft.changeRuns().setRun(changed);
  closeJobs(draft, run.id, (requester) => !mayCoordinate(changed, requester));
  return index;
}

function isSameHolders({ holders, holdersRev }: RunState, body: RunHolders): boolean {
  return (
    body.rev === holdersRev &&
    body.holders.length === holders.length &&
    body.holders.every((each, place) => each === holders[place])
  );
}

/** Ends a run: nothing more of it begins. @returns the entry of its first end. See RunBooks.end. */
export function endRun(court: Court, draft: Draft, message: Verified<RunEnd>): number {
  const { body } = message;
  requireOrigin(body, court.origin, court.asset);
  const run = runIn(draft, body.run);
  const { root } = soleSigner(court, draft, message);
  if (run.endedIndex !== undefined && (root === run.terms.payer || mayCoordinate(run, root)))
    return run.endedIndex;
  requireRunEnd(run, root);
  const index = draft.append("run-end", { envelope: message.bytes });
  draft.changeRuns().setRun({ ...run, endedIndex: index });
  closeJobs(draft, run.id, () => true);
  return index;
}

/** Gives back what is free in jobs of a run. @param which by the requester of each */
function closeJobs(draft: Draft, run: Cid, which: (requester: PeerId) => boolean): void {
  for (const id of draft.runs.openJobs(run)) {
    const { state, terms } = jobIn(draft, id);
    if (state === "open" && which(terms.requester)) releaseFree(draft, id);
  }
}

/** A key that was revoked gives no leave any more, whatever it has signed before. */
function requireSigners(draft: Draft, { id, index }: RunState): void {
  const entry = draft.entry(index);
  if (entry === undefined) throw new FailureError("not-found", `no run ${id}`);
  const { envelope } = decodeEntryOf("run", entry).body;
  for (const { key, delegation } of openEnvelope(runMessage, envelope).signedBy) {
    const root = delegation === undefined ? key : openEnvelope(delegationMessage, delegation).body.root;
    if (draft.isRevoked(key, root))
      throw new FailureError("key-revoked", `${key}, which signed the run, no longer acts for ${root}`);
  }
}

/**
 * Whether a job may be opened as a step of its run: the payer's leave, the budget, and no other coordinator at that step.
 * @throws FailureError `not-found`, `bad-signature`, `run-over`, `expired`, `insufficient-funds`, `key-revoked`, `step-held`,
 * `replayed` for a turn that another job has, `denied`.
 */
export function requireRun(draft: Draft, job: Job, step: RunStep, isSilent: IsSilent): void {
  const run = runIn(draft, step.id);
  requireRunJob(run, job, draft.time);
  requireSigners(draft, run);
  requireWelcome(draft, [run.terms.initiator]);
  if (draft.runs.runJob(run.id, step.node, step.turn) !== undefined)
    throw new FailureError("replayed", `turn ${step.turn} of ${step.node} is another job's`);
  for (const id of draft.runs.openJobs(run.id, step.node)) takeOver(draft, run, id, job, step, isSilent);
  // What was taken over has given money back.
  requireBudget(runIn(draft, step.id), job);
  if (run.terms.apiKey !== undefined) requireAllowance(draft, job, run.terms.apiKey);
}

/** Closes the job of a coordinator that has fallen silent or may coordinate no longer. */
function takeOver(
  draft: Draft,
  run: RunState,
  id: Cid,
  { requester }: Job,
  { node, turn }: RunStep,
  isSilent: IsSilent,
): void {
  const { state, terms } = jobIn(draft, id);
  if (state !== "open" || terms.requester === requester) return;
  if (mayCoordinate(run, terms.requester) && !isSilent(run.id, terms.requester))
    throw new FailureError("step-held", `${terms.requester} carries ${node} out by job ${id}`);
  const last = draft.runs.lastTurn(run.id, node) ?? 0;
  if (turn <= last)
    throw new FailureError("step-held", `whoever takes ${node} over does so with a turn above ${last}`);
  releaseFree(draft, id);
}

/** See addLease: nothing begins in a run that is over, and nothing at the wish of who coordinates it no longer. */
export function requireLeaseInRun(draft: Draft, { run: step, requester }: Job): void {
  if (step === undefined) return;
  const run = runIn(draft, step.id);
  requireRunLease(run, requester, draft.time);
  requireSigners(draft, run);
}
