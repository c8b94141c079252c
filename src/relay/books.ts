import type { LeaseState } from "../ledger/ledger-state.ts";
import type { Cid } from "../protocol/cid.ts";
import type { Verified } from "../protocol/envelope.ts";
import type { EntryType, RelayKeys } from "../protocol/messages/entry.ts";
import type { ApiKey, ApiKeyRevoke } from "../protocol/messages/api-key.ts";
import type { CloseJob, Job } from "../protocol/messages/job.ts";
import type { Lease } from "../protocol/messages/lease.ts";
import type { Inclusion, ReportAnswer } from "../protocol/messages/receipt.ts";
import type { KeyRevoke } from "../protocol/messages/session.ts";
import type { Cancel } from "../protocol/messages/task.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { AccountView, ApiKeyView, JobView, ReceiptView } from "../protocol/relay-api.ts";
import type { Signer } from "../protocol/signature.ts";
import type { MicroCredits } from "../protocol/units.ts";
import type { AccountHistory } from "./account-history.ts";
import type { AuditBooks } from "./audit-books.ts";
import type { Payouts } from "./payouts.ts";
import type { IsSilent, RunBooks } from "./run-books.ts";
import type { Sites } from "./sites.ts";
import type { KeptBytes } from "./store/books-store.ts";
import type { PublishedRows } from "./store/published-rows.ts";

/**
 * The relay's accounts and log: everything that moves money goes through here and ends as a log entry. Each method
 * either leaves a durable trace before its promise resolves, or throws a FailureError and leaves none. Calls made in the
 * same turn share one durable commit (group commit). Log time comes from the clock given at start and never decreases.
 */
export interface Books {
  readonly origin: string;
  readonly asset: string;
  /** CID of the policy document in force. */
  readonly policy: Cid;

  /** @throws FailureError `wrong-asset` unless the money is test money. */
  grant(account: PeerId, amount: MicroCredits, reference: string): Promise<Inclusion>;

  /**
   * Sets the job's cap aside. The same job CID again answers with the same entry (rule 19).
   * @throws FailureError `insufficient-funds`, `expired`, `replayed` (same requester and nonce, another job), `denied`; of a
   * step of a run also `not-found`, `run-over` and `step-held`.
   * @param isSilent whether another coordinator of the job's run is gone; by default nobody is.
   */
  openJob(job: Verified<Job>, isSilent?: IsSilent): Promise<Inclusion>;

  /** What of a job's escrow is not bound in a lease. */
  unbound(job: Cid): MicroCredits;

  /**
   * Whether a job may have leases now, whoever is to get them.
   * @throws FailureError `not-found`, `lease-ended`, `expired`, `key-revoked`, `run-over`, `bad-signature`.
   */
  requireLeasable(job: Cid): void;

  /** Takes the lease's budget out of the job's escrow (rule 9: the sum of open budgets never exceeds the cap). */
  addLease(lease: Verified<Lease>): Promise<Inclusion>;

  /** Leases of a job that are open, newest revision of each. */
  openLeases(job: Cid): readonly Verified<Lease>[];

  /**
   * Logs a report: verifies both signatures, delegation, that the advance countersigns the receipt, that it names at
   * least as many tasks as there are outcomes, consistency with the receipt before it, price and budget. A report that is
   * already logged (by receipt CID) answers with the same place. A final receipt, or an advance that closes with every
   * named task answered, settles at once; a receipt of a settled lease that states the same work and pay as the last one logged
   * is answered with that one's place. The report's own signature counts only when it declares leaves lost: all else
   * in it proves itself. A receipt that contradicts the logged one bars the session key and ends its leases.
   * @param envelope report envelope.
   * @throws FailureError `bad-signature`, `unknown-lease`, `wrong-provider`, `stale-receipt`, `inconsistent-receipt`,
   * `over-budget`, `lease-ended`, `key-revoked`, `malformed`, `wrong-relay`, `wrong-asset`, `bad-receipt`, `unnamed-task`.
   */
  report(envelope: Uint8Array): Promise<ReportAnswer>;

  /** Draws, verdicts and what follows from them. */
  readonly audits: AuditBooks;

  /** The requester gives a lease back whose provider cannot be reached: frees all but one window until `reportBy`. */
  cancelLease(cancel: Verified<Cancel>): Promise<JobView>;

  /** No further leases; frees what is not bound. Idempotent. */
  closeJob(close: Verified<CloseJob>): Promise<JobView>;

  /**
   * Settles leases past their report time, voids unused ones, releases ended jobs, and makes held pay the providers' own
   * where its audits are over. Called about once a second.
   */
  settleDue(): Promise<number>;

  revokeKey(revoke: Verified<KeyRevoke>): Promise<Inclusion>;
  /** Whether `root` revoked `key`, which acted for it (or was itself). A stranger's revocation of a key means nothing. */
  isRevoked(key: PeerId, root: PeerId): boolean;
  /**
   * Logs what an account lets a key do. The same message again answers with the same entry.
   * @throws FailureError `bad-signature` unless the account itself signed it, `replayed` for a hash that another has,
   * `expired`, `too-large` beyond the keys one account may have, `denied`.
   */
  addApiKey(message: Verified<ApiKey>): Promise<Inclusion>;
  /** From here on no job is opened under the key. @throws FailureError `bad-signature`, `not-found`. */
  revokeApiKey(message: Verified<ApiKeyRevoke>): Promise<Inclusion>;
  /** The key whose text has this SHA-256, in force or not, with what it has left in the period that runs. */
  apiKeyOf(hash: Uint8Array): ApiKeyStanding | undefined;
  /** Keys of an account, newest first. */
  apiKeys(account: PeerId): readonly ApiKeyView[];

  /** Logs that an identity (root or session key) takes no new work and gives none. What it has earned is paid. */
  bar(identity: PeerId, reason: string): Promise<Inclusion>;

  /** The operator's own list of functions and identities that are not served; kept, but not logged. */
  deny(kind: "cid" | "peer", value: string, reason: string): Promise<void>;
  undeny(kind: "cid" | "peer", value: string): Promise<void>;
  /** Why something is denied. */
  denied(kind: "cid" | "peer", value: string): string | undefined;
  denials(): readonly { readonly kind: "cid" | "peer"; readonly value: string; readonly reason: string }[];

  /**
   * Replaces one of the relay's keys; the old one signs the entry, checkpoints after it are signed by the new one. The
   * caller keeps the new seed before it asks for this.
   */
  rotateKey(purpose: keyof RelayKeys, nextSeed: Uint8Array): Promise<Inclusion>;
  /** Signs with one of the relay's keys in force: leases with "lease", draws with "draw". */
  signer(purpose: keyof RelayKeys): Signer;

  /** Money that comes in from outside and goes out again. */
  readonly payouts: Payouts;
  /** Runs of plans, and what they may cost. */
  readonly runs: RunBooks;
  /** Sites that embed the widget, and who gets a part of whose earnings. */
  readonly sites: Sites;

  /** Names of models: kept, but not logged. */
  readonly published: PublishedRows;

  /** What accounts have earned, by time and by what it was earned with. */
  readonly history: AccountHistory;

  account(peer: PeerId): AccountView;
  hasAccount(peer: PeerId): boolean;
  receipts(peer: PeerId, before: number | undefined, limit: number): readonly ReceiptView[];
  job(job: Cid): JobView | undefined;

  size(): number;
  /** The newest signed note; covers every entry whose promise has resolved. */
  checkpoint(): Promise<string>;
  entry(index: number): Uint8Array | undefined;
  /** Entries in a row, and evidence. */
  readonly kept: KeptBytes;
  /** `count` consecutive complete subtrees of a level from `first` on, 32 bytes each. @throws RangeError beyond the log */
  hashes(level: number, first: number, count: number): Uint8Array<ArrayBuffer>;
  inclusion(index: number): Promise<Inclusion>;
  /** @throws FailureError `not-found` for sizes the log never had. */
  consistency(from: number, to: number): readonly Uint8Array[];
  keyRotations(): readonly number[];
  keys(): RelayKeys;

  /** Told after each commit: which accounts changed, up to which entry. */
  onCommit(listener: (commit: Commit) => void): () => void;

  /** A consistent copy of the database while it runs. */
  backup(path: string): Promise<void>;
  close(): void;
}

/** How an API key stands now. */
export interface ApiKeyStanding {
  /** CID of the api-key: what a job names. */
  readonly id: Cid;
  readonly terms: ApiKey;
  readonly state: "in-force" | "revoked" | "expired";
  /** Micro-credits that jobs may still set aside in the period that runs. */
  readonly left: MicroCredits;
}

export interface Commit {
  readonly size: number;
  readonly entries: readonly {
    readonly index: number;
    readonly type: EntryType;
    readonly accounts: readonly PeerId[];
  }[];
  /** Leases that changed, as they are after it. */
  readonly leases: readonly LeaseState[];
}
