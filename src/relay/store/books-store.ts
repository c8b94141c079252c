import type { JobState, LeaseState } from "../../ledger/ledger-state.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { EntryType } from "../../protocol/messages/entry.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import type { AuditRows, AuditStore } from "./audit-rows.ts";
import type { HistoryStore, ShareRow } from "./history-rows.ts";
import type { PayoutRows, PayoutStore } from "./payout-rows.ts";
import type { PublishedRows } from "./published-rows.ts";
import type { RunRows, RunStore } from "./run-rows.ts";
import type { SiteRows, SiteStore } from "./site-rows.ts";

/** What the books keep on disk. Terms of jobs and leases are not repeated here: they are in their entries. */
export type JobRow = Omit<JobState, "terms" | "signers"> & {
  readonly requester: PeerId;
  readonly nonce: Uint8Array;
  /** What is computed. */
  readonly work: Cid;
  /** Log time after which it ends, milliseconds since 1970. */
  readonly expires: number;
};

export type LeaseRow = Omit<LeaseState, "terms"> & {
  readonly provider: PeerId;
  readonly instance: PeerId;
};

/** Balances of one identity. */
export interface AccountRow {
  readonly peer: PeerId;
  readonly available: MicroCredits;
  readonly pending: MicroCredits;
  /** In escrow and leases of the jobs it pays for. */
  readonly escrowed: MicroCredits;
  /** Settled in its favour since it exists. */
  readonly earned: MicroCredits;
}

/** What an identity earned in one hour by log time. */
export interface EarningsRow {
  readonly peer: PeerId;
  /** Start of the hour, milliseconds since 1970. */
  readonly hour: number;
  readonly amount: bigint;
  readonly tasks: number;
}

/** What jobs opened in one period set aside or spent under an api-key. */
export interface SpendingRow {
  readonly apiKey: Cid;
  /** Start of the period, milliseconds since 1970; 0 where the cap counts over the key's life. */
  readonly period: number;
  readonly amount: bigint;
}

export interface EntryRow {
  readonly index: number;
  readonly type: EntryType;
  readonly bytes: Uint8Array;
  /** For a receipt: its seq, and the entry of the receipt of the same lease logged before it. */
  readonly seq?: number;
  readonly previous?: number;
}

/** What is given out as it was kept. */
export interface KeptBytes {
  /** `count` entries of the log from `first` on, or fewer where it ends. */
  entries(first: number, count: number): readonly Uint8Array[];
  /** Two statements that contradict each other, by the CID that a bar's reason names; see ledger/evidence.ts. */
  evidence(cid: Cid): Uint8Array | undefined;
}

/** Two statements that convict somebody, as ledger/evidence.ts has them. */
export interface EvidenceRow {
  /** Of the bytes. */
  readonly cid: Cid;
  readonly bytes: Uint8Array;
}

/** Consecutive complete subtrees of one level, 32 bytes each, beginning with subtree `first`. */
export interface NodeRun {
  readonly level: number;
  readonly first: number;
  readonly hashes: Uint8Array;
}

/** How far the log has come. */
export interface Head {
  readonly size: number;
  readonly root: Uint8Array;
  /** Log time of the last entry, milliseconds since 1970. */
  readonly time: number;
}

export type DenialKind = "cid" | "peer";

export interface Denial {
  readonly kind: DenialKind;
  readonly value: string;
  /** Absent to take the denial back. */
  readonly reason?: string;
}

/** Everything that one group commit writes, in one transaction. Rows replace those of the same key; earnings add up. */
export interface Batch {
  readonly head: Head;
  readonly entries: readonly EntryRow[];
  readonly nodes: readonly NodeRun[];
  readonly jobs: readonly JobRow[];
  readonly leases: readonly LeaseRow[];
  readonly accounts: readonly AccountRow[];
  readonly earnings: readonly EarningsRow[];
  /** Add up like earnings. */
  readonly shares?: readonly ShareRow[];
  readonly denials: readonly Denial[];
  /** Secrets by name: of epochs (rule 3). */
  readonly secrets: readonly { readonly name: string; readonly value: Uint8Array }[];
  /** What is there already stays. */
  readonly evidence: readonly EvidenceRow[];
  readonly spendings: readonly SpendingRow[];
  /** Absent where nothing about records and draws changes. */
  readonly audits?: AuditRows;
  /** Absent where nothing about payouts changes. */
  readonly payouts?: PayoutRows;
  /** Absent where nothing about sites and assignments changes. */
  readonly sites?: SiteRows;
  /** Absent where nothing about runs changes. */
  readonly runs?: RunRows;
}

/**
 * Where the books live. Used by one process at a time and from one thread; answers at once. What `commit` has returned
 * from survives the end of the process and of the machine's power.
 */
export interface BooksStore extends KeptBytes, PublishedRows {
  readonly payouts: PayoutStore;
  readonly sites: SiteStore;
  readonly runs: RunStore;
  readonly audits: AuditStore;
  readonly history: HistoryStore;
  head(): Head | undefined;
  entry(index: number): Uint8Array | undefined;
  /** Entries of a rare type (anything but money of jobs), oldest first. */
  entriesOf(type: EntryType): readonly number[];
  /** Entry of the lease's receipt with this seq, looking back from the receipt entry `from`. */
  receiptEntry(from: number, seq: number): number | undefined;
  /** Entry of the receipt of the same lease that was logged before the receipt entry `index`. */
  previousEntry(index: number): number | undefined;
  /** The stored run that holds subtree `index` of `level`. */
  nodes(level: number, index: number): NodeRun | undefined;

  job(id: Cid): JobRow | undefined;
  /** The job that used up this nonce. */
  jobOf(requester: PeerId, nonce: Uint8Array): Cid | undefined;
  lease(id: Cid): LeaseRow | undefined;
  leasesOf(job: Cid): readonly LeaseRow[];
  /** Leases bound to a session key that are not settled. */
  leasesBoundTo(instance: PeerId): readonly Cid[];
  account(peer: PeerId): AccountRow | undefined;

  /** Leases whose report time, and open jobs whose expiry, is before `time`; at most `limit` of each. */
  due(time: number, limit: number): { readonly leases: readonly Cid[]; readonly jobs: readonly Cid[] };
  /** Leases of a provider that have a receipt with an entry below `before`, newest receipt first. */
  receiptsOf(provider: PeerId, before: number, limit: number): readonly LeaseRow[];
  /** Hours from `from` on, oldest first. */
  earnings(peer: PeerId, from: number): readonly EarningsRow[];

  /** Micro-credits set aside or spent under an api-key in a period. */
  spending(apiKey: Cid, period: number): bigint;

  /** Micro-credits in all accounts and prepared payouts together: what has come in from outside. */
  issued(): bigint;

  denial(kind: DenialKind, value: string): string | undefined;
  denials(): readonly Denial[];
  secret(name: string): Uint8Array | undefined;

  /** All accounts, jobs and leases, for the recomputation from entries. */
  everything(): {
    readonly accounts: readonly AccountRow[];
    readonly jobs: readonly JobRow[];
    readonly leases: readonly LeaseRow[];
    readonly spendings: readonly SpendingRow[];
  };

  /** All or nothing. @throws when the head it builds on is not the stored one, or the disk fails. */
  commit(batch: Batch): void;
  /** A consistent copy while it is used. */
  backup(path: string): Promise<void>;
  close(): void;
}
