import type { AuditPolicy } from "../protocol/audit-policy.ts";
import { type Cid, cidOf, RAW } from "../protocol/cid.ts";
import { header } from "../protocol/header.ts";
import { leafHash, MerkleTree } from "../protocol/merkle.ts";
import type { Job } from "../protocol/messages/job.ts";
import type { Lease } from "../protocol/messages/lease.ts";
import type { Receipt } from "../protocol/messages/receipt.ts";
import type { Advance } from "../protocol/messages/task.ts";
import { type PeerId, peerIdFromKey } from "../protocol/peer-id.ts";
import { priceOf, type Tariff, tariffCid } from "../protocol/tariff.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { fuel, type MicroCredits, microCredits } from "../protocol/units.ts";
import { accountName } from "./account.ts";
import { type Change, changeBy } from "./change.ts";
import type { LedgerEvent } from "./ledger-event.ts";
import type { ExperienceShare, JobState, LeaseState, LedgerLookup, ProviderState } from "./ledger-state.ts";

/** Accounts without a relay: events happen, nobody signs, balances are kept the slow and obvious way. */

export const HEAD = header("localhost/log", "test:localhost/log");
export const TARIFF: Tariff = {
  perGfuel: microCredits(1_000),
  perTask: microCredits(10),
  perKiB: microCredits(1),
  perInstantiation: microCredits(1),
};
export const START_FEE = microCredits(2);

export function named(name: string): Cid {
  return cidOf(RAW, encodeUtf8(name));
}

export function peerOf(number: number): PeerId {
  return peerIdFromKey(new Uint8Array(32).fill(number + 1));
}

export const PAYER = peerOf(200);

export function jobTerms(changes: Partial<Job> = {}): Job {
  return {
    ...HEAD,
    requester: PAYER,
    payer: PAYER,
    nonce: new Uint8Array(16),
    issuedAt: 0,
    expires: 1_000_000,
    work: { kind: "function", cid: named("work"), entry: "run", abi: "bytes-1", profile: 0, effects: [] },
    argsCid: named("arguments"),
    limits: { fuel: fuel(1_000_000), memory: 65_536, output: 1_024, deadlineMs: 1_000 },
    maxTasks: 1_000,
    parallel: 4,
    cap: microCredits(10_000),
    tariffMax: TARIFF,
    verify: { policy: "sampled", k: 1, disclosure: "relay", drawCommit: new Uint8Array(32) },
    ...changes,
  };
}

export function leaseTerms(job: Cid, provider: PeerId, changes: Partial<Lease> = {}): Lease {
  return {
    ...HEAD,
    job,
    rev: 0,
    provider,
    instance: provider,
    requesterKey: PAYER,
    replica: 0,
    gateway: false,
    budget: microCredits(1_000),
    tariff: tariffCid(TARIFF),
    profile: 0,
    policy: named("policy"),
    windowMax: 4,
    inflightMax: 4,
    startFee: START_FEE,
    disputeDeposit: microCredits(0),
    holdBytes: 0,
    issuedAt: 0,
    firstTaskMs: 10,
    dispatchMs: 50,
    reportMs: 100,
    openMs: 100,
    escrowIndex: 0,
    checkpoint: "",
    ...changes,
  };
}

/** Leaves named after their tree and place. */
export function grow(tree: MerkleTree, name: string, count: number): void {
  for (let i = 0; i < count; i += 1) tree.append(leafHash(encodeUtf8(`${name} ${tree.size}`)));
}

export class Accounts implements LedgerLookup {
  readonly balances = new Map<string, bigint>();
  readonly jobs = new Map<Cid, JobState>();
  readonly leases = new Map<Cid, LeaseState>();
  readonly providers = new Map<PeerId, ProviderState>();
  readonly shares = new Map<string, ExperienceShare>();
  /** Numbers for audits under policies with this version; nothing is audited without. */
  policy: AuditPolicy | undefined;
  /** What was paid for each lease by settling. */
  readonly paid = new Map<Cid, bigint>();
  index = 0;
  time = 0;

  job(id: Cid): JobState | undefined {
    return this.jobs.get(id);
  }

  lease(id: Cid): LeaseState | undefined {
    return this.leases.get(id);
  }

  tariff(id: Cid): Tariff | undefined {
    return id === tariffCid(TARIFF) ? TARIFF : undefined;
  }

  audit(_policy: Cid, version: number): AuditPolicy | undefined {
    return this.policy?.version === version ? this.policy : undefined;
  }

  provider(peer: PeerId): ProviderState | undefined {
    return this.providers.get(peer);
  }

  experience({ peer, era }: ProviderState, payer: PeerId): MicroCredits {
    return this.shares.get(`${peer} ${era} ${payer}`)?.counted ?? microCredits(0);
  }

  balance(name: string): bigint {
    return this.balances.get(name) ?? 0n;
  }

  happens(event: LedgerEvent): Change {
    const change = changeBy(event, { index: this.index, time: this.time }, this);
    this.index += 1;
    for (const { account, amount } of change.postings) {
      const name = accountName(account);
      this.balances.set(name, this.balance(name) + amount);
    }
    if (change.job !== undefined) this.jobs.set(change.job.id, change.job);
    if (change.lease !== undefined) this.leases.set(change.lease.id, change.lease);
    const { provider, experience } = change;
    if (provider !== undefined) this.providers.set(provider.peer, provider);
    if (experience !== undefined)
      this.shares.set(`${experience.provider} ${experience.era} ${experience.payer}`, experience);
    if (event.type === "settle")
      this.paid.set(event.body.lease, (this.paid.get(event.body.lease) ?? 0n) + event.body.paid);
    return change;
  }
}

/** The outcomes and tasks of one lease, and receipts over them. */
export class Outcomes {
  readonly lease: LeaseState;
  readonly outcomes = new MerkleTree();
  readonly tasks = new MerkleTree();
  #seq = 0;
  #prev: Cid | undefined;

  constructor(lease: LeaseState) {
    this.lease = lease;
  }

  receipt(job: JobState, changes: Partial<Receipt> = {}): { readonly id: Cid; readonly receipt: Receipt } {
    const count = changes.count ?? this.outcomes.size;
    const totals = { payable: count, cancelled: 0, fuel: fuel(count * 900_000), bytes: BigInt(count * 100) };
    this.#seq += 1;
    const { terms } = this.lease;
    const receipt: Receipt = {
      ...HEAD,
      job: job.id,
      lease: this.lease.id,
      rev: 0,
      seq: this.#seq,
      ...(this.#prev === undefined ? {} : { prev: this.#prev }),
      provider: terms.provider,
      requester: job.terms.requester,
      workCid: job.terms.work.cid,
      profile: 0,
      policy: terms.policy,
      tariff: terms.tariff,
      tree: "rfc6962-sha256",
      root: this.outcomes.root(),
      count,
      ...totals,
      tasksRoot: this.tasks.root(),
      taskCount: this.tasks.size,
      amount: priceOf(TARIFF, { ...totals, ...changes }, START_FEE),
      final: false,
      ...changes,
    };
    const id = named(`${this.lease.id} receipt ${this.#seq}`);
    this.#prev = id;
    return { id, receipt };
  }

  advance(receiptCid: Cid, changes: Partial<Advance> = {}): Advance {
    return {
      ...HEAD,
      lease: this.lease.id,
      receiptCid,
      tasksRoot: this.tasks.root(),
      taskCount: this.tasks.size,
      close: false,
      ...changes,
    };
  }
}
