import type { Cid } from "../protocol/cid.ts";
import { decodeEntry, entryBodies, type TypedEntry } from "../protocol/messages/entry.ts";
import { MAX_ENTRY_BYTES } from "../protocol/limits.ts";
import { decode, type Schema } from "../protocol/schema.ts";
import { type Tariff, tariffCid } from "../protocol/tariff.ts";
import { accountName, type Posting } from "./account.ts";
import { changeBy } from "./change.ts";
import { eventOf } from "./ledger-event.ts";
import type { JobState, LeaseState, LedgerLookup } from "./ledger-state.ts";

/** Decodes an entry with its body. @throws WireError when its body is not in it. */
export function typedEntry(data: Uint8Array): TypedEntry {
  const { type, time, body } = decodeEntry(data);
  if (body === undefined) throw new RangeError(`the body of this ${type} entry is kept elsewhere`);
  const schema: Schema<unknown> = entryBodies[type];
  const value = decode(schema, body, MAX_ENTRY_BYTES);
  const entry: unknown = { type, time, body: value };
  if (!isTyped(entry, value)) throw new RangeError("entry has no body");
  return entry;
}

/** `entryBodies` ties the shape of a body to its type; the decoder has just checked it. */
function isTyped(entry: unknown, body: unknown): entry is TypedEntry {
  return typeof entry === "object" && typeof body === "object";
}

/** Recomputes accounts, jobs and leases from the entries of a log, in order. Needs nothing but the entries. */
export class Replay implements LedgerLookup {
  readonly #balances = new Map<string, bigint>();
  readonly #jobs = new Map<Cid, JobState>();
  readonly #leases = new Map<Cid, LeaseState>();
  readonly #tariffs = new Map<Cid, Tariff>();
  #size = 0;
  #time = 0;

  get size(): number {
    return this.#size;
  }

  /** Balances that are not zero, by account name, in micro-credits. */
  get balances(): ReadonlyMap<string, bigint> {
    return this.#balances;
  }

  get jobs(): ReadonlyMap<Cid, JobState> {
    return this.#jobs;
  }

  get leases(): ReadonlyMap<Cid, LeaseState> {
    return this.#leases;
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

  balance(name: string): bigint {
    return this.#balances.get(name) ?? 0n;
  }

  /** Sum over all accounts; zero in a sound log. */
  total(): bigint {
    let sum = 0n;
    for (const balance of this.#balances.values()) sum += balance;
    return sum;
  }

  #post({ account, amount }: Posting): void {
    const name = accountName(account);
    const balance = this.balance(name) + amount;
    if (balance < 0n && account.kind !== "outside") throw new RangeError(`${name} goes below zero`);
    if (balance === 0n) this.#balances.delete(name);
    else this.#balances.set(name, balance);
  }

  /**
   * Takes the next entry.
   * @throws RangeError when time runs backwards, an account would go below zero, or something is unknown.
   */
  append(data: Uint8Array): readonly Posting[] {
    const entry = typedEntry(data);
    if (entry.time < this.#time) throw new RangeError("log time runs backwards");
    this.#time = entry.time;
    if (entry.type === "policy") this.#tariffs.set(tariffCid(entry.body.tariff), entry.body.tariff);
    const change = changeBy(eventOf(entry), { index: this.#size, time: entry.time }, this);
    for (const posting of change.postings) this.#post(posting);
    if (change.job !== undefined) this.#jobs.set(change.job.id, change.job);
    if (change.lease !== undefined) this.#leases.set(change.lease.id, change.lease);
    this.#size += 1;
    return change.postings;
  }
}
