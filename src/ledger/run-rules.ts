import type { Cid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import type { Job } from "../protocol/messages/job.ts";
import type { Run, RunHolders } from "../protocol/messages/run.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { MicroCredits } from "../protocol/units.ts";

/** A run as the log has it. */
export interface RunState {
  /** CID of the run message. */
  readonly id: Cid;
  /** Its entry, and the log time of that. */
  readonly index: number;
  readonly time: number;
  readonly terms: Run;
  /** Who may coordinate it besides its initiator, by the newest run-holders; none before the first. */
  readonly holders: readonly PeerId[];
  readonly holdersRev: number;
  readonly holdersIndex?: number;
  /** What its jobs set aside or spent: their caps, less what came back to the payer. Never above the budget. */
  readonly charged: MicroCredits;
  /** Entry of its end. */
  readonly endedIndex?: number;
}

export function mayCoordinate({ terms, holders }: RunState, peer: PeerId): boolean {
  return peer === terms.initiator || holders.includes(peer);
}

/** What further jobs of a run may set aside, micro-credits. */
export function leftOf({ terms, charged }: RunState): bigint {
  return terms.budget - charged;
}

/** @throws FailureError `run-over`, `expired` once nothing more of a run begins. */
export function requireOpenRun({ id, terms, endedIndex }: RunState, time: number): void {
  if (endedIndex !== undefined) throw new FailureError("run-over", `run ${id} has ended`);
  if (time > terms.notAfter) throw new FailureError("expired", `the time of run ${id} has passed`);
}

/**
 * Whether a job may be opened as a step of its run, as far as the run alone tells. With it the payer's leave is given: nobody but
 * initiator and holders, for nobody else's money, while the run lasts; and see requireBudget.
 * @param time log time, milliseconds since 1970.
 * @throws FailureError `bad-signature`, `run-over`, `expired`, `malformed`.
 */
export function requireRunJob(run: RunState, { requester, payer, apiKey }: Job, time: number): void {
  requireOpenRun(run, time);
  if (payer !== run.terms.payer)
    throw new FailureError("bad-signature", `job: its run is paid for by ${run.terms.payer}`);
  if (apiKey !== undefined)
    throw new FailureError("malformed", "job: names an api-key, which its run does in its place");
  if (!mayCoordinate(run, requester))
    throw new FailureError("bad-signature", `job: ${requester} does not coordinate its run`);
}

/** @throws FailureError `insufficient-funds` for a job that would bring the run above its budget. */
export function requireBudget(run: RunState, { cap }: Pick<Job, "cap">): void {
  const left = leftOf(run);
  if (cap > left)
    throw new FailureError(
      "insufficient-funds",
      `the run has ${left} micro-credits of its budget left, the cap is ${cap}`,
    );
}

/** Whether a lease may be given for a job of a run: money that is set aside serves nobody once the run is over. */
export function requireRunLease(run: RunState, requester: PeerId, time: number): void {
  requireOpenRun(run, time);
  if (!mayCoordinate(run, requester))
    throw new FailureError("bad-signature", `lease: ${requester} does not coordinate its run any more`);
}

/** @throws FailureError `run-over`, `replayed`, `malformed`, `unsupported`. */
export function requireHolders(run: RunState, { rev, holders }: RunHolders, time: number): void {
  requireOpenRun(run, time);
  if (rev <= run.holdersRev) throw new FailureError("replayed", "run-holders: newer ones are known");
  if (new Set(holders).size !== holders.length)
    throw new FailureError("malformed", "run-holders: names somebody twice");
  // An api-key lets one requester spend, and that one cannot pass it on.
  if (run.terms.apiKey !== undefined && holders.length > 0)
    throw new FailureError("unsupported", "run-holders: a run under an api-key has none");
}

/** The run after new holders were named in the entry `index`. */
export function withHolders(run: RunState, { rev, holders }: RunHolders, index: number): RunState {
  return { ...run, holders, holdersRev: rev, holdersIndex: index };
}

/** @throws FailureError `run-over` for the second end of a run, `bad-signature` unless one of its parties signed it. */
export function requireRunEnd(run: RunState, root: PeerId): void {
  if (run.endedIndex !== undefined) throw new FailureError("run-over", `run ${run.id} has ended`);
  if (root !== run.terms.payer && !mayCoordinate(run, root))
    throw new FailureError("bad-signature", "run-end: signed by nobody who takes part");
}
