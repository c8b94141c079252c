import type { JobState, LeaseState, LedgerLookup } from "../../ledger/ledger-state.ts";
import type { AuditPolicy } from "../../protocol/audit-policy.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { ApiKey } from "../../protocol/messages/api-key.ts";
import type { RelayKeys } from "../../protocol/messages/entry.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Tariff } from "../../protocol/tariff.ts";
import type { AccountRow, DenialKind } from "../store/books-store.ts";
import type { AuditStanding } from "../store/audit-rows.ts";
import type { PayoutStanding } from "../store/payout-rows.ts";
import type { SiteStanding } from "../store/site-rows.ts";
import type { RunsStanding } from "./run-draft.ts";

/** What the relay announced last, by policy and key-rotate entries. */
export interface Policy {
  readonly keys: RelayKeys;
  readonly tariff: Tariff;
  readonly policy: Cid;
  /** Its numbers for audits; absent where nothing is audited. */
  readonly audit?: AuditPolicy;
}

/** A session of secrets (rule 3). */
export interface Epoch {
  readonly number: number;
  /** Its first entry, and the log time of that. */
  readonly index: number;
  readonly time: number;
}

/** An API key as the log has it. */
export interface ApiKeyState {
  /** CID of the api-key message. */
  readonly id: Cid;
  /** Its entry. */
  readonly index: number;
  readonly terms: ApiKey;
  /** Log times, milliseconds since 1970. */
  readonly created: number;
  readonly revoked?: number;
  readonly revokedIndex?: number;
}

/** How things stand at some point: on the disk, or after operations that are still to be committed. */
export interface Standing extends LedgerLookup {
  /** Entries of the log. */
  readonly size: number;
  /** Log time of the newest entry. */
  readonly time: number;
  /** Micro-credits in all accounts together. */
  readonly issued: bigint;
  /** Absent before the first entry. */
  readonly policy: Policy | undefined;
  jobOf(requester: PeerId, nonce: Uint8Array): Cid | undefined;
  account(peer: PeerId): AccountRow;
  /** Bytes of an entry, committed or not. */
  entry(index: number): Uint8Array | undefined;
  /** The receipt entry of a lease with this seq, looking back from a later one of the same lease. */
  receiptEntry(from: number, seq: number): number | undefined;
  /** Leases of a session key that are not settled. */
  leasesBoundTo(instance: PeerId): readonly Cid[];
  isRevoked(key: PeerId, root: PeerId): boolean;
  apiKey(id: Cid): ApiKeyState | undefined;
  /** @param hash of the key's text, hex. */
  apiKeyOfHash(hash: string): ApiKeyState | undefined;
  /** All that an account ever made, oldest first. */
  apiKeysOf(account: PeerId): readonly ApiKeyState[];
  /** Set aside or spent under a key by jobs opened in the period that begins at `period`, micro-credits. */
  spending(apiKey: Cid, period: number): bigint;
  readonly payouts: PayoutStanding;
  readonly sites: SiteStanding;
  readonly runs: RunsStanding;
  readonly audits: AuditStanding;
  /** The session of secrets that draws follow from now; absent before the first. */
  readonly epoch: Epoch | undefined;
  /** What only the relay knows, by name. */
  secret(name: string): Uint8Array | undefined;
  /** Why an identity is barred. */
  barred(identity: PeerId): string | undefined;
  /** Why the operator denies something. */
  denied(kind: DenialKind, value: string): string | undefined;
}

/** Name of a revocation: a key, as far as it acts for a root. */
export function revocationName(key: PeerId, root: PeerId): string {
  return `${key} ${root}`;
}

/** Name of a policy's numbers for audits. */
export function policyName(policy: Cid, version: number): string {
  return `${policy} ${version}`;
}

export type { JobState, LeaseState };
