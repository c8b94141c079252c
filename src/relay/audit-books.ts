import type { JobState, LeaseState, ProviderState } from "../ledger/ledger-state.ts";
import type { AuditPolicy } from "../protocol/audit-policy.ts";
import type { Cid } from "../protocol/cid.ts";
import type { Verified } from "../protocol/envelope.ts";
import type { Draw, Referee, RefereeAnswer, Retire, Reveal, Verdict } from "../protocol/messages/audit.ts";
import type { Inclusion, Receipt, ReportAnswer } from "../protocol/messages/receipt.ts";
import type { Advance } from "../protocol/messages/task.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { DrawRow } from "./store/audit-rows.ts";

/** The part of the books that is about audits; see Books for what holds of each method. */
export interface AuditBooks {
  /**
   * Logs a receipt whose requester does not countersign: every new outcome is drawn, and the lease is settled.
   * @param envelope dispute envelope.
   * @throws FailureError as `report`; `unsupported` under a policy that audits nothing.
   */
  dispute(envelope: Uint8Array): Promise<ReportAnswer>;

  /**
   * Logs the requester's share of the draw and draws by it. The same message again answers with its entry.
   * @throws FailureError `bad-signature`, `malformed` for another secret than the job committed to, `not-found`.
   */
  reveal(message: Verified<Reveal>): Promise<Inclusion>;

  /**
   * Draws what the requester of replicas asks to have recomputed, once for each outcome, and says how far that is.
   * @throws FailureError `bad-signature`, `unknown-lease`, `not-found`, `malformed`, `unsupported` where nothing is replicated
   * or audited, `rate-limited` beyond what is recomputed of one lease.
   */
  referee(message: Verified<Referee>): Promise<RefereeAnswer>;

  /** Numbers for audits in force; absent where nothing is audited. */
  readonly policy: AuditPolicy | undefined;

  /** What is known of a drawn outcome. */
  drawn(entry: number, leaf: number): DrawnOutcome | undefined;
  /** Drawn outcomes without a verdict whose time to open is before `time`, oldest first. */
  unjudged(time: number, limit: number): readonly DrawRow[];
  unjudgedOf(lease: Cid): readonly DrawRow[];

  /**
   * Logs a verdict and everything that follows from it in one transaction, once for each drawn outcome: a later one about
   * the same outcome answers with the first. Signed by the draw key.
   * @throws FailureError `not-found` for what was not drawn, `bad-signature`.
   */
  judge(verdict: Verified<Verdict>): Promise<Inclusion>;

  /** A provider asks for its held pay and its bond, and begins anew. @throws FailureError `bad-signature`, `replayed`. */
  retire(message: Verified<Retire>): Promise<Inclusion>;
  /** A claim of a provider about its machine was proven false: its record begins anew. Nothing happens to one without a record. */
  reset(provider: PeerId, reason: string): Promise<void>;
  /** The record of somebody who has had a lease. */
  provider(peer: PeerId): ProviderState | undefined;
  /** Why an identity is barred by the log. */
  barred(identity: PeerId): string | undefined;
}

/** A disputed receipt counts from where the one logged before it ends. */
export interface DisputedReceipt {
  /** Absent where it is the lease's first. */
  readonly before?: Receipt;
}

/** A drawn outcome with what it is judged by. */
export interface DrawnOutcome {
  readonly row: DrawRow;
  readonly source: Draw["source"];
  /** The receipt that was drawn from, and the advance that names its tasks. */
  readonly receipt: Receipt;
  readonly advance: Advance;
  /** Of a dispute: what of the receipt the requester has not countersigned, which nobody but the relay has looked at. */
  readonly dispute?: DisputedReceipt;
  readonly lease: LeaseState;
  readonly job: JobState;
}
