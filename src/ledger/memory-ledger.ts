import type { AuditPolicy } from "../protocol/audit-policy.ts";
import type { Cid } from "../protocol/cid.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { type Tariff, tariffCid } from "../protocol/tariff.ts";
import { type MicroCredits, microCredits } from "../protocol/units.ts";
import { accountName, accountOwner, type Posting } from "./account.ts";
import { changeBy } from "./change.ts";
import type { LedgerEvent } from "./ledger-event.ts";
import type { ExperienceShare, JobState, LeaseState, LedgerLookup, ProviderState } from "./ledger-state.ts";

function shareName({ peer, era }: Pick<ProviderState, "peer" | "era">, payer: PeerId): string {
  return `${peer} ${era} ${payer}`;
}

/** Accounts, jobs, leases and records in memory: what events make of them, one after the other. */
export class MemoryLedger implements LedgerLookup {
  /** Balances that are not zero, by kind of account and by owner: joining the two for each posting took a tenth of a replay. */
  readonly #balances = new Map<string, Map<string, bigint>>();
  readonly #jobs = new Map<Cid, JobState>();
  readonly #leases = new Map<Cid, LeaseState>();
  readonly #tariffs = new Map<Cid, Tariff>();
  readonly #policies = new Map<string, AuditPolicy>();
  readonly #providers = new Map<PeerId, ProviderState>();
  readonly #experience = new Map<string, ExperienceShare>();
  #size = 0;

  /** Events so far. */
  get size(): number {
    return this.#size;
  }

  /** Balances that are not zero, by account name, in micro-credits. */
  get balances(): ReadonlyMap<string, bigint> {
    const named = new Map<string, bigint>();
    for (const [kind, owners] of this.#balances)
      for (const [owner, balance] of owners) named.set(owner === "" ? kind : `${kind}:${owner}`, balance);
    return named;
  }

  get jobs(): ReadonlyMap<Cid, JobState> {
    return this.#jobs;
  }

  get leases(): ReadonlyMap<Cid, LeaseState> {
    return this.#leases;
  }

  get providers(): ReadonlyMap<PeerId, ProviderState> {
    return this.#providers;
  }

  get shares(): Iterable<ExperienceShare> {
    return this.#experience.values();
  }

  job(id: Cid): JobState | undefined {
    return this.#jobs.get(id);
  }

  lease(id: Cid): LeaseState | undefined {
    return this.#leases.get(id);
  }

  tariff(id: Cid): Tariff | undefined {
    return this.#tariffs.get(id);
  }

  audit(policy: Cid, version: number): AuditPolicy | undefined {
    return this.#policies.get(`${policy} ${version}`);
  }

  provider(peer: PeerId): ProviderState | undefined {
    return this.#providers.get(peer);
  }

  experience(provider: ProviderState, payer: PeerId): MicroCredits {
    return this.#experience.get(shareName(provider, payer))?.counted ?? microCredits(0);
  }

  /** @param name as accountName gives it. */
  balance(name: string): bigint {
    const end = name.indexOf(":");
    const [kind, owner] = end < 0 ? [name, ""] : [name.slice(0, end), name.slice(end + 1)];
    return this.#balances.get(kind)?.get(owner) ?? 0n;
  }

  /** Sum over all accounts; zero in a sound log. */
  total(): bigint {
    let sum = 0n;
    for (const owners of this.#balances.values()) for (const balance of owners.values()) sum += balance;
    return sum;
  }

  /** The rules that hold from here on. */
  announce({
    tariff,
    policy,
    audit,
  }: {
    readonly tariff: Tariff;
    readonly policy: Cid;
    readonly audit?: AuditPolicy;
  }): void {
    this.#tariffs.set(tariffCid(tariff), tariff);
    if (audit !== undefined) this.#policies.set(`${policy} ${audit.version}`, audit);
  }

  #post({ account, amount }: Posting): void {
    let owners = this.#balances.get(account.kind);
    if (owners === undefined) {
      owners = new Map();
      this.#balances.set(account.kind, owners);
    }
    const owner = accountOwner(account);
    const balance = (owners.get(owner) ?? 0n) + amount;
    if (balance < 0n && account.kind !== "outside")
      throw new RangeError(`${accountName(account)} goes below zero`);
    if (balance === 0n) owners.delete(owner);
    else owners.set(owner, balance);
  }

  /**
   * Does what the next event means.
   * @param time log time, milliseconds since 1970.
   * @throws RangeError when an account would go below zero, or something is unknown.
   */
  apply(event: LedgerEvent, time: number): readonly Posting[] {
    const change = changeBy(event, { index: this.#size, time }, this);
    for (const posting of change.postings) this.#post(posting);
    if (change.job !== undefined) this.#jobs.set(change.job.id, change.job);
    if (change.lease !== undefined) this.#leases.set(change.lease.id, change.lease);
    const { provider, experience } = change;
    if (provider !== undefined) this.#providers.set(provider.peer, provider);
    if (experience !== undefined)
      this.#experience.set(
        shareName({ peer: experience.provider, era: experience.era }, experience.payer),
        experience,
      );
    this.#size += 1;
    return change.postings;
  }

  /** Lets go of a job and its leases, when nothing of their money is left anywhere. */
  forget(job: Cid, leases: Iterable<Cid>): void {
    this.#jobs.delete(job);
    for (const lease of leases) this.#leases.delete(lease);
  }
}
