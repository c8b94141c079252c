import type { ProviderState } from "../../ledger/ledger-state.ts";
import type { AuditPolicy } from "../../protocol/audit-policy.ts";
import { toHex } from "../../protocol/bytes.ts";
import { EMPTY_ROOT } from "../../protocol/merkle.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import type { Cid } from "../../protocol/cid.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import { apiKeyMessage, apiKeyRevokeMessage } from "../../protocol/messages/api-key.ts";
import { jobMessage } from "../../protocol/messages/job.ts";
import { leaseMessage } from "../../protocol/messages/lease.ts";
import { keyRevokeMessage } from "../../protocol/messages/session.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { type Tariff, tariffCid } from "../../protocol/tariff.ts";
import { type MicroCredits, microCredits } from "../../protocol/units.ts";
import type { AccountRow, BooksStore, DenialKind, JobRow, LeaseRow } from "../store/books-store.ts";
import type { PayoutStanding } from "../store/payout-rows.ts";
import { CommittedAudits } from "./committed-audits.ts";
import type { Draft } from "./draft.ts";
import { KEPT_STATES } from "./limits.ts";
import { RecentMap } from "./recent-map.ts";
import { CommittedRuns } from "./run-draft.ts";
import { CommittedSites } from "./site-draft.ts";
import {
  type ApiKeyState,
  type Epoch,
  type JobState,
  type LeaseState,
  type Policy,
  policyName,
  revocationName,
  type Standing,
} from "./standing.ts";

const NOTHING = microCredits(0);

/** How things stand on the disk. Reads what is asked for and remembers it; changes only by what was committed. */
export class Committed implements Standing {
  readonly #store: BooksStore;
  readonly #jobs = new RecentMap<Cid, JobState>(KEPT_STATES);
  readonly #leases = new RecentMap<Cid, LeaseState>(KEPT_STATES);
  readonly #accounts = new RecentMap<PeerId, AccountRow>(KEPT_STATES);
  readonly #tariffs = new Map<Cid, Tariff>();
  readonly #policies = new Map<string, AuditPolicy>();
  readonly audits: CommittedAudits;
  readonly sites: CommittedSites;
  readonly runs: CommittedRuns;
  readonly #revocations = new Set<string>();
  readonly #bars = new Map<PeerId, string>();
  readonly #apiKeys = new Map<Cid, ApiKeyState>();
  /** CIDs of api-keys by the hex of their hash, and by account. */
  readonly #apiKeysByHash = new Map<string, Cid>();
  readonly #apiKeysByAccount = new Map<PeerId, Cid[]>();
  readonly #denials = new Map<string, string>();
  size: number;
  root: Uint8Array;
  time: number;
  issued: bigint;
  policy: Policy | undefined;
  epoch: Epoch | undefined;
  /** Whose log and what money it is; absent before the first entry. */
  names: { readonly origin: string; readonly asset: string } | undefined;

  constructor(store: BooksStore) {
    this.#store = store;
    this.audits = new CommittedAudits(store.audits);
    this.sites = new CommittedSites(store.sites);
    this.runs = new CommittedRuns(store.runs, (index) => this.#entry(index));
    const head = store.head();
    this.size = head?.size ?? 0;
    this.root = head?.root ?? EMPTY_ROOT;
    this.time = head?.time ?? 0;
    this.issued = store.issued();
    this.#readPolicies();
    this.#readEpoch();
    for (const index of store.entriesOf("key-revoke")) {
      const { body } = openEnvelope(
        keyRevokeMessage,
        decodeEntryOf("key-revoke", this.#entry(index)).body.envelope,
      );
      this.#revocations.add(revocationName(body.key, body.root));
    }
    for (const index of store.entriesOf("bar")) {
      const { identity, reason } = decodeEntryOf("bar", this.#entry(index)).body;
      this.#bars.set(identity, reason);
    }
    this.#readApiKeys();
    for (const { kind, value, reason } of store.denials())
      this.#denials.set(`${kind} ${value}`, reason ?? "");
  }

  #readPolicies(): void {
    for (const index of this.#store.entriesOf("policy")) {
      const { origin, asset, keys, tariff, policy, audit } = decodeEntryOf("policy", this.#entry(index)).body;
      this.names = { origin, asset };
      this.#tariffs.set(tariffCid(tariff), tariff);
      this.policy = { keys, tariff, policy, ...(audit === undefined ? {} : { audit }) };
      if (audit !== undefined) this.#policies.set(policyName(policy, audit.version), audit);
    }
    for (const index of this.#store.entriesOf("key-rotate")) {
      const { purpose, next } = decodeEntryOf("key-rotate", this.#entry(index)).body;
      if (this.policy !== undefined)
        this.policy = { ...this.policy, keys: { ...this.policy.keys, [purpose]: next } };
    }
  }

  #readEpoch(): void {
    const index = this.#store.entriesOf("epoch-open").at(-1);
    if (index === undefined) return;
    const { time, body } = decodeEntryOf("epoch-open", this.#entry(index));
    this.epoch = { number: body.epoch, index, time };
  }

  #readApiKeys(): void {
    for (const index of this.#store.entriesOf("api-key")) {
      const { time, body } = decodeEntryOf("api-key", this.#entry(index));
      const { id, body: terms } = openEnvelope(apiKeyMessage, body.envelope);
      this.#keepApiKey({ id, index, terms, created: time });
    }
    for (const index of this.#store.entriesOf("api-key-revoke")) {
      const { time, body } = decodeEntryOf("api-key-revoke", this.#entry(index));
      const key = this.#apiKeys.get(openEnvelope(apiKeyRevokeMessage, body.envelope).body.apiKey);
      if (key !== undefined) this.#keepApiKey({ ...key, revoked: time, revokedIndex: index });
    }
  }

  #keepApiKey(key: ApiKeyState): void {
    const { id, terms } = key;
    if (!this.#apiKeys.has(id)) {
      this.#apiKeysByHash.set(toHex(terms.hash), id);
      const others = this.#apiKeysByAccount.get(terms.account) ?? [];
      others.push(id);
      this.#apiKeysByAccount.set(terms.account, others);
    }
    this.#apiKeys.set(id, key);
  }

  apiKey(id: Cid): ApiKeyState | undefined {
    return this.#apiKeys.get(id);
  }

  apiKeyOfHash(hash: string): ApiKeyState | undefined {
    const id = this.#apiKeysByHash.get(hash);
    return id === undefined ? undefined : this.#apiKeys.get(id);
  }

  apiKeysOf(account: PeerId): readonly ApiKeyState[] {
    const ids = this.#apiKeysByAccount.get(account) ?? [];
    return ids.map((id) => this.#apiKeys.get(id)).filter((key) => key !== undefined);
  }

  spending(apiKey: Cid, period: number): bigint {
    return this.#store.spending(apiKey, period);
  }

  audit(policy: Cid, version: number): AuditPolicy | undefined {
    return this.#policies.get(policyName(policy, version));
  }

  provider(peer: PeerId): ProviderState | undefined {
    return this.audits.provider(peer);
  }

  experience({ peer, era }: ProviderState, payer: PeerId): MicroCredits {
    return this.audits.share(peer, era, payer)?.counted ?? NOTHING;
  }

  get payouts(): PayoutStanding {
    return this.#store.payouts;
  }

  entry(index: number): Uint8Array | undefined {
    return this.#store.entry(index);
  }

  receiptEntry(from: number, seq: number): number | undefined {
    return this.#store.receiptEntry(from, seq);
  }

  leasesBoundTo(instance: PeerId): readonly Cid[] {
    return this.#store.leasesBoundTo(instance);
  }

  #entry(index: number): Uint8Array {
    const bytes = this.#store.entry(index);
    if (bytes === undefined) throw new RangeError(`the log keeps no entry ${index}`);
    return bytes;
  }

  job(id: Cid): JobState | undefined {
    const known = this.#jobs.get(id);
    if (known !== undefined) return known;
    const row = this.#store.job(id);
    if (row === undefined) return undefined;
    const job = this.#jobOfRow(row);
    this.#jobs.set(id, job);
    return job;
  }

  #jobOfRow({
    requester: _requester,
    nonce: _nonce,
    expires: _expires,
    work: _work,
    ...row
  }: JobRow): JobState {
    const { envelope } = decodeEntryOf("escrow", this.#entry(row.escrowIndex)).body;
    const { body, signedBy } = openEnvelope(jobMessage, envelope);
    return { ...row, terms: body, signers: signedBy.map(({ key }) => key) };
  }

  lease(id: Cid): LeaseState | undefined {
    const known = this.#leases.get(id);
    if (known !== undefined) return known;
    const row = this.#store.lease(id);
    if (row === undefined) return undefined;
    const lease = this.leaseOfRow(row);
    this.#leases.set(id, lease);
    return lease;
  }

  leaseOfRow({ provider: _provider, instance: _instance, ...row }: LeaseRow): LeaseState {
    const terms = openEnvelope(leaseMessage, this.leaseEnvelope(row.termsIndex)).body;
    return { ...row, terms };
  }

  leaseEnvelope(termsIndex: number): Uint8Array {
    return decodeEntryOf("lease", this.#entry(termsIndex)).body.envelope;
  }

  account(peer: PeerId): AccountRow {
    const known = this.#accounts.get(peer) ?? this.#store.account(peer);
    if (known === undefined)
      return { peer, available: NOTHING, pending: NOTHING, escrowed: NOTHING, earned: NOTHING };
    this.#accounts.set(peer, known);
    return known;
  }

  jobOf(requester: PeerId, nonce: Uint8Array): Cid | undefined {
    return this.#store.jobOf(requester, nonce);
  }

  tariff(id: Cid): Tariff | undefined {
    return this.#tariffs.get(id);
  }

  isRevoked(key: PeerId, root: PeerId): boolean {
    return this.#revocations.size > 0 && this.#revocations.has(revocationName(key, root));
  }

  secret(name: string): Uint8Array | undefined {
    return this.#store.secret(name);
  }

  barred(identity: PeerId): string | undefined {
    return this.#bars.get(identity);
  }

  denied(kind: DenialKind, value: string): string | undefined {
    return this.#denials.get(`${kind} ${value}`);
  }

  /** Takes over what was written just now. */
  absorb(draft: Draft, root: Uint8Array): void {
    this.size = draft.size;
    this.root = root;
    if (draft.entries.length > 0) this.time = draft.time;
    this.issued = draft.issued;
    this.policy = draft.policy;
    this.epoch = draft.epoch;
    for (const [id, job] of draft.jobs) this.#jobs.set(id, job);
    for (const [id, lease] of draft.leases) this.#leases.set(id, lease);
    for (const [peer, account] of draft.accounts) this.#accounts.set(peer, account);
    for (const [id, tariff] of draft.tariffs) this.#tariffs.set(id, tariff);
    for (const [name, policy] of draft.policies) this.#policies.set(name, policy);
    this.audits.absorb(draft.audits.rows());
    const sites = draft.siteRows();
    if (sites !== undefined) this.sites.absorb(sites);
    if (draft.ownRuns !== undefined) this.runs.absorb(draft.ownRuns);
    for (const name of draft.revocations) this.#revocations.add(name);
    for (const key of draft.apiKeys.values()) this.#keepApiKey(key);
    for (const [identity, reason] of draft.bars) this.#bars.set(identity, reason);
    for (const { kind, value, reason } of draft.denials) {
      if (reason === undefined) this.#denials.delete(`${kind} ${value}`);
      else this.#denials.set(`${kind} ${value}`, reason);
    }
  }
}
