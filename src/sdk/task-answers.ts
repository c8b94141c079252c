import { PartAssembly, type Whole } from "../mesh/parts.ts";
import { type Cid, cidFromDigest, cidOf, RAW } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import type { FailureCode } from "../protocol/failure-code.ts";
import type { OutcomeLeaf } from "../protocol/messages/task.ts";
import { decodeUtf8 } from "../protocol/text.ts";
import { HASH_HERE_BYTES } from "./limits.ts";

/** What came back for a task. */
export type TaskAnswer =
  | { readonly kind: "done"; readonly output: Uint8Array; readonly outcome: OutcomeLeaf }
  | {
      readonly kind: "failed";
      readonly code: FailureCode;
      readonly detail: string;
      readonly outcome: OutcomeLeaf;
    };

/** A part of a stream that the provider has signed for. */
export interface FinalSegment {
  readonly output: Uint8Array;
  readonly outcome: OutcomeLeaf;
}

/**
 * A task under way. `sealed` resolves when its provider has committed to an outcome, or at once with an outcome that needs no
 * seal. `answer` comes next; `final` resolves when the provider's signed receipt covers it (rule 4). */
export interface SentTask {
  readonly seq: number;
  readonly sealed: Promise<void>;
  readonly answer: Promise<TaskAnswer>;
  readonly final: Promise<void>;
}

/** Who hears of a task's outputs, see TaskInput. */
export interface AnswerListener {
  readonly check?: (output: Uint8Array, outcome: OutcomeLeaf) => void;
  readonly onSegment?: (segment: FinalSegment) => void;
}

/** Longest detail of a failure that is read, in bytes. */
const MAX_DETAIL_BYTES = 8 * 1024;

interface Pending {
  readonly sealed: PromiseWithResolvers<void>;
  readonly answer: PromiseWithResolvers<TaskAnswer>;
  readonly final: PromiseWithResolvers<void>;
  readonly listener: AnswerListener;
  /** Segments told so far: each waits for the one before. */
  told: Promise<void>;
}

/** An outcome that no receipt covers yet. */
interface Unsigned {
  readonly pending: Pending;
  /** Resolves when its output hashes to its CID; of a task's last outcome this is the task's answer. */
  readonly whole: PromiseWithResolvers<TaskAnswer>;
  isWhole: boolean;
  readonly end: boolean;
}

/** An outcome on its way, with its place. */
interface Placed {
  readonly outcome: OutcomeLeaf;
  readonly unsigned: Unsigned;
}

/** A promise that may be rejected before anyone looks at it. */
function quiet<T>(): PromiseWithResolvers<T> {
  const resolvers = Promise.withResolvers<T>();
  resolvers.promise.catch(() => undefined);
  return resolvers;
}

export interface AnswerPorts {
  /** SHA-256 off this thread. */
  sha256(bytes: Uint8Array): Promise<Uint8Array>;
  /** An outcome is there in full. */
  onAnswer(): void;
  /** An output does not hash to its CID, or cannot be right: the session is over. */
  onMismatch(failure: FailureError): void;
}

/** What comes back under one lease: puts outputs together, checks their hashes, and knows which of them are final. */
export class TaskAnswers {
  readonly #ports: AnswerPorts;
  readonly #outputs = new PartAssembly<Placed>();
  readonly #pending = new Map<number, Pending>();
  /** By their place in the outcome tree. */
  readonly #unsigned = new Map<number, Unsigned>();
  #outcomes = 0;
  #settled = 0;

  constructor(ports: AnswerPorts) {
    this.#ports = ports;
  }

  /** A task is sent. */
  expect(seq: number, listener: AnswerListener): SentTask {
    const pending: Pending = {
      sealed: quiet(),
      answer: quiet(),
      final: quiet(),
      listener,
      told: Promise.resolve(),
    };
    this.#pending.set(seq, pending);
    const { sealed, answer, final } = pending;
    return { seq, sealed: sealed.promise, answer: answer.promise, final: final.promise };
  }

  /** A seal that the channel has taken. */
  seal(seq: number): void {
    this.#pending.get(seq)?.sealed.resolve();
    this.#ports.onAnswer();
  }

  /** An outcome that the channel has taken, with its first bytes. */
  begin(outcome: OutcomeLeaf, data: Uint8Array): void {
    const size = outcome.status === "done" ? outcome.size : Math.min(data.length, MAX_DETAIL_BYTES);
    this.#arrived(this.#outputs.begin(outcome.seq, this.#place(outcome), size, data));
  }

  add(seq: number, data: Uint8Array): void {
    this.#arrived(this.#outputs.add(seq, data));
  }

  /** Resolves when the outputs of the first `count` outcomes are here and hash to what they should, or never will. */
  async whole(count: number): Promise<void> {
    const waiting: Promise<TaskAnswer>[] = [];
    for (let at = this.#settled; at < count; at += 1) {
      const unsigned = this.#unsigned.get(at);
      if (unsigned !== undefined && !unsigned.isWhole) waiting.push(unsigned.whole.promise);
    }
    if (waiting.length > 0) await Promise.allSettled(waiting);
  }

  /** The first `count` outcomes are under a receipt. */
  settle(count: number): void {
    for (; this.#settled < count; this.#settled += 1) {
      const unsigned = this.#unsigned.get(this.#settled);
      this.#unsigned.delete(this.#settled);
      if (unsigned === undefined) continue;
      const { pending } = unsigned;
      if (pending.listener.onSegment === undefined) pending.final.resolve();
      else pending.told = this.#tell(unsigned, pending.told);
    }
  }

  /** Nothing more will come. */
  reject(reason: FailureError): void {
    for (const { sealed, answer, final } of this.#pending.values()) {
      sealed.reject(reason);
      answer.reject(reason);
      final.reject(reason);
    }
    for (const { pending, whole } of this.#unsigned.values()) {
      whole.reject(reason);
      pending.answer.reject(reason);
      pending.final.reject(reason);
    }
    this.#pending.clear();
    this.#unsigned.clear();
  }

  /** Finds the task of an outcome, which the channel has found open. */
  #place(outcome: OutcomeLeaf): Placed {
    const pending = this.#pending.get(outcome.seq);
    if (pending === undefined) throw new FailureError("bad-receipt", "outcome: for a task that is not open");
    const whole = outcome.end ? pending.answer : quiet<TaskAnswer>();
    const unsigned: Unsigned = { pending, whole, isWhole: false, end: outcome.end };
    pending.sealed.resolve();
    this.#unsigned.set(this.#outcomes, unsigned);
    this.#outcomes += 1;
    if (outcome.end) this.#pending.delete(outcome.seq);
    return { outcome, unsigned };
  }

  #arrived(complete: Whole<Placed> | undefined): void {
    if (complete === undefined) return;
    const { header: placed, data } = complete;
    const { outcome, unsigned } = placed;
    if (outcome.code !== undefined) {
      this.#answer(unsigned, { kind: "failed", code: outcome.code, detail: decodeUtf8(data), outcome });
    } else if (data.length <= HASH_HERE_BYTES) {
      this.#deliver(placed, data, cidOf(RAW, data));
    } else {
      void this.#hashAndDeliver(placed, data);
    }
    this.#ports.onAnswer();
  }

  async #hashAndDeliver(placed: Placed, data: Uint8Array): Promise<void> {
    this.#deliver(placed, data, cidFromDigest(RAW, await this.#ports.sha256(data)));
  }

  #deliver({ outcome, unsigned }: Placed, output: Uint8Array, cid: Cid): void {
    const failure =
      cid === outcome.outputCid ? complaintOf(unsigned.pending.listener, output, outcome) : mismatch(outcome);
    if (failure === undefined) {
      this.#answer(unsigned, { kind: "done", output, outcome });
      return;
    }
    unsigned.whole.reject(failure);
    unsigned.pending.answer.reject(failure);
    this.#ports.onMismatch(failure);
  }

  #answer(unsigned: Unsigned, answer: TaskAnswer): void {
    unsigned.isWhole = true;
    unsigned.whole.resolve(answer);
  }

  /** Segments are told in their order, and the task is final after the last. */
  async #tell({ pending, whole, end }: Unsigned, before: Promise<void>): Promise<void> {
    await before;
    try {
      const answer = await whole.promise;
      if (answer.kind === "done") pending.listener.onSegment?.(answer);
      if (end) pending.final.resolve();
    } catch (error) {
      pending.final.reject(error);
      if (error instanceof FailureError) this.#ports.onMismatch(error);
    }
  }
}

function mismatch({ seq }: OutcomeLeaf): FailureError {
  return new FailureError(
    "content-mismatch",
    `task ${seq}: its output does not hash to the CID in the outcome`,
  );
}

/** What a task's own listener has against an output. */
function complaintOf(
  { check }: AnswerListener,
  output: Uint8Array,
  outcome: OutcomeLeaf,
): FailureError | undefined {
  try {
    check?.(output, outcome);
    return undefined;
  } catch (error) {
    if (error instanceof FailureError) return error;
    throw error;
  }
}
