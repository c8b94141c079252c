import { PartAssembly, type Whole } from "../mesh/parts.ts";
import { type Cid, cidFromDigest, cidOf, RAW } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import type { FailureCode } from "../protocol/failure-code.ts";
import { MAX_INLINE_BYTES } from "../protocol/limits.ts";
import type { OutcomeLeaf, TaskStep } from "../protocol/messages/task.ts";
import type { Verify } from "../protocol/signature.ts";
import { decodeUtf8 } from "../protocol/text.ts";
import { HASH_HERE_BYTES } from "./limits.ts";
import type { HeldLease } from "./requester-channel.ts";
import { type ShownStep, ShownSteps } from "./shown-steps.ts";

/** What came back for a task. */
export type TaskAnswer =
  | {
      readonly kind: "done";
      /** Empty where it stays at its provider. */
      readonly output: Uint8Array;
      readonly outcome: OutcomeLeaf;
      readonly step?: ShownStep | undefined;
      /** Present where the output stays at its provider. */
      readonly held?: HeldOutput;
    }
  | {
      readonly kind: "failed";
      readonly code: FailureCode;
      readonly detail: string;
      readonly outcome: OutcomeLeaf;
      readonly step?: ShownStep | undefined;
    };

/** An output that stays at its provider: nobody signs for it before somebody has it. */
export interface HeldOutput {
  /** Somebody has it, and it hashes to its CID. */
  taken(): void;
  /** The provider does not give it to those who need it: the session is over, and nothing more is signed for. */
  refused(detail: string): void;
}

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
  /** Of a task that is a step of a run. */
  readonly step?: TaskStep | undefined;
  readonly cid?: Cid;
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
  readonly step: ShownStep | undefined;
  /** Of an output that stays at its provider: resolves when somebody has it. */
  taken?: PromiseWithResolvers<void>;
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
  readonly verify: Verify;
  /** SHA-256 off this thread. */
  sha256(bytes: Uint8Array): Promise<Uint8Array>;
  /** An outcome is there in full. */
  onAnswer(): void;
  /** An output does not hash to its CID, or cannot be right: the session is over. */
  onMismatch(failure: FailureError): void;
}

/** What comes back under one lease: puts outputs together, checks their hashes, and knows which of them are final. */
export class TaskAnswers {
  readonly steps: ShownSteps;
  readonly #ports: AnswerPorts;
  readonly #outputs = new PartAssembly<Placed>();
  readonly #pending = new Map<number, Pending>();
  /** By their place in the outcome tree. */
  readonly #unsigned = new Map<number, Unsigned>();
  #outcomes = 0;
  #settled = 0;

  constructor(held: HeldLease, ports: AnswerPorts) {
    this.#ports = ports;
    this.steps = new ShownSteps(held, ports.verify);
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
    if (listener.step !== undefined && listener.cid !== undefined)
      this.steps.expect(seq, listener.cid, listener.step);
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
    const step = outcome.end ? this.steps.of(outcome) : undefined;
    const size = outcome.status === "done" ? outcome.size : Math.min(data.length, MAX_DETAIL_BYTES);
    const placed = this.#place(outcome, step);
    const isHeld = placed.unsigned.pending.listener.step?.hold === true && data.length === 0;
    if (isHeld && outcome.status === "done" && size > MAX_INLINE_BYTES) void this.#answerHeld(placed);
    else this.#arrived(this.#outputs.begin(outcome.seq, placed, size, data));
  }

  /** The answer is known, and its output is elsewhere: what is signed for it is all there is, so that is to hold. */
  async #answerHeld({ outcome, unsigned }: Placed): Promise<void> {
    const taken = quiet<void>();
    unsigned.taken = taken;
    const held: HeldOutput = {
      taken: () => {
        unsigned.isWhole = true;
        taken.resolve();
      },
      refused: (detail) => this.#ports.onMismatch(new FailureError("content-mismatch", detail)),
    };
    try {
      await this.steps.checked();
    } catch (error) {
      const failure = error instanceof FailureError ? error : new FailureError("bad-signature", "step");
      this.#ports.onMismatch(failure);
      return;
    }
    unsigned.whole.resolve({ kind: "done", output: new Uint8Array(), outcome, step: unsigned.step, held });
    this.#ports.onAnswer();
  }

  add(seq: number, data: Uint8Array): void {
    this.#arrived(this.#outputs.add(seq, data));
  }

  /**
   * Resolves when the outputs of the first `count` outcomes are here and hash to what they should, or never will.
   * @throws FailureError `bad-signature` where a step's signature does not hold
   */
  async whole(count: number): Promise<void> {
    const waiting: Promise<unknown>[] = [];
    for (let at = this.#settled; at < count; at += 1) {
      const unsigned = this.#unsigned.get(at);
      if (unsigned !== undefined && !unsigned.isWhole)
        waiting.push(unsigned.taken?.promise ?? unsigned.whole.promise);
    }
    if (waiting.length > 0) await Promise.allSettled(waiting);
    await this.steps.checked();
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
    for (const { pending, whole, taken } of this.#unsigned.values()) {
      whole.reject(reason);
      taken?.reject(reason);
      pending.answer.reject(reason);
      pending.final.reject(reason);
    }
    this.#pending.clear();
    this.#unsigned.clear();
  }

  /** Finds the task of an outcome, which the channel has found open. */
  #place(outcome: OutcomeLeaf, step: ShownStep | undefined): Placed {
    const pending = this.#pending.get(outcome.seq);
    if (pending === undefined) throw new FailureError("bad-receipt", "outcome: for a task that is not open");
    const whole = outcome.end ? pending.answer : quiet<TaskAnswer>();
    const unsigned: Unsigned = { pending, whole, isWhole: false, end: outcome.end, step };
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
      const { step } = unsigned;
      this.#answer(unsigned, { kind: "failed", code: outcome.code, detail: decodeUtf8(data), outcome, step });
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
      this.#answer(unsigned, { kind: "done", output, outcome, step: unsigned.step });
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
