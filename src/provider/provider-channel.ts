import { equalBytes } from "../protocol/bytes.ts";
import { type Cid } from "../protocol/cid.ts";
import type { Verified } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import type { FailureCode } from "../protocol/failure-code.ts";
import { header } from "../protocol/header.ts";
import { EMPTY_ROOT, leafHash, MerkleTree } from "../protocol/merkle.ts";
import { isSealed, isStreamed } from "../protocol/messages/job.ts";
import { countedTasks, type Receipt } from "../protocol/messages/receipt.ts";
import {
  type Advance,
  encodeOutcome,
  type OutcomeLeaf,
  type Task,
  taskSchema,
} from "../protocol/messages/task.ts";
import { OutcomeTally } from "../protocol/outcome-tally.ts";
import { decode } from "../protocol/schema.ts";
import { priceOf } from "../protocol/tariff.ts";
import { type Fuel, fuel, type MicroCredits, microCredits } from "../protocol/units.ts";
import type { WorkOrder } from "./check-open.ts";
import type { Claim } from "./lease-ends.ts";

/** How a task ended, before it becomes a leaf. */
export type TaskEnd =
  | {
      readonly kind: "done";
      readonly outputCid: Cid;
      readonly size: number;
      readonly fuel: Fuel;
      /** CID (raw) of the record, where it is an effect. */
      readonly effectsCid?: Cid;
    }
  | { readonly kind: "failed"; readonly code: FailureCode; readonly fuel: Fuel };

/** Which part of a stream an outcome is. */
export interface StreamPart {
  /** Units up to here are told; what came before follows from the parts before. */
  readonly to: number;
  readonly stateHash?: Uint8Array;
  /** Nothing of this task follows. */
  readonly end: boolean;
}

/** How far a stream has come. */
interface StreamProgress {
  readonly segment: number;
  readonly to: number;
}

const WHOLE: StreamPart = { to: 0, end: true };
const BEGINNING: StreamProgress = { segment: 0, to: 0 };

/** A receipt with its countersignature, as it is kept for the relay. */
export interface CountersignedReceipt {
  readonly lease: Cid;
  readonly count: number;
  readonly seq: number;
  readonly amount: MicroCredits;
  readonly final: boolean;
  /** Envelopes. */
  readonly receipt: Uint8Array;
  readonly advance: Uint8Array;
  /** Earlier counts the relay may have logged, newest first, each with the proof that this one extends it. */
  readonly bases: readonly { readonly count: number; readonly proof: readonly Uint8Array[] }[];
  /** Proof that the first `to` outcomes begin with the first `from`, while the tab lives; `to` at most `count`. */
  readonly prove: (from: number, to: number) => readonly Uint8Array[];
}

interface SignedReceipt {
  readonly id: Cid;
  readonly bytes: Uint8Array;
  readonly body: Receipt;
}

/** Receipts the relay may have logged before, kept for a start after a crash; while the tab lives, any count can be proven. */
const BASES_KEPT = 16;

/**
 * The provider's side of one lease's payment channel: which tasks were named, what came of them, what was signed.
 * Holds no clock, key or connection; the session around it does.
 */
export class ProviderChannel {
  readonly order: WorkOrder;
  readonly #tasks = new MerkleTree();
  readonly #tally = new OutcomeTally();
  /** Ended, but not leaves yet: the requester has not asked for them. By seq, with the bytes that they cost. */
  readonly #sealed = new Map<number, { readonly fuel: Fuel; readonly bytes: number }>();
  /** Input bytes of tasks not answered yet, by seq, and their sum. */
  readonly #sizes = new Map<number, number>();
  #heldBytes = 0;
  /** Streams that have begun and not ended, by seq. */
  readonly #streams = new Map<number, StreamProgress>();
  /** The newest signed head: tasks below it were named by the requester. */
  #named = 0;
  #namedRoot: Uint8Array = EMPTY_ROOT;
  #closed = false;
  /** Outcomes before it answer named tasks; the seqs of those from there on, in order. */
  #signable = 0;
  #unnamed: number[] = [];
  #receipts: SignedReceipt[] = [];
  #countersigned = 0;
  #bases: number[] = [];

  constructor(order: WorkOrder) {
    this.order = order;
  }

  get lease(): Cid {
    return this.order.lease.id;
  }

  /** Tasks received. */
  get received(): number {
    return this.#tasks.size;
  }

  /** Outcomes so far. */
  get count(): number {
    return this.#tally.count;
  }

  /** Tasks received that have not ended. */
  get unanswered(): number {
    return this.#tasks.size - this.#tally.ended();
  }

  /** Outcomes under a countersigned receipt. */
  get countersignedCount(): number {
    return this.#countersigned;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** All that was named is answered, and the requester will name no more. */
  get complete(): boolean {
    return this.#closed && this.unanswered === 0 && this.#named === this.#tasks.size;
  }

  /**
   * Takes the header of the next task.
   * @throws FailureError `malformed` unless it follows on the one before and keeps the job's limits, `window-exceeded`
   * when the inputs held already are more than the lease's `holdBytes`.
   */
  receive(encoded: Uint8Array): Task {
    const task = decode(taskSchema, encoded);
    const { limits, maxTasks } = this.order.job.body;
    if (task.lease !== this.lease) throw new FailureError("malformed", "task: of another lease");
    if (task.seq !== this.#tasks.size)
      throw new FailureError("malformed", `task: seq ${task.seq}, expected ${this.#tasks.size}`);
    if (this.#closed) throw new FailureError("malformed", "task: after the requester closed the lease");
    if (task.stream !== isStreamed(this.order.job.body.work))
      throw new FailureError("malformed", "task: is a stream where the work is none, or the other way round");
    if ((task.step === undefined) !== (this.order.job.body.run === undefined))
      throw new FailureError(
        "malformed",
        "task: is a step where its job is of no run, or the other way round",
      );
    if (task.seq >= maxTasks) throw new FailureError("malformed", `task: more than the job's ${maxTasks}`);
    if (task.fuelLimit > limits.fuel || task.deadlineMs > limits.deadlineMs) {
      throw new FailureError("malformed", "task: its limits are above the job's");
    }
    const { holdBytes } = this.order.lease.body;
    if (this.#heldBytes > holdBytes)
      throw new FailureError("window-exceeded", `more than ${holdBytes} bytes of unanswered inputs`);
    this.#tasks.append(leafHash(encoded));
    this.#sizes.set(task.seq, task.size);
    this.#heldBytes += task.size;
    return task;
  }

  /** Whether a task may run: named, or within the window the lease lets the provider risk (rule 1). */
  mayRun(seq: number, running: number = 0): boolean {
    const { windowMax } = this.order.lease.body;
    // Nobody knows when what is sealed will be asked for, so what runs counts as if it were sealed already.
    const risked = isSealed(this.order.job.body) ? running : 0;
    return seq < this.#named + windowMax && this.#risk + risked < 2 * windowMax;
  }

  /** Whether one more outcome keeps what is not countersigned within what the lease lets the provider risk (rules 6, 15). */
  mayTell(): boolean {
    return this.#risk < 2 * this.order.lease.body.windowMax;
  }

  /** Outcomes without a countersignature, those under seal included. */
  get #risk(): number {
    return this.count + this.#sealed.size - this.#countersigned;
  }

  /** A task has ended in a way that pays, and its outcome is kept until the requester asks for it. */
  keepSealed({ seq, size }: Task, end: TaskEnd): void {
    const output = end.kind === "done" ? end.size : 0;
    this.#sealed.set(seq, { fuel: end.fuel, bytes: size + output });
  }

  /** Whether the budget still covers `started` tasks at the job's limits, `inputBytes` of input in all, on top of what is earned. */
  coversNext(started: number, inputBytes: number): boolean {
    const { limits } = this.order.job.body;
    const totals = this.#tally.totals();
    let sealedFuel = 0n;
    let sealedBytes = 0;
    for (const sealed of this.#sealed.values()) {
      sealedFuel += sealed.fuel;
      sealedBytes += sealed.bytes;
    }
    const worst = {
      ...totals,
      payable: totals.payable + this.#sealed.size + started,
      fuel: fuel(totals.fuel + sealedFuel + limits.fuel * BigInt(started)),
      bytes: totals.bytes + BigInt(sealedBytes + inputBytes + limits.output * started),
    };
    return priceOf(this.order.tariff, worst, this.order.lease.body.startFee) <= this.order.lease.body.budget;
  }

  /** Takes an advance whose root fits the tasks received. @throws FailureError `unnamed-task` or `malformed` otherwise. */
  checkAdvance(advance: Advance): void {
    if (advance.lease !== this.lease) throw new FailureError("malformed", "advance: of another lease");
    if (advance.taskCount > this.#tasks.size)
      throw new FailureError("malformed", "advance: names tasks that were not sent");
    if (!equalBytes(this.#tasks.root(advance.taskCount), advance.tasksRoot)) {
      throw new FailureError("unnamed-task", "advance: its root is not over the tasks that were sent");
    }
    if (advance.close && advance.taskCount < this.#tasks.size)
      throw new FailureError("unnamed-task", "advance: closes the lease over fewer tasks than were sent");
  }

  /**
   * After its signature was verified. Answers with the receipt it countersigns, if that is news.
   * @throws FailureError `unnamed-task` when it countersigns outcomes of tasks that it does not name: nobody would pay them.
   */
  accept(advance: Verified<Advance>): CountersignedReceipt | undefined {
    const { body } = advance;
    if (body.taskCount >= this.#named) {
      this.#named = body.taskCount;
      this.#namedRoot = body.tasksRoot;
    }
    if (body.close) this.#closed = true;
    this.#passNamed();
    const index = this.#receipts.findIndex((receipt) => receipt.id === body.receiptCid);
    const receipt = this.#receipts[index];
    if (receipt === undefined || receipt.body.count < this.#countersigned) return undefined;
    const tasks = countedTasks(receipt.body);
    if (tasks > body.taskCount)
      throw new FailureError(
        "unnamed-task",
        `advance: countersigns ${tasks} tasks and names ${body.taskCount}`,
      );
    // Who names fewer tasks than before counts for nothing at the relay either.
    if (body.taskCount < this.#named) return undefined;
    this.#receipts = this.#receipts.slice(index);
    return this.#countersign(receipt, advance.bytes);
  }

  /** Moves on to the first outcome whose task is not named. */
  #passNamed(): void {
    const passed = this.#unnamed.findIndex((seq) => seq >= this.#named);
    const count = passed === -1 ? this.#unnamed.length : passed;
    this.#signable += count;
    this.#unnamed = this.#unnamed.slice(count);
  }

  #countersign(receipt: SignedReceipt, advance: Uint8Array): CountersignedReceipt {
    const { count, seq, amount, final } = receipt.body;
    this.#countersigned = count;
    const bases = this.#bases
      .filter((base) => base < count)
      .map((base) => ({ count: base, proof: this.#tally.consistencyProof(base, count) }));
    this.#bases = [count, ...this.#bases.filter((base) => base < count)].slice(0, BASES_KEPT);
    this.#tally.forgetBelow(count);
    const prove = (from: number, to: number): Uint8Array[] => this.#tally.consistencyProof(from, to);
    return { lease: this.lease, count, seq, amount, final, receipt: receipt.bytes, advance, bases, prove };
  }

  /** What the end of a task, or of a part of a stream, will be as the next leaf of that task. */
  leaf(task: Task, end: TaskEnd, part: StreamPart = WHOLE, seal?: Uint8Array): OutcomeLeaf {
    const before = this.#streams.get(task.seq) ?? BEGINNING;
    const to = Math.max(part.to, before.to);
    return {
      lease: this.lease,
      seq: task.seq,
      segment: before.segment,
      from: before.to,
      to,
      inputCid: task.inputCid,
      salt: task.salt,
      status: end.kind,
      ...(end.kind === "done" ? { outputCid: end.outputCid, size: end.size } : { code: end.code, size: 0 }),
      fuel: end.fuel,
      ...(part.stateHash === undefined ? {} : { stateHash: part.stateHash }),
      ...(end.kind === "done" && end.effectsCid !== undefined ? { effectsCid: end.effectsCid } : {}),
      end: part.end,
      ...(seal === undefined ? {} : { seal }),
    };
  }

  /** Turns the end of a task, or of a part of a stream, into the next leaf. @param seal nonce of an outcome that was sealed */
  finish(
    task: Task,
    end: TaskEnd,
    part: StreamPart = WHOLE,
    seal?: Uint8Array,
  ): { readonly bytes: Uint8Array; readonly outcome: OutcomeLeaf } {
    const outcome = this.leaf(task, end, part, seal);
    const leaf = encodeOutcome(outcome);
    this.#sealed.delete(task.seq);
    const inputBytes = this.#sizes.get(task.seq) ?? 0;
    this.#tally.append(leaf.hash, outcome, inputBytes);
    this.#unnamed.push(task.seq);
    this.#passNamed();
    if (part.end) {
      this.#heldBytes -= inputBytes;
      this.#sizes.delete(task.seq);
      this.#streams.delete(task.seq);
    } else {
      this.#streams.set(task.seq, { segment: outcome.segment + 1, to: outcome.to });
    }
    return { bytes: leaf.bytes, outcome };
  }

  /**
   * The next receipt to sign, or nothing when the last one says it all. It counts outcomes up to the first one whose task
   * is not named: nobody could prove later what that one answered, and so not open it when it is drawn (rule 1).
   */
  draft(final: boolean): Receipt | undefined {
    const last = this.#receipts[this.#receipts.length - 1];
    const count = this.#signable;
    const isNews =
      last === undefined ? count > 0 || final : count > last.body.count || (final && !last.body.final);
    if (!isNews) return undefined;
    const { job, lease } = this.order;
    const totals = this.#tally.totals(count);
    return {
      ...header(lease.body.origin, lease.body.asset),
      job: job.id,
      lease: lease.id,
      rev: lease.body.rev,
      seq: (last?.body.seq ?? 0) + 1,
      ...(last === undefined ? {} : { prev: last.id }),
      provider: lease.body.provider,
      requester: job.body.requester,
      workCid: job.body.work.cid,
      profile: lease.body.profile,
      policy: lease.body.policy,
      ...(lease.body.policyVersion === undefined ? {} : { policyVersion: lease.body.policyVersion }),
      tariff: lease.body.tariff,
      tree: "rfc6962-sha256",
      root: this.#tally.root(count),
      count,
      ...this.#tally.endedField(count),
      ...this.#tally.auditFields(count),
      ...totals,
      tasksRoot: this.#namedRoot,
      taskCount: this.#named,
      amount: microCredits(priceOf(this.order.tariff, totals, lease.body.startFee)),
      final,
    };
  }

  /** What is signed here and not by the requester; nothing where that is nothing. @param waitedMs see Claim */
  claim(waitedMs: number): Claim | undefined {
    const last = this.#receipts[this.#receipts.length - 1]?.body;
    if (last === undefined || last.count <= this.#countersigned) return undefined;
    const { count, amount } = last;
    return { count, amount, waitedMs, prove: (from) => this.#tally.consistencyProof(from, count) };
  }

  /** A draft was signed; it is the newest from here on. */
  signed(receipt: SignedReceipt): void {
    this.#receipts.push(receipt);
  }
}
