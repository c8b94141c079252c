import { hash as hashOnce } from "node:crypto";
import type { LedgerEvent } from "../../src/ledger/ledger-event.ts";
import type { LeaseState, ProviderState } from "../../src/ledger/ledger-state.ts";
import { MemoryLedger } from "../../src/ledger/memory-ledger.ts";
import { providerOf } from "../../src/ledger/provider-record.ts";
import { type Bailiff, carryOut } from "../../src/ledger/sentence.ts";
import { stakeOf } from "../../src/ledger/stake.ts";
import { mayUnbond, vestingOf } from "../../src/ledger/vesting.ts";
import { auditRate } from "../../src/market/audit-rate.ts";
import { type AuditPolicy, PPM } from "../../src/protocol/audit-policy.ts";
import type { Cid } from "../../src/protocol/cid.ts";
import { drawnLeaves, drawSeed } from "../../src/protocol/draw.ts";
import { header, testAsset } from "../../src/protocol/header.ts";
import type { VerdictResult } from "../../src/protocol/messages/audit.ts";
import type { ForfeitBody } from "../../src/protocol/messages/record-entries.ts";
import type { Job } from "../../src/protocol/messages/job.ts";
import type { Lease } from "../../src/protocol/messages/lease.ts";
import type { Receipt } from "../../src/protocol/messages/receipt.ts";
import type { Advance } from "../../src/protocol/messages/task.ts";
import type { PeerId } from "../../src/protocol/peer-id.ts";
import { nativeHmac } from "../../src/relay/books/native-hmac.ts";
import { priceOf, type Tariff } from "../../src/protocol/tariff.ts";
import { fuel, type MicroCredits, microCredits } from "../../src/protocol/units.ts";
import type { Lots } from "./lots.ts";
import type { Names } from "./names.ts";

export const ORIGIN = "simulated/log";
export const HEAD = header(ORIGIN, testAsset(ORIGIN));
const NO_HASH = new Uint8Array(32);

/** Cumulative totals of a lease, as its next receipt states them. */
export interface Totals {
  readonly count: number;
  readonly payable: number;
  readonly fuel: bigint;
  readonly peak: bigint;
  readonly failed: number;
}

/** A leaf that was drawn and has no verdict. */
export interface DrawnLeaf {
  readonly lease: Cid;
  readonly leaf: number;
}

/** What the simulated relay does with leases that end. */
export interface CourtEvents {
  /** Pay of a lease was taken back, so its work is to be done again. */
  voided(lease: Cid): void;
  /** Some of its pay is the provider's for good. */
  released(lease: Cid): void;
  barred(provider: PeerId): void;
}

/**
 * The relay's books without signatures and disk: every event goes through the real ledger, every rate through the real
 * market, every draw through the real lottery, and every verdict through the real sentence.
 */
export class Court implements Bailiff {
  readonly ledger = new MemoryLedger();
  readonly policy: AuditPolicy;
  readonly document: Cid;
  readonly bars = new Set<PeerId>();
  time = 0;
  readonly #names: Names;
  readonly #lots: Lots;
  readonly #tariff: Tariff;
  readonly #events: CourtEvents;
  readonly #unreleased = new Map<PeerId, Set<Cid>>();
  /** Leases of a job that may still change. */
  readonly #open = new Map<Cid, { left: number; readonly leases: Cid[] }>();
  readonly #drawn = new Map<Cid, Set<number>>();
  #secret: Uint8Array;

  constructor(
    policy: AuditPolicy,
    tariff: Tariff,
    { names, lots, events }: { names: Names; lots: Lots; events: CourtEvents },
  ) {
    this.policy = policy;
    this.#tariff = tariff;
    this.#names = names;
    this.#lots = lots;
    this.#events = events;
    this.document = names.cid();
    this.#secret = lots.bytes(32);
    this.ledger.announce({ tariff, policy: this.document, audit: policy });
  }

  #apply(event: LedgerEvent): void {
    this.ledger.apply(event, this.time);
  }

  lease(id: Cid): LeaseState | undefined {
    return this.ledger.lease(id);
  }

  provider(peer: PeerId): ProviderState | undefined {
    return this.ledger.provider(peer);
  }

  job(id: Cid): ReturnType<MemoryLedger["job"]> {
    return this.ledger.job(id);
  }

  tariff(id: Cid): Tariff | undefined {
    return this.ledger.tariff(id);
  }

  audit(policy: Cid, version: number): AuditPolicy | undefined {
    return this.ledger.audit(policy, version);
  }

  experience(provider: ProviderState, payer: PeerId): MicroCredits {
    return this.ledger.experience(provider, payer);
  }

  /** A new epoch: another secret. */
  openEpoch(): void {
    this.#secret = this.#lots.bytes(32);
    this.#apply({ type: "other" });
  }

  fund(account: PeerId, amount: bigint): void {
    this.#apply({ type: "income", account, amount: microCredits(amount) });
  }

  openJob(terms: Job): Cid {
    const job = this.#names.cid();
    this.#apply({ type: "escrow", job, terms, signers: [terms.requester] });
    this.#open.set(job, { left: 0, leases: [] });
    return job;
  }

  addLease(terms: Lease): Cid {
    const lease = this.#names.cid();
    this.#apply({
      type: "lease",
      lease,
      revision: lease,
      terms: { ...terms, policyVersion: this.policy.version },
    });
    const open = this.#open.get(terms.job)!;
    open.left += 1;
    open.leases.push(lease);
    let own = this.#unreleased.get(terms.provider);
    if (own === undefined) this.#unreleased.set(terms.provider, (own = new Set()));
    own.add(lease);
    return lease;
  }

  #receipt(
    lease: LeaseState,
    { count, payable, fuel: burnt, peak, failed }: Totals,
    final: boolean,
  ): Receipt {
    const { terms, newest } = lease;
    const job = this.ledger.job(lease.job)!;
    const totals = { payable, cancelled: 0, fuel: fuel(burnt), bytes: 0n };
    return {
      ...HEAD,
      job: lease.job,
      lease: lease.id,
      rev: 0,
      seq: (newest?.seq ?? 0) + 1,
      provider: terms.provider,
      requester: job.terms.requester,
      workCid: job.terms.work.cid,
      profile: terms.profile,
      policy: terms.policy,
      policyVersion: this.policy.version,
      tariff: terms.tariff,
      tree: "rfc6962-sha256",
      root: NO_HASH,
      count,
      ...totals,
      failed,
      peak: fuel(peak),
      tasksRoot: NO_HASH,
      taskCount: count,
      amount: priceOf(this.#tariff, totals, terms.startFee),
      final,
    };
  }

  /**
   * Logs a receipt and draws. @param everything in the way of a dispute, or of a leaf that other replicas contradict.
   * @returns the leaves to be opened.
   */
  report(id: Cid, totals: Totals, final: boolean, everything = false): readonly DrawnLeaf[] {
    const lease = this.ledger.lease(id)!;
    const receipt = this.#receipt(lease, totals, final);
    const stake = stakeOf(receipt, lease, providerOf(lease.terms.provider, this.ledger), this.#tariff);
    const receiptCid = this.#names.cid();
    const advance: Advance = {
      ...HEAD,
      lease: id,
      receiptCid,
      tasksRoot: NO_HASH,
      taskCount: totals.count,
      close: final,
    };
    const index = this.ledger.size;
    this.#apply({ type: "receipt", lease: id, id: receiptCid, receipt, advance, lost: 0 });
    const seed = drawSeed(this.#secret, ORIGIN, index, this.#entryHash(id, receipt), nativeHmac);
    const rate = (offset: number): number => (everything ? PPM : auditRate(this.policy, stake, offset));
    return this.#draw(id, drawnLeaves(seed, stake.first, stake.end, rate, nativeHmac));
  }

  /**
   * The rate of each outcome of the next report, for who wants to know it beforehand: everything it depends on is public.
   * @param tasks that the report will add. @param meanFuel of one.
   */
  ratesOf(id: Cid, { count, payable, fuel: burnt, peak, failed }: Totals, tasks: number, meanFuel: number) {
    const lease = this.ledger.lease(id)!;
    const next = {
      count: count + tasks,
      payable: payable + tasks,
      fuel: burnt + BigInt(tasks * meanFuel),
      peak: BigInt(meanFuel) > peak ? BigInt(meanFuel) : peak,
      failed,
    };
    const receipt = this.#receipt(lease, next, false);
    const stake = stakeOf(receipt, lease, providerOf(lease.terms.provider, this.ledger), this.#tariff);
    return (offset: number): number => auditRate(this.policy, stake, offset);
  }

  #entryHash(id: Cid, { seq, count, amount }: Pick<Receipt, "seq" | "count" | "amount">): Uint8Array {
    return hashOnce("sha256", `${id} ${seq} ${count} ${amount}`, "buffer");
  }

  #draw(lease: Cid, leaves: readonly number[]): readonly DrawnLeaf[] {
    if (leaves.length === 0) return [];
    let known = this.#drawn.get(lease);
    if (known === undefined) this.#drawn.set(lease, (known = new Set()));
    for (const leaf of leaves) known.add(leaf);
    this.#apply({ type: "draw", lease, leaves: leaves.length });
    return leaves.map((leaf) => ({ lease, leaf }));
  }

  /** Draws one leaf besides, because other replicas say otherwise. */
  refer(lease: Cid, leaf: number): readonly DrawnLeaf[] {
    return this.#drawn.get(lease)?.has(leaf) === true ? [] : this.#draw(lease, [leaf]);
  }

  /** The second draw, by the requester's secret, when its job ends. */
  reveal(job: Cid): readonly DrawnLeaf[] {
    const secret = this.#lots.bytes(32);
    this.#apply({ type: "other" });
    return (this.#open.get(job)?.leases ?? []).flatMap((id) => {
      const newest = this.ledger.lease(id)?.newest;
      if (newest === undefined) return [];
      const seed = drawSeed(secret, ORIGIN, newest.index, this.#entryHash(id, newest), nativeHmac);
      const known = this.#drawn.get(id);
      const leaves = drawnLeaves(seed, 0, newest.count, () => this.policy.requesterPpm, nativeHmac);
      return this.#draw(
        id,
        leaves.filter((leaf) => known?.has(leaf) !== true),
      );
    });
  }

  /** Logs a verdict and does what follows. */
  judge({ lease }: DrawnLeaf, result: VerdictResult): void {
    this.#apply({ type: "verdict", lease, result });
    carryOut(this, lease, result);
  }

  unreleased(provider: PeerId): readonly Cid[] {
    return [...(this.#unreleased.get(provider) ?? [])];
  }

  settle(id: Cid): void {
    const lease = this.ledger.lease(id)!;
    if (lease.state === "settled") return;
    const { newest, job, terms, earned, bound } = lease;
    const body = {
      lease: id,
      job,
      provider: terms.provider,
      ...(newest === undefined ? {} : { receiptIndex: newest.index }),
      paid: earned,
      returned: bound,
      reason: "final",
    } as const;
    this.#apply({ type: "settle", body });
    this.#passOn(job);
    this.#letGo(id);
  }

  forfeit(body: ForfeitBody): void {
    const { job } = this.ledger.lease(body.lease)!;
    this.#apply({ type: "forfeit", body });
    this.#events.voided(body.lease);
    this.#passOn(job);
    this.#letGo(body.lease);
  }

  bar(identity: PeerId): void {
    if (this.bars.has(identity)) return;
    this.bars.add(identity);
    this.#events.barred(identity);
  }

  /** Gives the payer back what is free. */
  closeJob(job: Cid): void {
    const { terms, unbound } = this.ledger.job(job)!;
    this.#apply({ type: "release", body: { job, payer: terms.payer, amount: unbound } });
  }

  #passOn(job: Cid): void {
    const { state, unbound } = this.ledger.job(job)!;
    if (state === "closing" && unbound > 0n) this.closeJob(job);
  }

  /** Forgets a job once nothing of it is left anywhere and every verdict is there. */
  #letGo(id: Cid): void {
    const { state, held, terms, job, drawn, judged } = this.ledger.lease(id)!;
    if (state !== "settled" || held > 0n || drawn > judged) return;
    const own = this.#unreleased.get(terms.provider);
    if (own?.delete(id) !== true) return;
    this.#drawn.delete(id);
    const open = this.#open.get(job)!;
    open.left -= 1;
    const { state: jobState, unbound } = this.ledger.job(job)!;
    if (open.left > 0 || jobState === "open" || unbound > 0n) return;
    this.#open.delete(job);
    this.ledger.forget(job, open.leases);
  }

  /** Makes held pay of a provider its own, or its bond, as far as that is due. */
  vest(peer: PeerId): void {
    for (const id of this.#unreleased.get(peer) ?? []) {
      const lease = this.ledger.lease(id)!;
      if (lease.state !== "settled") continue;
      const body = vestingOf(lease, providerOf(peer, this.ledger), this.policy, this.time);
      if (body !== undefined) {
        this.#apply({ type: "vest", body });
        if (body.released > 0n) this.#events.released(id);
      }
      this.#letGo(id);
    }
  }

  retire(account: PeerId): void {
    if (this.ledger.provider(account) !== undefined) this.#apply({ type: "retire", account });
  }

  unbond(peer: PeerId): void {
    const provider = providerOf(peer, this.ledger);
    if (mayUnbond(provider, this.policy, this.time))
      this.#apply({ type: "unbond", body: { provider: peer, amount: provider.bond } });
  }

  available(peer: PeerId): bigint {
    return this.ledger.balance(`available:${peer}`);
  }
}
