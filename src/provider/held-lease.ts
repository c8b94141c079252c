import { equalBytes } from "../protocol/bytes.ts";
import type { Cid } from "../protocol/cid.ts";
import { leafHash } from "../protocol/merkle.ts";
import { LONE_INPUT_BYTES } from "../storage/limits.ts";
import type { HeldOutcomeRecord, HoldingRecord, HoldingShelf, StoredHolding } from "../storage/holdings.ts";
import type { HeldMemory } from "./held-memory.ts";
import { TreeTail } from "./tree-tail.ts";
import { known, Unstored } from "./unstored.ts";

const BEGINNING: Pick<HoldingRecord, "outcomes" | "tasks"> = {
  outcomes: { start: 0, frontier: [] },
  tasks: { start: 0, frontier: [] },
};

/** What a lease is known by while its outcomes are held. */
export interface HeldTerms {
  readonly lease: Cid;
  /** Origin of the relay. */
  readonly origin: string;
  readonly job: Cid;
  /** Bytes that may wait for a report's answer; beyond that no task begins (rule 2). */
  readonly holdBytes: number;
  /** By this machine's clock, milliseconds since 1970: nothing is drawn any more. */
  readonly until: number;
}

interface HeldTask {
  readonly seq: number;
  readonly header: Uint8Array;
  /** In memory; what is on the disk as well may be read from there. */
  input: Uint8Array | undefined;
  /** Bytes of the input; nothing before it is whole. */
  size: number;
  isStored: boolean;
  /** Outcomes of this task that are held. */
  outcomes: number;
  isEnded: boolean;
}

/** An advance, as far as a path needs it. */
export interface NamingAdvance {
  readonly envelope: Uint8Array;
  readonly taskCount: number;
  readonly tasksRoot: Uint8Array;
}

/** A drawn outcome with its proofs: what an opening says of it. */
export interface HeldOpening {
  readonly leaf: Uint8Array;
  readonly path: readonly Uint8Array[];
  readonly task: Uint8Array;
  readonly taskPath: readonly Uint8Array[];
  readonly advance: Uint8Array;
  readonly input: Uint8Array;
}

/**
 * What a draw may ask for of one lease: every outcome that no draw has passed over yet, with its task and input. All of it
 * is on the disk before a receipt over it is signed, so a tab that is closed and opened again can still open what is drawn.
 * Inputs are in memory too, while all leases together stay within HELD_MEMORY_BYTES.
 */
export class HeldLease {
  readonly terms: HeldTerms;
  readonly #shelf: HoldingShelf | undefined;
  readonly #memory: HeldMemory;
  readonly #onFreed: () => void;
  readonly #outcomes: TreeTail;
  readonly #tasks: TreeTail;
  readonly #leaves = new Map<number, HeldOutcomeRecord>();
  readonly #held = new Map<number, HeldTask>();
  readonly #receipts = new Map<number, Uint8Array>();
  #advance: NamingAdvance | undefined;
  #signed = 0;
  #bytes = 0;
  readonly #unstored = new Unstored();
  #writing: Promise<void> = Promise.resolve();
  #isForgotten = false;

  constructor(
    terms: HeldTerms,
    parts: { readonly shelf?: HoldingShelf; readonly memory: HeldMemory; readonly onFreed?: () => void },
    start: Pick<HoldingRecord, "outcomes" | "tasks"> = BEGINNING,
  ) {
    this.terms = terms;
    this.#shelf = parts.shelf;
    this.#memory = parts.memory;
    this.#onFreed = parts.onFreed ?? ((): void => undefined);
    this.#outcomes = new TreeTail(start.outcomes.start, start.outcomes.frontier);
    this.#tasks = new TreeTail(start.tasks.start, start.tasks.frontier);
  }

  /** What an earlier start has left. @throws RangeError when its records do not fit together. */
  static restored(stored: StoredHolding, shelf: HoldingShelf, memory: HeldMemory): HeldLease {
    const { record } = stored;
    const { lease, origin, job, until, advance } = record;
    const held = new HeldLease({ lease, origin, job, until, holdBytes: 0 }, { shelf, memory }, record);
    const inputs = new Set(stored.inputs);
    for (const { seq, header } of stored.tasks) {
      if (seq !== held.#tasks.size) throw new RangeError(`task ${seq} of ${lease} is out of order`);
      held.task(header);
      const task = held.#held.get(seq);
      if (task !== undefined) task.isStored = inputs.has(seq);
    }
    for (const { index, seq, leaf } of stored.outcomes) {
      if (index !== held.#outcomes.size) throw new RangeError(`outcome ${index} of ${lease} is out of order`);
      held.outcome(leaf, seq, false);
    }
    if (advance !== undefined) {
      const { envelope, taskCount } = advance;
      held.#advance = { envelope, taskCount, tasksRoot: held.#tasks.root(taskCount) };
    }
    held.#signed = held.#outcomes.size;
    held.#unstored.take();
    return held;
  }

  get lease(): Cid {
    return this.terms.lease;
  }

  /** Outcomes below it have been passed over by a draw, or opened. */
  get covered(): number {
    return this.#outcomes.start;
  }

  /** Outcomes under a receipt that this side has signed: so many may be logged. */
  get signed(): number {
    return this.#signed;
  }

  /** More waits for a report's answer than the lease lets a provider hold. */
  get isFull(): boolean {
    return this.#bytes > this.terms.holdBytes;
  }

  /** The next task. @param header encoded */
  task(header: Uint8Array): void {
    const seq = this.#tasks.size;
    this.#tasks.append(leafHash(header));
    this.#held.set(seq, {
      seq,
      header,
      input: undefined,
      size: 0,
      isStored: false,
      outcomes: 0,
      isEnded: false,
    });
    this.#unstored.tasks.add(seq);
  }

  /** The input of a task is whole. */
  input(seq: number, input: Uint8Array): void {
    const task = this.#held.get(seq);
    if (task === undefined) return;
    task.input = input;
    task.size = input.length;
    this.#memory.bytes += input.length;
    this.#unstored.inputs.add(seq);
  }

  /** The next outcome. @param leaf encoded @param isEnd nothing of this task follows */
  outcome(leaf: Uint8Array, seq: number, isEnd: boolean): void {
    const index = this.#outcomes.size;
    this.#outcomes.append(leafHash(leaf));
    this.#leaves.set(index, { index, seq, leaf });
    this.#unstored.outcomes.add(index);
    this.#bytes += leaf.length;
    const task = this.#held.get(seq);
    if (task === undefined) return;
    task.outcomes += 1;
    task.isEnded = isEnd;
    if (isEnd) this.#bytes += task.header.length + task.size;
  }

  /** The requester has named more tasks. */
  named(advance: NamingAdvance): void {
    if (advance.taskCount >= (this.#advance?.taskCount ?? 0)) this.#advance = advance;
  }

  /** A receipt over the first `count` outcomes was signed. */
  signedFor(count: number, receipt: Uint8Array): void {
    this.#signed = Math.max(this.#signed, count);
    this.#bytes += receipt.length - (this.#receipts.get(count)?.length ?? 0);
    this.#receipts.set(count, receipt);
  }

  /** The receipt over the first `count` outcomes with the newest advance, if this start has signed it. */
  statement(count: number): { readonly receipt: Uint8Array; readonly advance: Uint8Array } | undefined {
    const receipt = this.#receipts.get(count);
    const advance = this.#advance?.envelope;
    return receipt === undefined || advance === undefined ? undefined : { receipt, advance };
  }

  /** Whether a receipt's tree is the one of this lease; nothing can be said of what is forgotten, or not there yet. */
  isOwn(count: number, root: Uint8Array): boolean | undefined {
    if (count < this.#outcomes.start) return undefined;
    return count <= this.#outcomes.size && equalBytes(this.#outcomes.root(count), root);
  }

  /** Outcomes below `count` whose input is not here any more (rule 2). */
  lost(count: number): readonly number[] {
    const lost: number[] = [];
    for (let index = this.covered; index < count; index += 1) {
      const task = this.#taskOf(index);
      if (task === undefined || (task.input === undefined && !task.isStored)) lost.push(index);
    }
    return lost;
  }

  /**
   * Lays an outcome open.
   * @param count of the receipt that was drawn from.
   * @param logged advance with it: the requester may have named tasks there that never came here; then the newest one known
   * here proves the task as well.
   * @returns nothing where it is not held, or its task was never named.
   */
  async open(index: number, count: number, logged: NamingAdvance): Promise<HeldOpening | undefined> {
    const leaf = this.#leaves.get(index)?.leaf;
    const task = this.#taskOf(index);
    if (leaf === undefined || task === undefined || count > this.#outcomes.size) return undefined;
    const input = task.input ?? (await this.#shelf?.input(this.lease, task.seq).catch(() => undefined));
    const advance = [logged, this.#advance].find(
      (each) => each !== undefined && this.#proves(each, task.seq),
    );
    if (input === undefined || advance === undefined) return undefined;
    return {
      leaf,
      path: this.#outcomes.path(index, count),
      task: task.header,
      taskPath: this.#tasks.path(task.seq, advance.taskCount),
      advance: advance.envelope,
      input,
    };
  }

  /** A draw has passed over the first `count` outcomes, and what it asked for is kept elsewhere. */
  async cover(count: number): Promise<void> {
    const upTo = Math.min(count, this.#outcomes.size);
    if (upTo <= this.covered) return;
    for (let index = this.covered; index < upTo; index += 1) this.#freeLeaf(index);
    this.#outcomes.forgetBelow(upTo);
    for (const [at, receipt] of this.#receipts) {
      if (at > upTo) break;
      this.#receipts.delete(at);
      this.#bytes -= receipt.length;
    }
    this.#forgetTasks();
    this.#onFreed();
    await this.keep();
  }

  /** Writes what is new. @throws StorageError; what was not written is tried again with the next call */
  keep(): Promise<void> {
    const write = this.#writing.then(() => this.#write());
    this.#writing = write.catch(() => undefined);
    return write;
  }

  /** Nothing of it will be drawn any more. */
  async forget(): Promise<void> {
    this.#isForgotten = true;
    for (const task of this.#held.values()) this.#dropInput(task);
    this.#held.clear();
    this.#leaves.clear();
    this.#receipts.clear();
    await this.#writing;
    await this.#shelf?.forget(this.lease);
  }

  #taskOf(index: number): HeldTask | undefined {
    const outcome = this.#leaves.get(index);
    return outcome === undefined ? undefined : this.#held.get(outcome.seq);
  }

  #proves({ taskCount, tasksRoot }: NamingAdvance, seq: number): boolean {
    if (seq >= taskCount || taskCount > this.#tasks.size) return false;
    return equalBytes(this.#tasks.root(taskCount), tasksRoot);
  }

  #freeLeaf(index: number): void {
    const outcome = this.#leaves.get(index);
    if (outcome === undefined) return;
    this.#leaves.delete(index);
    this.#bytes -= outcome.leaf.length;
    const task = this.#held.get(outcome.seq);
    if (task === undefined) return;
    task.outcomes -= 1;
    if (!isOver(task)) return;
    this.#bytes -= task.header.length + task.size;
    this.#dropInput(task);
    if (task.isStored) this.#freeStored(task);
    task.isStored = false;
  }

  /** Tasks before the first that is needed are only needed as hashes. */
  #forgetTasks(): void {
    for (const task of this.#held.values()) {
      if (!isOver(task)) break;
      this.#held.delete(task.seq);
    }
    const [first] = this.#held.keys();
    this.#tasks.forgetBelow(first ?? this.#tasks.size);
  }

  #dropInput(task: HeldTask): void {
    if (task.input === undefined) return;
    this.#memory.bytes -= task.input.length;
    task.input = undefined;
  }

  async #write(): Promise<void> {
    if (this.#isForgotten) return;
    const taken = this.#unstored.take();
    try {
      await this.#shelf?.write({
        record: this.#record(),
        tasks: known(taken.tasks, this.#held),
        outcomes: known(taken.outcomes, this.#leaves),
        inputs: known(taken.inputs, this.#held).flatMap(({ seq, input }) =>
          input === undefined ? [] : [{ seq, input }],
        ),
        freed: [...taken.freed].filter((seq) => seq >= this.#tasks.start),
      });
    } catch (error) {
      this.#unstored.back(taken);
      this.#spareMemory();
      throw error;
    }
    if (this.#shelf !== undefined) for (const seq of taken.inputs) this.#stored(seq);
    this.#spareMemory();
  }

  #stored(seq: number): void {
    const task = this.#held.get(seq);
    if (task !== undefined && !isOver(task)) task.isStored = true;
    // Covered while it was written.
    else if (task !== undefined) this.#freeStored(task);
  }

  #freeStored({ seq, size }: HeldTask): void {
    if (size > LONE_INPUT_BYTES) this.#unstored.freed.add(seq);
  }

  /** Beyond the bound what is on the disk goes first; what is not, is lost. */
  #spareMemory(): void {
    for (const mayLose of [false, true])
      for (const task of this.#held.values()) {
        if (this.#memory.bytes <= this.#memory.limit) return;
        if (task.isStored || (mayLose && task.isEnded)) this.#dropInput(task);
      }
  }

  #record(): HoldingRecord {
    const { lease, origin, job, until } = this.terms;
    const advance = this.#advance;
    return {
      lease,
      origin,
      job,
      until,
      outcomes: { start: this.#outcomes.start, frontier: this.#outcomes.frontier() },
      tasks: { start: this.#tasks.start, frontier: this.#tasks.frontier() },
      ...(advance === undefined
        ? {}
        : { advance: { envelope: advance.envelope, taskCount: advance.taskCount } }),
    };
  }
}

/** Nothing of the task can be drawn any more. */
function isOver({ isEnded, outcomes }: HeldTask): boolean {
  return isEnded && outcomes === 0;
}
