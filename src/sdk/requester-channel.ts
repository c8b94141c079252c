import { equalBytes } from "../protocol/bytes.ts";
import type { Cid } from "../protocol/cid.ts";
import type { Unverified, Verified } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { MerkleTree } from "../protocol/merkle.ts";
import { isSealed, isStreamed, type Job } from "../protocol/messages/job.ts";
import type { Lease } from "../protocol/messages/lease.ts";
import type { Receipt } from "../protocol/messages/receipt.ts";
import {
  type Advance,
  encodeTask,
  type OutcomeLeaf,
  outcomeSchema,
  type Task,
  type TaskStep,
} from "../protocol/messages/task.ts";
import { leafHash } from "../protocol/merkle.ts";
import { OutcomeTally } from "../protocol/outcome-tally.ts";
import { decode } from "../protocol/schema.ts";
import { priceOf, type Tariff } from "../protocol/tariff.ts";
import { SealedTasks } from "./sealed-tasks.ts";

/** A lease as the requester uses it. */
export interface HeldLease {
  readonly job: { readonly id: Cid; readonly body: Job };
  readonly lease: Verified<Lease>;
  readonly tariff: Tariff;
}

/** What a requester can bring to the relay. */
export interface ReportMaterial {
  readonly lease: Cid;
  readonly receipt: Uint8Array;
  readonly advance: Uint8Array;
  readonly body: Receipt;
  /** Proof that its outcomes begin with the first `count` of them; nothing when it has not so many. */
  readonly prove: (count: number) => readonly Uint8Array[] | undefined;
}

/** An outcome with its task, kept so that it can be laid open: where a replica differs, or by the requester's share of the draw. */
export interface ShownOutcome {
  /** Its leaf, and the leaf's place in the tree of outcomes. */
  readonly leaf: Uint8Array;
  readonly index: number;
  /** The task it answers, and its place in the tree of tasks. */
  readonly task: Uint8Array;
  readonly seq: number;
}

/** A task without its last outcome, and how far its segments have come. */
interface OpenTask {
  readonly task: Task;
  readonly encoded: Uint8Array;
  segment: number;
  to: number;
  fuel: bigint;
  bytes: number;
}

/**
 * The requester's side of one lease's payment channel: what it named, what came back, which receipt it owes a
 * signature. Holds no clock, key or connection.
 */
export class RequesterChannel {
  readonly held: HeldLease;
  readonly #tasks = new MerkleTree();
  readonly #open = new Map<number, OpenTask>();
  /** Input bytes of the open tasks. */
  #openBytes = 0;
  readonly #tally = new OutcomeTally();
  readonly #seals: SealedTasks;
  /** Of a job whose replicas are compared, until `forget`. By seq. */
  readonly #shown = new Map<number, ShownOutcome>();
  /** Told each outcome that ends its task. */
  readonly #onEnded: ((shown: ShownOutcome, outcome: OutcomeLeaf) => void) | undefined;
  #named = 0;
  #closed = false;
  #receipt: Unverified<Receipt> | undefined;
  #countersigned: { readonly receipt: Unverified<Receipt>; readonly advance: Uint8Array } | undefined;

  constructor(held: HeldLease, onEnded?: (shown: ShownOutcome, outcome: OutcomeLeaf) => void) {
    this.held = held;
    this.#onEnded = onEnded;
    this.#seals = new SealedTasks(isSealed(held.job.body));
  }

  get lease(): Cid {
    return this.held.lease.id;
  }

  get sent(): number {
    return this.#tasks.size;
  }

  get unanswered(): number {
    return this.#open.size;
  }

  /** Tasks below it are named in a signed advance. */
  get named(): number {
    return this.#named;
  }

  /** Outcomes under a verified receipt: final. */
  get finalCount(): number {
    return this.#receipt?.body.count ?? 0;
  }

  get receipt(): Unverified<Receipt> | undefined {
    return this.#receipt;
  }

  /** The last receipt says that nothing will follow, and it is countersigned. */
  get isFinished(): boolean {
    return this.#countersigned?.receipt.body.final === true;
  }

  /** Whether one more task keeps within the lease's window, flight and input limits. */
  get hasRoom(): boolean {
    const { inflightMax, windowMax, holdBytes } = this.held.lease.body;
    const isFree = this.#open.size < inflightMax && this.#openBytes <= holdBytes;
    return !this.#closed && isFree && this.sent < this.#named + windowMax;
  }

  /** Names the next task. */
  name(
    input: { readonly cid: Cid; readonly size: number; readonly step?: TaskStep | undefined },
    salt: Uint8Array,
    seed: Uint8Array,
  ): { readonly task: Task; readonly bytes: Uint8Array } {
    const { limits } = this.held.job.body;
    const task: Task = {
      lease: this.lease,
      seq: this.sent,
      inputCid: input.cid,
      size: input.size,
      salt,
      seed,
      fuelLimit: limits.fuel,
      deadlineMs: limits.deadlineMs,
      stream: isStreamed(this.held.job.body.work),
      ...(input.step === undefined ? {} : { step: input.step }),
    };
    const { bytes, hash } = encodeTask(task);
    this.#tasks.append(hash);
    this.#open.set(task.seq, { task, encoded: bytes, segment: 0, to: 0, fuel: 0n, bytes: 0 });
    this.#openBytes += task.size;
    return { task, bytes };
  }

  /** Takes a seal. @throws FailureError `bad-receipt` where it has no place. */
  seal(seq: number, seal: Uint8Array): void {
    if (!this.#open.has(seq)) throw new FailureError("bad-receipt", "seal: for a task that is not open");
    this.#seals.take(seq, seal);
  }

  /** @returns whether the outcome is to be asked for now. */
  unseal(seq: number): boolean {
    return this.#seals.ask(seq);
  }

  isSealed(seq: number): boolean {
    return this.#seals.has(seq);
  }

  /** Tasks that are sealed and not asked for. */
  get sealed(): readonly number[] {
    return this.#seals.waiting;
  }

  /** The outcome of a replica; nothing before it is there, and after `forget`. */
  shown(seq: number): ShownOutcome | undefined {
    return this.#shown.get(seq);
  }

  /** Nothing will be asked about that outcome any more. */
  forget(seq: number): void {
    this.#shown.delete(seq);
  }

  /** Paths from an outcome and its task to trees of such sizes; nothing where they have not been so large here. */
  paths(
    { index, seq }: ShownOutcome,
    count: number,
    taskCount: number,
  ): { readonly path: readonly Uint8Array[]; readonly taskPath: readonly Uint8Array[] } | undefined {
    if (index >= count || count > this.#tally.count || seq >= taskCount || taskCount > this.sent)
      return undefined;
    return {
      path: this.#tally.inclusionProof(index, count),
      taskPath: this.#tasks.inclusionProof(seq, taskCount),
    };
  }

  /**
   * Takes the next outcome of the provider; the order is that of its tree.
   * @throws FailureError `bad-receipt` unless it answers an open task within its limits.
   */
  outcome(encoded: Uint8Array): OutcomeLeaf {
    const outcome = decode(outcomeSchema, encoded);
    const open = this.#open.get(outcome.seq);
    if (open === undefined || outcome.lease !== this.lease)
      throw new FailureError("bad-receipt", "outcome: for a task that is not open");
    const { task } = open;
    if (outcome.inputCid !== task.inputCid || !equalBytes(outcome.salt, task.salt)) {
      throw new FailureError("bad-receipt", `outcome ${outcome.seq}: of another input`);
    }
    const isDone = outcome.status === "done";
    if (isDone === (outcome.outputCid === undefined) || isDone !== (outcome.code === undefined)) {
      throw new FailureError("bad-receipt", `outcome ${outcome.seq}: neither done nor failed`);
    }
    this.#follow(open, outcome);
    this.#seals.open(outcome);
    this.#show(open.encoded, encoded, outcome);
    if (outcome.end) {
      this.#open.delete(outcome.seq);
      this.#openBytes -= task.size;
    }
    this.#tally.append(leafHash(encoded), outcome, task.size);
    return outcome;
  }

  /** Before it is counted. */
  #show(task: Uint8Array, encoded: Uint8Array, outcome: OutcomeLeaf): void {
    const { seq, seal, end } = outcome;
    if (seal === undefined && (!end || this.#onEnded === undefined)) return;
    const shown = { leaf: encoded.slice(), index: this.#tally.count, task, seq };
    if (seal !== undefined) this.#shown.set(seq, shown);
    if (end) this.#onEnded?.(shown, outcome);
  }

  /**
   * Each segment begins where the one before ended, and all together keep the task's limits. One without units may end a
   * stream, for nothing: else a stream of them would never end, or would cost without giving anything.
   */
  #follow(open: OpenTask, { seq, segment, from, to, fuel, size, end, status }: OutcomeLeaf): void {
    const { task } = open;
    const isPlaced = segment === open.segment && from === open.to && to >= from;
    const isPart = task.stream || (end && to === 0);
    if (!isPlaced || !isPart || (status === "failed" && !end))
      throw new FailureError("bad-receipt", `outcome ${seq}: does not follow on the one before`);
    if (task.stream && to === from && (!end || (status === "done" && fuel > 0n)))
      throw new FailureError("bad-receipt", `outcome ${seq}: a segment in which there is nothing`);
    open.segment += 1;
    open.to = to;
    open.fuel += fuel;
    open.bytes += size;
    if (open.fuel > task.fuelLimit || open.bytes > this.held.job.body.limits.output)
      throw new FailureError("bad-receipt", `outcome ${seq}: beyond the task's limits`);
  }

  /**
   * Whether a receipt follows from what came back. Its signature is verified apart from this.
   * @throws FailureError `bad-receipt` naming what differs.
   */
  checkReceipt(receipt: Unverified<Receipt>): void {
    const { body } = receipt;
    const { job, lease, tariff } = this.held;
    const differs = (what: string): never => {
      throw new FailureError("bad-receipt", `receipt ${body.seq}: ${what}`);
    };
    if (body.lease !== lease.id || body.job !== job.id || body.rev !== lease.body.rev)
      differs("of another lease");
    if (body.origin !== lease.body.origin || body.asset !== lease.body.asset) differs("for another relay");
    if (body.provider !== lease.body.provider || body.requester !== job.body.requester)
      differs("between other parties");
    if (body.workCid !== job.body.work.cid || body.profile !== lease.body.profile) differs("of other work");
    if (body.policyVersion !== lease.body.policyVersion) differs("under another policy");
    if (body.policy !== lease.body.policy || body.tariff !== lease.body.tariff) differs("at another price");
    const last = this.#receipt;
    if (body.seq !== (last?.body.seq ?? 0) + 1 || body.prev !== last?.id)
      differs("does not follow on the one before");
    if (body.count < this.finalCount || body.count > this.#tally.count)
      differs("counts outcomes that did not arrive");
    if (!equalBytes(body.root, this.#tally.root(body.count)))
      differs("its root is not over the outcomes that arrived");
    const totals = this.#tally.totals(body.count);
    const { failed, peak } = this.#tally.auditFields(body.count);
    if (
      body.ended !== this.#tally.endedField(body.count).ended ||
      body.payable !== totals.payable ||
      body.cancelled !== totals.cancelled ||
      body.fuel !== totals.fuel ||
      body.bytes !== totals.bytes ||
      body.failed !== failed ||
      body.peak !== peak
    ) {
      differs("its totals are not those of the outcomes");
    }
    if (body.amount !== priceOf(tariff, totals, lease.body.startFee))
      differs("its amount is not the price of its totals");
    if (body.amount > lease.body.budget) differs("its amount is above the budget");
  }

  /** After its signature was verified. Outcomes below its count are final from here on. */
  acceptReceipt(receipt: Unverified<Receipt>): void {
    this.#receipt = receipt;
    this.#tally.forgetBelow(receipt.body.count);
  }

  /** The next advance to sign: over all tasks sent, countersigning the newest receipt. Nothing when the last says it all. */
  draft(close: boolean): Advance | undefined {
    const isNews =
      this.sent > this.#named || this.#receipt !== this.#countersigned?.receipt || (close && !this.#closed);
    if (!isNews) return undefined;
    const { origin, asset } = this.held.lease.body;
    return {
      ...header(origin, asset),
      lease: this.lease,
      ...(this.#receipt === undefined ? {} : { receiptCid: this.#receipt.id }),
      tasksRoot: this.#tasks.root(),
      taskCount: this.sent,
      close: close || this.#closed,
    };
  }

  /** A draft was signed. `receipt` is the one it names. */
  signed(advance: Advance, bytes: Uint8Array, receipt: Unverified<Receipt> | undefined): void {
    this.#named = Math.max(this.#named, advance.taskCount);
    this.#closed ||= advance.close;
    if (receipt !== undefined) this.#countersigned = { receipt, advance: bytes };
  }

  /** Whether the newest receipt still lacks this side's signature. */
  get owesSignature(): boolean {
    return this.#receipt !== undefined && this.#receipt !== this.#countersigned?.receipt;
  }

  /** The newest countersigned receipt, as a report needs it. */
  report(): ReportMaterial | undefined {
    const newest = this.#countersigned;
    if (newest === undefined) return undefined;
    const { count } = newest.receipt.body;
    return {
      lease: this.lease,
      receipt: newest.receipt.bytes,
      advance: newest.advance,
      body: newest.receipt.body,
      prove: (from) => (from <= count ? this.#tally.consistencyProof(from, count) : undefined),
    };
  }
}
