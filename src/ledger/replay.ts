import type { Digest } from "../protocol/cid.ts";
import { decodeEntry, entryBodies, type TypedEntry } from "../protocol/messages/entry.ts";
import { MAX_ENTRY_BYTES } from "../protocol/limits.ts";
import { decode, type Schema } from "../protocol/schema.ts";
import type { Posting } from "./account.ts";
import { eventOf } from "./ledger-event.ts";
import { MemoryLedger } from "./memory-ledger.ts";
import { AssignmentReplay } from "./assignment-replay.ts";
import { PayoutReplay } from "./payout-replay.ts";
import { RunReplay } from "./run-replay.ts";

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

/** Recomputes accounts, jobs, leases and records from the entries of a log, in order. Needs nothing but the entries. */
export class Replay extends MemoryLedger {
  #time = 0;
  readonly #digest: Digest | undefined;
  readonly payouts: PayoutReplay = new PayoutReplay();
  readonly assignments: AssignmentReplay = new AssignmentReplay({
    available: (account) => this.balance(`available:${account}`),
    provider: (account) => this.provider(account),
    lease: (id) => this.lease(id),
    hasPayoutAddress: (account) => this.payouts.addresses.has(account),
  });

  readonly runs: RunReplay = new RunReplay({ job: (id) => this.job(id) });

  /** @param digest the runtime's SHA-256 where it can hash at once. */
  constructor(digest?: Digest) {
    super();
    this.#digest = digest;
  }

  /**
   * Takes the next entry.
   * @throws RangeError when time runs backwards, an account would go below zero, something is unknown, or a payout or a
   * transfer breaks its rules.
   */
  append(entry: TypedEntry): readonly Posting[] {
    if (entry.time < this.#time) throw new RangeError("log time runs backwards");
    this.#time = entry.time;
    if (entry.type === "policy") this.announce(entry.body);
    this.payouts.take(entry, this.size);
    this.assignments.judge(entry);
    const place = { index: this.size, time: entry.time };
    const event = eventOf(entry, this.#digest);
    this.runs.take(entry, event, this.size, this.#digest);
    const before = event.type === "receipt" ? this.lease(event.lease) : undefined;
    const postings = this.apply(event, entry.time);
    this.assignments.take(entry, event, place, { before, postings });
    return postings;
  }
}
