import type { FrameStream } from "../mesh/frame-stream.ts";
import type { TransportInfo } from "../mesh/mesh.ts";
import { PartAssembly, sendInParts, type Whole } from "../mesh/parts.ts";
import { type Cid, cidFromDigest, cidOf, RAW } from "../protocol/cid.ts";
import { openEnvelope, seal, type Unverified, verified } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import type { FailureCode } from "../protocol/failure-code.ts";
import { header } from "../protocol/header.ts";
import { type Receipt, receiptMessage } from "../protocol/messages/receipt.ts";
import { drainMessage } from "../protocol/messages/session.ts";
import { advanceMessage, cancelMessage, type OutcomeLeaf } from "../protocol/messages/task.ts";
import { decode } from "../protocol/schema.ts";
import type { Signer, Verify } from "../protocol/signature.ts";
import { decodeUtf8 } from "../protocol/text.ts";
import { failureSchema, FRAME, splitHeader, splitSeq } from "../protocol/work-frame.ts";
import { ADVANCE_INTERVAL_MS, FINISH_TIMEOUT_MS, HASH_HERE_BYTES } from "./limits.ts";
import { type HeldLease, RequesterChannel } from "./requester-channel.ts";

/** What one task needs. */
export interface TaskInput {
  readonly bytes: Uint8Array;
  readonly cid: Cid;
  /** 32 bytes; the same wherever the task runs. */
  readonly seed: Uint8Array;
}

/** What came back for a task. */
export type TaskAnswer =
  | { readonly kind: "done"; readonly output: Uint8Array; readonly outcome: OutcomeLeaf }
  | {
      readonly kind: "failed";
      readonly code: FailureCode;
      readonly detail: string;
      readonly outcome: OutcomeLeaf;
    };

/** A task under way. `answer` comes first; `final` resolves when the provider's signed receipt covers it (rule 4). */
export interface SentTask {
  readonly seq: number;
  readonly answer: Promise<TaskAnswer>;
  readonly final: Promise<void>;
}

const TASK_PARTS = { first: FRAME.task, rest: FRAME.taskData };

/** Longest detail of a failure that is read, in bytes. */
const MAX_DETAIL_BYTES = 8 * 1024;

interface Pending {
  readonly answer: PromiseWithResolvers<TaskAnswer>;
  readonly final: PromiseWithResolvers<void>;
}

export interface RequesterPorts {
  readonly signer: Signer;
  readonly verify: Verify;
  /** 16 random bytes. */
  randomSalt(): Uint8Array;
  /** SHA-256 off this thread. */
  sha256(bytes: Uint8Array): Promise<Uint8Array>;
  /** There is room for more tasks, or the session is over. */
  onRoom(): void;
}

function unsettled(pending: Pending): Pending {
  // Both may be rejected before anyone looks at them.
  pending.answer.promise.catch(() => undefined);
  pending.final.promise.catch(() => undefined);
  return pending;
}

/** One lease at work, seen from the requester: an accepted stream, from the first task to the last signature. */
export class RequesterSession {
  readonly channel: RequesterChannel;
  readonly #frames: FrameStream;
  readonly #ports: RequesterPorts;
  readonly #outputs = new PartAssembly<OutcomeLeaf>();
  readonly #pending = new Map<number, Pending>();
  /** Finals by their place in the outcome tree. */
  readonly #byIndex = new Map<number, Pending>();
  readonly #ended = Promise.withResolvers<FailureError | undefined>();
  #outcomes = 0;
  #settled = 0;
  #signing = false;
  #cooling: ReturnType<typeof setTimeout> | undefined;
  #receipts: Promise<void> = Promise.resolve();
  #closing = false;
  #draining: FailureError | undefined;
  #over = false;

  constructor(frames: FrameStream, held: HeldLease, ports: RequesterPorts) {
    this.#frames = frames;
    this.#ports = ports;
    this.channel = new RequesterChannel(held);
  }

  get ended(): Promise<FailureError | undefined> {
    return this.#ended.promise;
  }

  get isOpen(): boolean {
    return !this.#over && !this.#closing && this.#draining === undefined;
  }

  get hasRoom(): boolean {
    return this.isOpen && this.channel.hasRoom;
  }

  transport(): Promise<TransportInfo> {
    return this.#frames.stream.transport();
  }

  /** Sends a task at once. Check `hasRoom` before. @throws FailureError `disconnected` when the session is over. */
  send(input: TaskInput): SentTask {
    if (!this.isOpen) throw new FailureError("disconnected", "the session is over");
    const { task, bytes } = this.channel.name(
      { cid: input.cid, size: input.bytes.length },
      this.#ports.randomSalt(),
      input.seed,
    );
    const pending = unsettled({ answer: Promise.withResolvers(), final: Promise.withResolvers() });
    this.#pending.set(task.seq, pending);
    sendInParts(this.#frames, TASK_PARTS, task.seq, bytes, input.bytes).catch(() => undefined);
    this.#signSoon();
    return { seq: task.seq, answer: pending.answer.promise, final: pending.final.promise };
  }

  /** Takes one frame after the accept frame. @throws FailureError that ends the session. */
  frame(kind: number, payload: Uint8Array): void {
    if (this.#over) return;
    switch (kind) {
      case FRAME.outcome: {
        const [encoded, data] = splitHeader(payload);
        const outcome = this.channel.outcome(encoded);
        this.#place(outcome.seq);
        const size = outcome.status === "done" ? outcome.size : Math.min(data.length, MAX_DETAIL_BYTES);
        this.#arrived(this.#outputs.begin(outcome.seq, outcome, size, data));
        return;
      }
      case FRAME.outcomeData: {
        const [seq, data] = splitSeq(payload);
        this.#arrived(this.#outputs.add(seq, data));
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

  /** Cancels every open task and closes. */
  async cancel(): Promise<void> {
    if (this.#over) return;
    const { origin, asset } = this.channel.held.lease.body;
    const cancel = { ...header(origin, asset), lease: this.channel.lease, seq: 0, atUnit: 0 };
    const envelope = await seal(cancelMessage, cancel, [this.#ports.signer]);
    await this.#frames.sendFrame(FRAME.cancel, envelope).catch(() => undefined);
    await this.close();
  }

  #place(seq: number): void {
    const pending = this.#pending.get(seq);
    if (pending !== undefined) this.#byIndex.set(this.#outcomes, pending);
    this.#outcomes += 1;
  }

  #arrived(complete: Whole<OutcomeLeaf> | undefined): void {
    if (complete === undefined) return;
    const { header: outcome, data } = complete;
    const pending = this.#pending.get(outcome.seq);
    this.#pending.delete(outcome.seq);
    if (pending === undefined) return;
    if (outcome.code !== undefined) {
      pending.answer.resolve({ kind: "failed", code: outcome.code, detail: decodeUtf8(data), outcome });
    } else if (data.length <= HASH_HERE_BYTES) {
      this.#deliver(pending, outcome, data, cidOf(RAW, data));
    } else {
      void this.#hashAndDeliver(pending, outcome, data);
    }
    this.#ports.onRoom();
  }

  async #hashAndDeliver(pending: Pending, outcome: OutcomeLeaf, data: Uint8Array): Promise<void> {
    this.#deliver(pending, outcome, data, cidFromDigest(RAW, await this.#ports.sha256(data)));
  }

  #deliver(pending: Pending, outcome: OutcomeLeaf, output: Uint8Array, cid: Cid): void {
    if (cid === outcome.outputCid) {
      pending.answer.resolve({ kind: "done", output, outcome });
      return;
    }
    const failure = new FailureError(
      "content-mismatch",
      `task ${outcome.seq}: its output does not hash to the CID in the outcome`,
    );
    pending.answer.reject(failure);
    this.fail(failure);
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
      this.channel.acceptReceipt(receipt);
      this.#settleFinals();
      this.#signSoon(receipt.body.final);
    } catch (error) {
      this.fail(
        error instanceof FailureError
          ? error
          : new FailureError("bad-receipt", "receipt: could not be checked", { cause: error }),
      );
    }
  }

  #settleFinals(): void {
    for (; this.#settled < this.channel.finalCount; this.#settled += 1) {
      this.#byIndex.get(this.#settled)?.final.resolve();
      this.#byIndex.delete(this.#settled);
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
      await this.#receipts;
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
    this.#cooling ??= setTimeout(() => {
      this.#cooling = undefined;
      void this.#sign(this.#closing);
    }, ADVANCE_INTERVAL_MS);
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
    clearTimeout(this.#cooling);
    const reason = failure ?? new FailureError("disconnected", "the session is over");
    for (const pending of [...this.#pending.values(), ...this.#byIndex.values()]) {
      pending.answer.reject(reason);
      pending.final.reject(reason);
    }
    this.#pending.clear();
    this.#byIndex.clear();
    void this.#signLast(failure);
  }

  /** Countersigns the newest receipt although nobody hears it any more: the relay will (rule 4). */
  async #signLast(failure: FailureError | undefined): Promise<void> {
    if (this.channel.owesSignature) {
      const draft = this.channel.draft(true);
      const { receipt } = this.channel;
      if (draft !== undefined)
        this.channel.signed(draft, await seal(advanceMessage, draft, [this.#ports.signer]), receipt);
    }
    this.#ended.resolve(failure);
    this.#ports.onRoom();
  }
}
