import type { RunState } from "../ledger/run-rules.ts";
import type { Cid } from "../protocol/cid.ts";
import type { Verified } from "../protocol/envelope.ts";
import type { Inclusion } from "../protocol/messages/receipt.ts";
import type { Run, RunEnd, RunHolders } from "../protocol/messages/run.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { RunJobView, RunState as RunStage } from "../protocol/run-views.ts";
import type { MicroCredits } from "../protocol/units.ts";

/** A run with what of its money is where. */
export interface RunStanding extends RunState {
  readonly stage: RunStage;
  /** Paid or promised to providers so far. */
  readonly spent: MicroCredits;
  /** How it ended. */
  readonly end?: RunEnd;
  /** Log time of that, milliseconds since 1970. */
  readonly endedAt?: number;
}

/** Runs of plans: one budget each, which cannot be exceeded whoever coordinates; part of the books. */
export interface RunBooks {
  /**
   * Logs a run, and with it its payer's leave to open jobs that name it, up to its budget. The same run again answers with the
   * same entry.
   * @throws FailureError `bad-signature` unless initiator and payer signed it (or an api-key covers it), `expired`, `malformed`,
   * `insufficient-funds` for a payer that has nothing, `key-revoked`, `denied`.
   */
  register(run: Verified<Run>): Promise<Inclusion>;
  /**
   * Who else may coordinate it. Jobs of those who may no longer are closed. The newest again changes nothing.
   * @throws FailureError `not-found`, `bad-signature`, `replayed`, `run-over`, `unsupported` for a run under an api-key.
   */
  setHolders(holders: Verified<RunHolders>): Promise<Inclusion>;
  /** Ends it: closes its jobs. The first end counts, later ones answer with its entry. @throws FailureError `not-found`, `bad-signature`. */
  end(message: Verified<RunEnd>): Promise<Inclusion>;
  run(id: Cid): RunStanding | undefined;
  /** Runs that an account started or pays for, newest first. @param before entry to continue below. */
  runsOf(account: PeerId, before: number | undefined, limit: number): readonly RunStanding[];
  /** Open runs that name an account as a holder, newest first. */
  heldBy(account: PeerId, before: number | undefined, limit: number): readonly RunStanding[];
  /** Newest first. */
  jobs(run: Cid, limit: number): readonly RunJobView[];
  /** Who holds or held a lease in a run: its session key and identity; and in which job. */
  lease(
    id: Cid,
  ):
    | { readonly run: Cid; readonly node: string; readonly provider: PeerId; readonly instance: PeerId }
    | undefined;
  /** Whether an identity has or had a lease in a run. */
  works(run: Cid, provider: PeerId): boolean;
}

/** Whether a coordinator has fallen silent, so that another one may take over a step that it has open. */
export type IsSilent = (run: Cid, coordinator: PeerId) => boolean;
