import type { FrameStream } from "../mesh/frame-stream.ts";
import type { TransportInfo } from "../mesh/mesh.ts";
import { sendInParts } from "../mesh/parts.ts";
import { u32be } from "../protocol/bytes.ts";
import { openEnvelope, seal, type Unverified, verified } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { header } from "../protocol/header.ts";
import { type Receipt, receiptMessage } from "../protocol/messages/receipt.ts";
import { drainMessage } from "../protocol/messages/session.ts";
import { advanceMessage, cancelMessage, type OutcomeLeaf, stopMessage } from "../protocol/messages/task.ts";
import { decode } from "../protocol/schema.ts";
import type { Signer, Verify } from "../protocol/signature.ts";
import { failureSchema, FRAME, splitHeader, splitSeq } from "../protocol/work-frame.ts";
import { ADVANCE_INTERVAL_MS, QUIET_TASKS, FINISH_TIMEOUT_MS } from "./limits.ts";
import type { OutcomeWithInput } from "./lay-open.ts";
import { type Pulse, pulseOf } from "./pulse.ts";
import { type HeldLease, RequesterChannel, type ShownOutcome } from "./requester-channel.ts";
import type { TaskInput } from "./task-input.ts";
import { type SentTask, TaskAnswers } from "./task-answers.ts";

/** After these nothing more is signed for: what came is false. */
const FALSE_WORK: ReadonlySet<number> = new Set(
  (["content-mismatch", "verification-failed"] as const).map(failureCode),
);

const TASK_PARTS = { first: FRAME.task, rest: FRAME.taskData };

export interface RequesterPorts {
  readonly signer: Signer;
  readonly verify: Verify;
  /** 16 random bytes. */
  randomSalt(): Uint8Array;
  /** SHA-256 off this thread. */
  sha256(bytes: Uint8Array): Promise<Uint8Array>;
  /** There is room for more tasks, or the session is over. */
  onRoom(): void;
  /** Where outcomes are kept to be laid open later: told each that ends its task. */
  readonly keep?: (outcome: OutcomeWithInput, leaf: OutcomeLeaf) => void;
}

/** One lease at work, seen from the requester: an accepted stream, from the first task to the last signature. */
export class RequesterSession {
  readonly channel: RequesterChannel;
  readonly #frames: FrameStream;
  readonly #ports: RequesterPorts;
  readonly #answers: TaskAnswers;
  /** Whether the provider lives; nothing is known of old ones. */
  readonly pulse: Pulse | undefined;
  /** Of open tasks, by seq, where outcomes are kept. */
  readonly #inputs = new Map<number, TaskInput>();
  readonly #ended = Promise.withResolvers<FailureError | undefined>();
  #signing = false;
  #cooling: ReturnType<typeof setTimeout> | undefined;
  #receipts: Promise<void> = Promise.resolve();
  #closing = false;
  #cancelling = false;
  #draining: FailureError | undefined;
  #over = false;

  /** @param hasPulse whether the provider answers when it is asked for a word */
  constructor(frames: FrameStream, held: HeldLease, ports: RequesterPorts, hasPulse: boolean = false) {
    this.#frames = frames;
    this.#ports = ports;
    const { keep } = ports;
    this.channel = new RequesterChannel(
      held,
      keep === undefined ? undefined : (shown, leaf) => this.#keep(keep, shown, leaf),
    );
    this.#answers = new TaskAnswers(held, {
      verify: ports.verify,
      sha256: (bytes) => ports.sha256(bytes),
      onAnswer: () => ports.onRoom(),
      onMismatch: (failure) => this.fail(failure),
    });
    this.pulse = hasPulse
      ? pulseOf(
          frames,
          () => this.fail(new FailureError("heartbeat-lost", "the provider has said nothing for too long")),
          () => ports.onRoom(),
        )
      : undefined;
  }

  get ended(): Promise<FailureError | undefined> {
    return this.#ended.promise;
  }

  get isOpen(): boolean {
    return !this.#over && !this.#closing && this.#draining === undefined;
  }

  get hasRoom(): boolean {
    return this.isOpen && this.channel.hasRoom && this.pulse?.isInDoubt !== true;
  }

  transport(): Promise<TransportInfo> {
    return this.#frames.stream.transport();
  }

  /** Sends a task at once. Check `hasRoom` before. @throws FailureError `disconnected` when the session is over. */
  send(input: TaskInput): SentTask {
    if (!this.isOpen) throw new FailureError("disconnected", "the session is over");
    const { task, bytes } = this.channel.name(
      { cid: input.cid, size: input.size ?? input.bytes.length, step: input.step },
      this.#ports.randomSalt(),
      input.seed,
    );
    const sent = this.#answers.expect(task.seq, input);
    if (this.#ports.keep !== undefined) this.#inputs.set(task.seq, input);
    sendInParts(this.#frames, TASK_PARTS, task.seq, bytes, input.bytes).catch(() => undefined);
    this.#signSoon();
    return sent;
  }

  #keep(keep: NonNullable<RequesterPorts["keep"]>, shown: ShownOutcome, leaf: OutcomeLeaf): void {
    const input = this.#inputs.get(shown.seq);
    this.#inputs.delete(shown.seq);
    if (input === undefined) return;
    const { bytes, cid } = input;
    keep({ channel: this.channel, shown, input: { bytes, cid } }, leaf);
  }

  /** Asks for an outcome that its provider has sealed; nothing where it is not sealed, or asked for already. */
  unseal(seq: number): void {
    if (this.#over || !this.channel.unseal(seq)) return;
    this.#frames.sendFrame(FRAME.unseal, u32be(seq)).catch(() => undefined);
  }

  /**
   * Another provider has done it: ends it here, if it has not ended. One that is silent is left altogether: what it may
   * have done meanwhile is not waited for, and not paid a second time.
   */
  async stop(seq: number): Promise<void> {
    if (this.pulse?.isSilent === true)
      this.fail(new FailureError("heartbeat-lost", "others have done its work meanwhile"));
    if (this.#over || this.#closing) return;
    const { origin, asset } = this.channel.held.lease.body;
    const stop = { ...header(origin, asset), lease: this.channel.lease, seq, atUnit: 0 };
    const envelope = await seal(stopMessage, stop, [this.#ports.signer]);
    if (!this.#over) await this.#frames.sendFrame(FRAME.stop, envelope).catch(() => undefined);
  }

  /** Takes one frame after the accept frame. @throws FailureError that ends the session. */
  frame(kind: number, payload: Uint8Array): void {
    if (this.#over) return;
    this.pulse?.heard();
    switch (kind) {
      case FRAME.pong:
        return;
      case FRAME.outcome: {
        const [encoded, data] = splitHeader(payload);
        this.#answers.begin(this.channel.outcome(encoded), data);
        return;
      }
      case FRAME.step:
        this.#answers.steps.take(...splitSeq(payload));
        return;
      case FRAME.record:
        this.#answers.steps.takeRecord(...splitSeq(payload));
        return;
      case FRAME.outcomeData: {
        const [seq, data] = splitSeq(payload);
        this.#answers.add(seq, data);
        return;
      }
      case FRAME.seal: {
        const [seq, commitment] = splitSeq(payload);
        this.channel.seal(seq, commitment);
        this.#answers.seal(seq);
        if (this.#cancelling) this.unseal(seq);
        return;
      }
      case FRAME.receipt:
        this.#receiveReceipt(payload);
        return;
      case FRAME.drain:
        void this.#receiveDrain(payload);
        return;
      case FRAME.refuse: {
        const { code, detail } = decode(failureSchema, payload);
        throw new FailureError(code, detail);
      }
      default:
        throw new FailureError("malformed-frame", `frame kind ${kind} is not expected here`);
    }
  }

  disconnected(failure: FailureError | undefined): void {
    if (this.channel.isFinished) this.#finish(undefined);
    else this.#finish(failure ?? new FailureError("disconnected", "the provider closed the stream"));
  }

  fail(failure: FailureError): void {
    this.#frames.abort(failure);
    this.#finish(failure);
  }

  /**
   * No more tasks: waits for the final receipt, countersigns it and closes. Resolves also when the provider is gone;
   * what was countersigned is in `channel.report()`.
   */
  async close(): Promise<void> {
    if (this.#over) return;
    this.#closing = true;
    this.#signSoon(true);
    const timer = setTimeout(
      () => this.#finish(new FailureError("timed-out", "the provider did not sign the end")),
      FINISH_TIMEOUT_MS,
    );
    await this.#ended.promise;
    clearTimeout(timer);
  }

  /** Cancels every open task and closes. What is sealed by then is computed, so it is asked for and paid. */
  async cancel(): Promise<void> {
    if (this.#over) return;
    this.#cancelling = true;
    for (const seq of this.channel.sealed) this.unseal(seq);
    const { origin, asset } = this.channel.held.lease.body;
    const cancel = { ...header(origin, asset), lease: this.channel.lease, seq: 0, atUnit: 0 };
    const envelope = await seal(cancelMessage, cancel, [this.#ports.signer]);
    await this.#frames.sendFrame(FRAME.cancel, envelope).catch(() => undefined);
    await this.close();
  }

  #receiveReceipt(payload: Uint8Array): void {
    const receipt = openEnvelope(receiptMessage, payload);
    this.#receipts = this.#takeReceipt(receipt, this.#receipts);
  }

  /** Receipts are verified one after the other: each must follow on the one before. */
  async #takeReceipt(receipt: Unverified<Receipt>, before: Promise<void>): Promise<void> {
    await before;
    if (this.#over) return;
    try {
      const [by] = receipt.signedBy;
      if (receipt.signedBy.length !== 1 || by?.key !== this.channel.held.lease.body.instance) {
        throw new FailureError("bad-receipt", "receipt: not signed by the lease's provider session");
      }
      this.channel.checkReceipt(receipt);
      await verified(receipt, this.#ports.verify);
      // What is signed for is here: else a provider would be paid for outputs that it keeps back.
      await this.#answers.whole(receipt.body.count);
      if (this.#over) return;
      this.channel.acceptReceipt(receipt);
      this.#answers.settle(this.channel.finalCount);
      this.#signSoon(receipt.body.final);
    } catch (error) {
      this.fail(
        error instanceof FailureError
          ? error
          : new FailureError("bad-receipt", "receipt: could not be checked", { cause: error }),
      );
    }
  }

  async #receiveDrain(payload: Uint8Array): Promise<void> {
    try {
      const drain = await verified(openEnvelope(drainMessage, payload), this.#ports.verify);
      if (
        drain.body.lease !== this.channel.lease ||
        drain.signedBy[0]?.key !== this.channel.held.lease.body.instance
      ) {
        throw new FailureError("malformed", "drain: of another lease");
      }
      this.#draining = new FailureError(drain.body.code, "the provider returned its tasks");
      if (drain.body.receipt !== undefined) this.#receiveReceipt(drain.body.receipt);
      const timer = setTimeout(() => this.#finish(this.#draining), FINISH_TIMEOUT_MS);
      await this.#receipts;
      clearTimeout(timer);
      await this.#sign(true);
      this.#finish(this.#draining);
    } catch (error) {
      this.fail(
        error instanceof FailureError ? error : new FailureError("malformed", "drain", { cause: error }),
      );
    }
  }

  /** Names what was sent and countersigns what came, now where much is open or the end has come, else shortly. */
  #signSoon(now: boolean = false): void {
    if (this.#signing || this.#over) return;
    const { windowMax } = this.channel.held.lease.body;
    if (now || this.channel.sent - this.channel.named >= windowMax / 2) {
      void this.#sign(this.#closing);
      return;
    }
    const { sent, named, unanswered } = this.channel;
    const isAwaited = sent > named && unanswered <= QUIET_TASKS;
    if (isAwaited) {
      clearTimeout(this.#cooling);
      this.#cooling = undefined;
    }
    this.#cooling ??= setTimeout(
      () => {
        this.#cooling = undefined;
        void this.#sign(this.#closing);
      },
      isAwaited ? 0 : ADVANCE_INTERVAL_MS,
    );
  }

  async #sign(close: boolean): Promise<void> {
    if (this.#signing) return;
    const draft = this.channel.draft(close);
    if (draft === undefined) return;
    this.#signing = true;
    const { receipt } = this.channel;
    const bytes = await seal(advanceMessage, draft, [this.#ports.signer]);
    this.#signing = false;
    this.channel.signed(draft, bytes, receipt);
    if (!this.#over) this.#frames.sendFrame(FRAME.advance, bytes).catch(() => undefined);
    if (this.channel.isFinished) {
      await this.#frames.close().catch(() => undefined);
      this.#finish(undefined);
      return;
    }
    this.#ports.onRoom();
    if (this.channel.draft(this.#closing) !== undefined) this.#signSoon(this.#closing);
  }

  #finish(failure: FailureError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.pulse?.end();
    this.#inputs.clear();
    clearTimeout(this.#cooling);
    const reason = failure ?? new FailureError("disconnected", "the session is over");
    this.#answers.reject(reason);
    void this.#signLast(failure);
  }

  /**
   * Countersigns the newest receipt although nobody hears it any more: the relay will (rule 4). Not where an output was not
   * what it was said to be.
   */
  async #signLast(failure: FailureError | undefined): Promise<void> {
    if (this.channel.owesSignature && (failure === undefined || !FALSE_WORK.has(failure.code))) {
      const draft = this.channel.draft(true);
      const { receipt } = this.channel;
      if (draft !== undefined)
        this.channel.signed(draft, await seal(advanceMessage, draft, [this.#ports.signer]), receipt);
    }
    this.#ended.resolve(failure);
    this.#ports.onRoom();
  }
}
