import type { FrameStream } from "../mesh/frame-stream.ts";
import { sendInParts } from "../mesh/parts.ts";
import { u32be } from "../protocol/bytes.ts";
import { failureKind } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { MAX_INLINE_BYTES, MAX_SEALED_BYTES } from "../protocol/limits.ts";
import { isSealed } from "../protocol/messages/job.ts";
import type { Task } from "../protocol/messages/task.ts";
import { outcomeSeal, SEAL_NONCE_BYTES } from "../protocol/seal-outcome.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { FRAME } from "../protocol/work-frame.ts";
import type { HeldLease } from "./held-lease.ts";
import type { ProviderChannel, StreamPart, TaskEnd } from "./provider-channel.ts";
import type { ReceiptSigner } from "./receipt-signer.ts";
import type { Answer } from "./run-loaded.ts";
import type { SessionPorts } from "./session-ports.ts";

const OUTCOME_PARTS = { first: FRAME.outcome, rest: FRAME.outcomeData };

/** Detail of a failure, in UTF-16 units before encoding: enough for a sentence and a stack of names. */
const MAX_DETAIL = 2_000;

/** An outcome that the requester has the seal of. */
interface SealedOutcome {
  readonly task: Task;
  readonly end: TaskEnd;
  readonly data: Uint8Array;
  readonly nonce: Uint8Array;
  readonly step: Uint8Array | undefined;
  readonly evidence: Answer["evidence"] | undefined;
}

/** What goes along with an outcome. */
interface Along {
  readonly part?: StreamPart | undefined;
  /** Of an outcome that was sealed. */
  readonly nonce?: Uint8Array;
  /** Envelope of what came of the step; goes before the outcome. */
  readonly step?: Uint8Array | undefined;
  /** Of an effect; goes before the step. */
  readonly evidence?: Answer["evidence"] | undefined;
}

/** The bytes of an output that its frames bring: none of a larger one that stays here, for who needs it asks for it by CID. */
function broughtOf({ step }: Task, end: TaskEnd, data: Uint8Array): Uint8Array {
  const stays = step?.hold === true && end.kind === "done" && data.length > MAX_INLINE_BYTES;
  return stays ? new Uint8Array() : data;
}

/** Whether an outcome is one that another replica could copy: one that pays what was computed. */
function isWorthSealing(end: TaskEnd): boolean {
  return end.kind === "done" || failureKind(end.code).pay === "fuel";
}

function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? encodeUtf8(data.slice(0, MAX_DETAIL).toWellFormed()) : data;
}

/**
 * Sends the outcomes of one lease. Those of streams that the requester has not signed for are held back; those of replicas
 * go out under seal first, and are kept until the requester asks for them.
 */
export class OutcomeSender {
  readonly #frames: FrameStream;
  readonly #channel: ProviderChannel;
  readonly #receipts: ReceiptSigner;
  readonly #held: HeldLease | undefined;
  readonly #onOutcome: SessionPorts["onOutcome"];
  readonly #sealed = new Map<number, SealedOutcome>();
  #sealedBytes = 0;
  #signedFor = Promise.withResolvers<void>();

  constructor(
    frames: FrameStream,
    channel: ProviderChannel,
    receipts: ReceiptSigner,
    held: HeldLease | undefined,
    onOutcome: SessionPorts["onOutcome"],
  ) {
    this.#frames = frames;
    this.#channel = channel;
    this.#receipts = receipts;
    this.#held = held;
    this.#onOutcome = onOutcome;
  }

  /** Sends an outcome at once. Resolves when the network has room for more. @param data output, or the failure's detail */
  async send(
    task: Task,
    end: TaskEnd,
    data: Uint8Array | string,
    { part, nonce, step, evidence }: Along = {},
  ): Promise<void> {
    const leaf = this.#channel.finish(task, end, part, nonce);
    this.#held?.outcome(leaf.bytes, task.seq, leaf.outcome.end);
    if (evidence !== undefined)
      this.#frames.sendFrame(FRAME.record, u32be(task.seq), evidence.record).catch(() => undefined);
    if (step !== undefined) this.#frames.sendFrame(FRAME.step, u32be(task.seq), step).catch(() => undefined);
    const brought = broughtOf(task, end, bytesOf(data));
    const sent = sendInParts(this.#frames, OUTCOME_PARTS, task.seq, leaf.bytes, brought);
    this.#onOutcome(end, part?.end ?? true);
    this.#receipts.signSoon();
    await sent.catch(() => undefined);
  }

  /**
   * A task has ended: sends its outcome, or of a replica the seal alone.
   * @throws FailureError `window-exceeded` when the requester lets more be kept under seal than it may.
   */
  tell(task: Task, end: TaskEnd, data: Uint8Array | string, along: Omit<Along, "nonce">): void {
    const { step, evidence } = along;
    if (!isSealed(this.#channel.order.job.body) || !isWorthSealing(end)) {
      void this.send(task, end, data, along);
      return;
    }
    const sealed = { task, end, data: bytesOf(data), nonce: randomNonce(), step, evidence };
    if (this.#sealed.size > 0 && this.#sealedBytes + sealed.data.length > MAX_SEALED_BYTES)
      throw new FailureError("window-exceeded", `more than ${MAX_SEALED_BYTES} bytes under seal`);
    this.#sealed.set(task.seq, sealed);
    this.#sealedBytes += sealed.data.length;
    this.#channel.keepSealed(task, end);
    const promise = outcomeSeal(this.#channel.leaf(task, end), sealed.nonce);
    this.#frames.sendFrame(FRAME.seal, u32be(task.seq), promise).catch(() => undefined);
  }

  /** The requester has all seals it waits for. @throws FailureError `malformed` for a task that is not under seal. */
  unseal(seq: number): void {
    const sealed = this.#sealed.get(seq);
    if (sealed === undefined) throw new FailureError("malformed", `unseal: task ${seq} is not under seal`);
    this.#sealed.delete(seq);
    this.#sealedBytes -= sealed.data.length;
    const { task, end, data, nonce, step, evidence } = sealed;
    void this.send(task, end, data, { nonce, step, evidence });
  }

  /** Tasks whose outcomes are under seal, in their order. */
  get sealed(): readonly number[] {
    return [...this.#sealed.keys()];
  }

  /** What is under seal is shown to nobody any more. */
  forgetSealed(): void {
    this.#sealed.clear();
    this.#sealedBytes = 0;
  }

  /** Resolves when one more outcome is within what the lease lets this side risk and hold, or nobody wants it any more. */
  async untilMayTell(isWanted: () => boolean): Promise<void> {
    while ((!this.#channel.mayTell() || this.#held?.isFull === true) && isWanted())
      // oxlint-disable-next-line no-await-in-loop -- until the requester signs or the relay has drawn, or the session is over
      await this.#signedFor.promise;
  }

  /** The requester has signed for more, there is room for more, or something is not wanted any more. */
  wake(): void {
    this.#signedFor.resolve();
    this.#signedFor = Promise.withResolvers();
  }
}

function randomNonce(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(SEAL_NONCE_BYTES));
}
