import { workerOf } from "../../ledger/assignment.ts";
import { type Change, changeBy } from "../../ledger/change.ts";
import type { ProviderState } from "../../ledger/ledger-state.ts";
import type { LedgerEvent } from "../../ledger/ledger-event.ts";
import type { AuditPolicy } from "../../protocol/audit-policy.ts";
import { toHex } from "../../protocol/bytes.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { TransferBody } from "../../protocol/messages/assign.ts";
import { encodeEntryOf, type EntryBodies, type EntryType } from "../../protocol/messages/entry.ts";
import type { Job } from "../../protocol/messages/job.ts";
import type { EarningsSplit } from "../../protocol/earnings-json.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { type Tariff, tariffCid } from "../../protocol/tariff.ts";
import { type MicroCredits, microCredits } from "../../protocol/units.ts";
import type {
  AccountRow,
  Denial,
  DenialKind,
  EarningsRow,
  EntryRow,
  EvidenceRow,
  SpendingRow,
} from "../store/books-store.ts";
import type { ShareRow } from "../store/history-rows.ts";
import type { PayoutRows } from "../store/payout-rows.ts";
import type { SiteRows, SiteStanding } from "../store/site-rows.ts";
import { AuditDraft } from "./audit-draft.ts";
import { charge } from "./charging.ts";
import { PayoutDraft } from "./payout-draft.ts";
import { applyPostings } from "./apply-postings.ts";
import { RunDraft, type RunsStanding } from "./run-draft.ts";
import { SiteDraft } from "./site-draft.ts";
import {
  type ApiKeyState,
  type Epoch,
  type JobState,
  type LeaseState,
  policyName,
  type Policy,
  revocationName,
  type Standing,
} from "./standing.ts";

const HOUR_MS = 3_600_000;

/** An entry to be written, and whose accounts it changes. */
export interface DraftEntry extends EntryRow {
  readonly accounts: readonly PeerId[];
}

const OTHER: LedgerEvent = { type: "other" };

/**
 * What operations change, on top of how things stood. An operation writes into a draft of its own, which is thrown away
 * when it fails and absorbed by the batch's draft when it succeeds; so a failing operation leaves no trace.
 */
export class Draft implements Standing {
  readonly #base: Standing;
  /** Entries before its own. */
  readonly #start: number;
  readonly time: number;
  readonly entries: DraftEntry[] = [];
  readonly jobs: Map<Cid, JobState> = new Map();
  readonly leases: Map<Cid, LeaseState> = new Map();
  readonly accounts: Map<PeerId, AccountRow> = new Map();
  readonly earnings: EarningsRow[] = [];
  readonly shares: ShareRow[] = [];
  readonly nonces: Map<string, Cid> = new Map();
  readonly tariffs: Map<Cid, Tariff> = new Map();
  readonly revocations: Set<string> = new Set();
  readonly bars: Map<PeerId, string> = new Map();
  readonly apiKeys: Map<Cid, ApiKeyState> = new Map();
  /** By spendingName. */
  readonly spendings: Map<string, SpendingRow> = new Map();
  readonly denials: Denial[] = [];
  readonly secrets: { readonly name: string; readonly value: Uint8Array }[] = [];
  readonly evidence: EvidenceRow[] = [];
  #payouts: PayoutDraft | undefined;
  #sites: SiteDraft | undefined;
  #runs: RunDraft | undefined;
  readonly audits: AuditDraft;
  readonly policies: Map<string, AuditPolicy> = new Map();
  policy: Policy | undefined;
  epoch: Epoch | undefined;
  issued: bigint;

  /** @param time log time of its entries, not before the base's. */
  constructor(base: Standing, time: number) {
    this.#base = base;
    this.#start = base.size;
    this.time = Math.max(time, base.time);
    this.audits = new AuditDraft(base.audits);
    this.policy = base.policy;
    this.epoch = base.epoch;
    this.issued = base.issued;
  }

  get size(): number {
    return this.#start + this.entries.length;
  }

  /** Most operations do without. */
  get payouts(): PayoutDraft {
    return (this.#payouts ??= new PayoutDraft(this.#base.payouts));
  }

  payoutRows(): PayoutRows | undefined {
    return this.#payouts?.rows();
  }

  get sites(): SiteStanding {
    return this.#sites ?? this.#base.sites;
  }

  /** Sites and assignments, to change them. */
  changeSites(): SiteDraft {
    return (this.#sites ??= new SiteDraft(this.#base.sites));
  }

  siteRows(): SiteRows | undefined {
    return this.#sites?.rows();
  }

  get runs(): RunsStanding {
    return this.#runs ?? this.#base.runs;
  }

  /** Runs, to change them. */
  changeRuns(): RunDraft {
    return (this.#runs ??= new RunDraft(this.#base.runs));
  }

  /** What it changes about runs. */
  get ownRuns(): RunDraft | undefined {
    return this.#runs;
  }

  job(id: Cid): JobState | undefined {
    return this.jobs.get(id) ?? this.#base.job(id);
  }

  lease(id: Cid): LeaseState | undefined {
    return this.leases.get(id) ?? this.#base.lease(id);
  }

  tariff(id: Cid): Tariff | undefined {
    return this.tariffs.get(id) ?? this.#base.tariff(id);
  }

  audit(policy: Cid, version: number): AuditPolicy | undefined {
    return this.policies.get(policyName(policy, version)) ?? this.#base.audit(policy, version);
  }

  provider(peer: PeerId): ProviderState | undefined {
    return this.audits.provider(peer);
  }

  experience({ peer, era }: ProviderState, payer: PeerId): MicroCredits {
    return this.audits.share(peer, era, payer)?.counted ?? microCredits(0);
  }

  account(peer: PeerId): AccountRow {
    return this.accounts.get(peer) ?? this.#base.account(peer);
  }

  jobOf(requester: PeerId, nonce: Uint8Array): Cid | undefined {
    return this.nonces.get(nonceName(requester, nonce)) ?? this.#base.jobOf(requester, nonce);
  }

  #own(index: number): DraftEntry | undefined {
    return this.entries[index - this.#start];
  }

  entry(index: number): Uint8Array | undefined {
    return this.#own(index)?.bytes ?? this.#base.entry(index);
  }

  receiptEntry(from: number, seq: number): number | undefined {
    const own = this.#own(from);
    if (own === undefined) return this.#base.receiptEntry(from, seq);
    if (own.seq === seq) return own.index;
    return own.previous === undefined ? undefined : this.receiptEntry(own.previous, seq);
  }

  leasesBoundTo(instance: PeerId): readonly Cid[] {
    const own = [...this.leases.values()].filter(({ terms }) => terms.instance === instance);
    const ids = new Set([...this.#base.leasesBoundTo(instance), ...own.map(({ id }) => id)]);
    return [...ids].filter((id) => this.lease(id)?.state !== "settled");
  }

  isRevoked(key: PeerId, root: PeerId): boolean {
    const isNew = this.revocations.size > 0 && this.revocations.has(revocationName(key, root));
    return isNew || this.#base.isRevoked(key, root);
  }

  secret(name: string): Uint8Array | undefined {
    return this.secrets.find((secret) => secret.name === name)?.value ?? this.#base.secret(name);
  }

  barred(identity: PeerId): string | undefined {
    return this.bars.get(identity) ?? this.#base.barred(identity);
  }

  apiKey(id: Cid): ApiKeyState | undefined {
    return this.apiKeys.get(id) ?? this.#base.apiKey(id);
  }

  apiKeyOfHash(hash: string): ApiKeyState | undefined {
    const own = [...this.apiKeys.values()].find(({ terms }) => toHex(terms.hash) === hash);
    return own ?? this.#base.apiKeyOfHash(hash);
  }

  apiKeysOf(account: PeerId): readonly ApiKeyState[] {
    const own = [...this.apiKeys.values()].filter(({ terms }) => terms.account === account);
    const ids = new Set(own.map(({ id }) => id));
    return [...this.#base.apiKeysOf(account).filter(({ id }) => !ids.has(id)), ...own];
  }

  setApiKey(key: ApiKeyState): void {
    this.apiKeys.set(key.id, key);
  }

  spending(apiKey: Cid, period: number): bigint {
    return this.spendings.get(spendingName(apiKey, period))?.amount ?? this.#base.spending(apiKey, period);
  }

  spend(row: SpendingRow): void {
    this.spendings.set(spendingName(row.apiKey, row.period), row);
  }

  denied(kind: DenialKind, value: string): string | undefined {
    const own = this.denials.findLast((denial) => denial.kind === kind && denial.value === value);
    return own === undefined ? this.#base.denied(kind, value) : own.reason;
  }

  /**
   * Appends an entry and does what it means.
   * @param event for types that move money; see ledger/ledger-event.ts.
   * @returns the entry's index.
   * @throws RangeError when an account would go below zero: the operation has not checked enough.
   */
  append<K extends EntryType>(
    type: K,
    body: EntryBodies[K],
    event: LedgerEvent = OTHER,
    receipt: Pick<EntryRow, "seq" | "previous"> = {},
  ): number {
    const index = this.size;
    const bytes = encodeEntryOf(type, this.time, body);
    const change = changeBy(event, { index, time: this.time }, this);
    const accounts = applyPostings(this, change);
    const before = event.type === "receipt" ? this.lease(event.lease) : undefined;
    if (event.type === "receipt") this.#earn(event.lease, change);
    if (change.job !== undefined) {
      charge(this, change.job);
      this.jobs.set(change.job.id, change.job);
    }
    if (change.lease !== undefined) this.leases.set(change.lease.id, change.lease);
    if (change.provider !== undefined) this.audits.setProvider(change.provider);
    if (change.experience !== undefined) this.audits.setShare(change.experience);
    if (event.type === "escrow") this.#note(event.job, event.terms);
    this.entries.push({ index, type, bytes, ...receipt, accounts });
    this.#passOn(event, change, before, index);
    return index;
  }

  /** What an entry makes available is divided at once, as its account has assigned it. */
  #passOn(event: LedgerEvent, change: Change, before: LeaseState | undefined, index: number): void {
    const { lease: after, postings } = change;
    const worker = workerOf(event, after);
    if (worker === undefined || this.sites.assignment(worker) === undefined) return;
    const provider = change.provider ?? this.provider(worker);
    const work = { worker, before, after, provider, postings };
    const due = this.changeSites().assignments.follow(event, work, { index, time: this.time });
    if (due !== undefined) this.transfer(due);
  }

  /** Moves money from one account to another, as an assignment says. */
  transfer(body: TransferBody): void {
    const index = this.append("transfer", body, { type: "transfer", body });
    this.changeSites().assignments.transferred(body, { index, time: this.time });
    // What a site brings its owner comes as parts of what visitors earn.
    this.#share(body.to, "site", this.sites.assignment(body.from)?.site, body.amount, 0);
  }

  /** What only escrow entries bring: nonces that are used up, and which job carries out which step of a run. */
  #note(job: Cid, { requester, nonce, run }: Job): void {
    this.nonces.set(nonceName(requester, nonce), job);
    if (run !== undefined) this.changeRuns().addJob({ run: run.id, node: run.node, turn: run.turn, job });
  }

  #earn(id: Cid, { lease, job }: Change): void {
    if (lease?.newest === undefined) return;
    const before = this.lease(id)?.newest;
    const { provider: peer } = lease.terms;
    const amount = lease.earned - (this.lease(id)?.earned ?? 0n);
    const tasks = lease.newest.payable - (before?.payable ?? 0);
    this.earnings.push({ peer, hour: this.#hour, amount, tasks });
    this.#share(peer, "function", job?.terms.work.cid, amount, tasks);
    this.#share(peer, "site", this.sites.assignment(peer)?.site, amount, tasks);
  }

  get #hour(): number {
    return this.time - (this.time % HOUR_MS);
  }

  #share(peer: PeerId, split: EarningsSplit, name: string | undefined, amount: bigint, tasks: number): void {
    if (name !== undefined) this.shares.push({ peer, split, name, hour: this.#hour, amount, tasks });
  }

  /** Money settled in somebody's favour, for the sum that a person sees. */
  countEarned(peer: PeerId, amount: bigint): void {
    const row = this.account(peer);
    this.accounts.set(peer, { ...row, earned: microCredits(row.earned + amount) });
  }

  revoke(key: PeerId, root: PeerId): void {
    this.revocations.add(revocationName(key, root));
  }

  announce(policy: Policy): void {
    this.policy = policy;
    this.tariffs.set(tariffCid(policy.tariff), policy.tariff);
    if (policy.audit !== undefined)
      this.policies.set(policyName(policy.policy, policy.audit.version), policy.audit);
  }

  get isEmpty(): boolean {
    return this.entries.length === 0 && this.denials.length === 0 && this.#sites === undefined;
  }

  /** Takes over what a draft on top of this one has changed. */
  absorb(other: Draft): void {
    for (const entry of other.entries) this.entries.push(entry);
    for (const row of other.earnings) this.earnings.push(row);
    for (const row of other.shares) this.shares.push(row);
    for (const denial of other.denials) this.denials.push(denial);
    for (const secret of other.secrets) this.secrets.push(secret);
    for (const row of other.evidence) this.evidence.push(row);
    takeOver(this.jobs, other.jobs);
    takeOver(this.leases, other.leases);
    takeOver(this.accounts, other.accounts);
    takeOver(this.nonces, other.nonces);
    takeOver(this.tariffs, other.tariffs);
    takeOver(this.bars, other.bars);
    takeOver(this.apiKeys, other.apiKeys);
    takeOver(this.spendings, other.spendings);
    takeOver(this.policies, other.policies);
    this.audits.absorb(other.audits.rows());
    for (const name of other.revocations) this.revocations.add(name);
    const payouts = other.payoutRows();
    if (payouts !== undefined) this.payouts.absorb(payouts);
    const sites = other.siteRows();
    if (sites !== undefined) this.changeSites().absorb(sites);
    if (other.#runs !== undefined) this.changeRuns().absorb(other.#runs);
    this.policy = other.policy;
    this.epoch = other.epoch;
    this.issued = other.issued;
  }
}

function takeOver<K, V>(into: Map<K, V>, from: ReadonlyMap<K, V>): void {
  if (from.size > 0) for (const [key, value] of from) into.set(key, value);
}

function spendingName(apiKey: Cid, period: number): string {
  return `${apiKey} ${period}`;
}

function nonceName(requester: PeerId, nonce: Uint8Array): string {
  return `${requester} ${Buffer.from(nonce).toString("hex")}`;
}
