import type { FrameStream } from "../mesh/frame-stream.ts";
import { seal, type Unverified, verified } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { header } from "../protocol/header.ts";
import { acceptMessage } from "../protocol/messages/lease.ts";
import type { Advance, Task } from "../protocol/messages/task.ts";
import { encode } from "../protocol/schema.ts";
import { fuel } from "../protocol/units.ts";
import { failureSchema, FRAME, splitSeq } from "../protocol/work-frame.ts";
import type { WorkOrder } from "./check-open.ts";
import type { HeldLease } from "./held-lease.ts";
import { type DrainReason, Farewell, signDrain, type SuddenEnd } from "./farewell.ts";
import { CLOSE_TIMEOUT_MS, DRAIN_RECEIPT_MS, DRAIN_SIGN_TIMEOUT_MS } from "./limits.ts";
import { ProviderChannel } from "./provider-channel.ts";
import { OutcomeSender } from "./outcome-sender.ts";
import { ReceiptSigner } from "./receipt-signer.ts";
import { failureOf, openAdvance, openCancel, openStop } from "./requester-messages.ts";
import { type Answer, isOfOtherInput, runLoaded } from "./run-loaded.ts";
import type { LoadedWork, SessionPorts } from "./session-ports.ts";
import { SignatureWatch } from "./signature-watch.ts";
import { StepSigning } from "./step-signing.ts";
import { type NotRun, TaskInputs } from "./task-inputs.ts";
import { TasksInHand } from "./tasks-in-hand.ts";

/** One lease at work over one stream, from the accepted order to the final receipt. */
export class WorkSession {
  readonly channel: ProviderChannel;
  readonly #frames: FrameStream;
  readonly #ports: SessionPorts;
  readonly #receipts: ReceiptSigner;
  readonly #outcomes: OutcomeSender;
  readonly #held: HeldLease | undefined;
  readonly #unsigned = new SignatureWatch(() =>
    this.fail(new FailureError("timed-out", "nothing was countersigned for too long")),
  );
  readonly #inputs: TaskInputs;
  readonly #hand = new TasksInHand();
  readonly #farewell = new Farewell();
  readonly #steps: StepSigning;
  readonly #ended = Promise.withResolvers<FailureError | undefined>();
  #work: LoadedWork | undefined;
  #closing: ReturnType<typeof setTimeout> | undefined;
  #dispatch: ReturnType<typeof setTimeout> | undefined;
  #firstTask: ReturnType<typeof setTimeout> | undefined;
  #cancelledFrom = Number.POSITIVE_INFINITY;
  #draining = false;
  #over = false;

  constructor(frames: FrameStream, order: WorkOrder, ports: SessionPorts) {
    this.#frames = frames;
    this.#ports = ports;
    this.channel = new ProviderChannel(order);
    this.#steps = new StepSigning(order, ports.runs);
    const held = ports.hold?.(order, () => this.#roomFreed());
    this.#held = held;
    this.#inputs = new TaskInputs({
      channel: this.channel,
      hand: this.#hand,
      held,
      runs: ports.runs,
      onReady: () => this.#runReady(),
      onFailed: (...failed) => this.#tellFailure(...failed),
    });
    this.#receipts = new ReceiptSigner(this.channel, ports.signer, held, (receipt, final) => {
      frames.sendFrame(FRAME.receipt, receipt).catch(() => undefined);
      if (final) this.#closeSoon();
    });
    this.#outcomes = new OutcomeSender(frames, this.channel, this.#receipts, held, (end, isLast) => {
      ports.onOutcome(end, isLast);
      this.#watchSignature(false);
    });
  }

  /** Resolves when the session is over, with the failure that ended it, if one did. */
  get ended(): Promise<FailureError | undefined> {
    return this.#ended.promise;
  }

  /** After a drain: resolves when the requester has signed the last receipt, or will not any more. */
  async settled(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, DRAIN_SIGN_TIMEOUT_MS);
    await Promise.race([this.#ended.promise, promise]);
    clearTimeout(timer);
    this.#finish(undefined);
  }

  /** Accepts the lease, fetches the function, and works until both sides have signed the end. */
  async start(): Promise<void> {
    const { lease } = this.channel.order;
    const accept = { ...header(lease.body.origin, lease.body.asset), lease: lease.id };
    void this.#frames.sendFrame(FRAME.accept, await seal(acceptMessage, accept, [this.#ports.signer]));
    void this.#farewell.prepare(this.channel.order, this.#ports.signer);
    this.#dispatch = setTimeout(() => void this.drain("lease-ended"), lease.body.dispatchMs);
    this.#firstTask = setTimeout(() => {
      if (this.channel.received === 0) void this.drain("lease-ended");
    }, lease.body.firstTaskMs);
    try {
      this.#work = await this.#ports.loadWork(this.channel.order);
      this.#runReady();
    } catch (error) {
      this.fail(failureOf(error, "function-unavailable", "could not be loaded"));
    }
  }

  /** Takes one frame after the open frame. @throws FailureError that ends the session. */
  frame(kind: number, payload: Uint8Array): void {
    if (this.#over) return;
    switch (kind) {
      case FRAME.task:
        this.#inputs.begin(payload);
        return;
      case FRAME.taskData:
        this.#inputs.add(payload);
        return;
      case FRAME.advance:
        this.#receiveAdvance(payload);
        return;
      case FRAME.cancel:
        void this.#receiveCancel(payload);
        return;
      case FRAME.stop:
        void this.#receiveStop(payload);
        return;
      case FRAME.secrets:
        this.#hand.takeSecrets(payload);
        return;
      case FRAME.ping:
        this.#frames.sendFrame(FRAME.pong).catch(() => undefined);
        return;
      case FRAME.unseal:
        // Asked for while the drain that returns it was on its way.
        if (this.#draining) return;
        this.#outcomes.unseal(splitSeq(payload)[0]);
        this.#runReady();
        return;
      default:
        throw new FailureError("malformed-frame", `frame kind ${kind} is not expected here`);
    }
  }

  /** The stream is gone: what was countersigned is reported, the rest is lost. */
  disconnected(failure: FailureError | undefined): void {
    this.#finish(failure);
  }

  /** Says why, then ends. */
  fail(failure: FailureError): void {
    if (this.#over) return;
    const frame = encode(failureSchema, { code: failure.code, detail: failure.detail.slice(0, 300) });
    this.#frames.sendFrame(FRAME.refuse, frame).catch(() => undefined);
    void this.#frames.close().catch(() => undefined);
    this.#finish(failure);
  }

  /**
   * Stops in order: running tasks are ended, the rest returned, the last receipt signed and sent along.
   * Resolves when the drain has been handed to the network.
   */
  async drain(reason: DrainReason): Promise<void> {
    if (this.#over || this.#draining) return;
    const returned = this.#giveBack();
    const receipt = await this.#receipts.signLast(DRAIN_RECEIPT_MS);
    const standing = { acceptedUpTo: this.channel.received, returned, receipt };
    const envelope = await signDrain(this.channel.order, this.#ports.signer, reason, standing);
    await this.#frames.sendFrame(FRAME.drain, envelope).catch(() => undefined);
    this.#closeSoon();
  }

  /**
   * The page's code stops now: says so with what was signed before, within this turn of the event loop. Nothing more is
   * signed, so outcomes of the last moment that no receipt covers are not paid here: others compute them again.
   */
  depart(reason: SuddenEnd): void {
    if (this.#over || this.#draining) return;
    this.#giveBack();
    this.#receipts.stop();
    const drain = this.#farewell.say(reason);
    if (drain !== undefined) this.#frames.sendFrame(FRAME.drain, drain).catch(() => undefined);
    this.#closeSoon();
  }

  /** Ends what runs and forgets what waits. @returns tasks that have no outcome by that */
  #giveBack(): readonly number[] {
    this.#draining = true;
    const returned = [...this.#outcomes.sealed, ...this.#hand.giveBack()].toSorted((a, b) => a - b);
    this.#outcomes.forgetSealed();
    this.#outcomes.wake();
    return returned;
  }

  /** The relay has drawn: what was held is free. */
  #roomFreed(): void {
    this.#outcomes.wake();
    this.#runReady();
  }

  /** Hands tasks to the pool, in order, as far as signature and budget allow. */
  #runReady(): void {
    const work = this.#work;
    if (work === undefined || this.#draining || this.#over) return;
    const { ready } = this.#hand;
    for (let next = ready[0]; next !== undefined; next = ready[0]) {
      const { task, input } = next;
      const { running, runningBytes } = this.#hand;
      if (task.seq >= this.#cancelledFrom) {
        ready.shift();
        this.#tellFailure(task, "not-started", "cancelled before it started");
      } else if (!this.channel.mayRun(task.seq, running) || this.#held?.isFull === true) {
        return;
      } else if (this.channel.coversNext(running + 1, runningBytes + task.size)) {
        ready.shift();
        void this.#run(task, input, work);
      } else if (running > 0) {
        return;
      } else {
        ready.shift();
        this.#tellFailure(task, "over-budget", "the lease's budget does not cover it");
      }
    }
  }

  async #run(task: Task, input: Uint8Array, work: LoadedWork): Promise<void> {
    const signal = this.#hand.begin(task);
    const answer = await runLoaded(task, input, work, {
      pool: this.#ports.pool,
      limits: this.channel.order.job.body.limits,
      signal,
      secrets: this.#hand.secrets,
      onStart: () => this.#ports.onTask("started", this.channel, task),
      onPart: (part) => this.#tellPart(task, part),
    });
    // A stream ends in turn: its last part waits as those before it.
    if (task.stream) await this.#outcomes.untilMayTell(() => this.#isWanted(task));
    const step =
      task.step === undefined ? undefined : await this.#steps.sign(task, answer, () => this.#isWanted(task));
    const isWanted = this.#hand.end(task) && !this.#over;
    if (isWanted) this.#tellEnd(task, answer, step);
    // The answer leaves first; what a person sees of it can wait.
    this.#ports.onTask("ended", this.channel, task);
    if (isWanted) this.#runReady();
  }

  /** A part of a stream leaves when the requester has signed for enough of those before; the next one waits for it. */
  async #tellPart(task: Task, { end, data, part }: Answer): Promise<void> {
    await this.#outcomes.untilMayTell(() => this.#isWanted(task));
    if (!this.#isWanted(task)) return;
    if (task.step !== undefined) this.#steps.part(task, { end, data });
    await this.#outcomes.send(task, end, data, { part });
  }

  #isWanted({ seq }: Task): boolean {
    return this.#hand.isRunning(seq) && !this.#over;
  }

  #tellEnd(task: Task, answer: Answer, step: Uint8Array | undefined): void {
    if (isOfOtherInput(task, answer))
      return this.fail(
        new FailureError("content-mismatch", `task ${task.seq}: its input does not hash to its CID`),
      );
    try {
      this.#outcomes.tell(task, answer.end, answer.data, { ...answer, step });
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      this.fail(error);
    }
  }

  #tellFailure(task: Task, name: NotRun, detail: string): void {
    void this.#outcomes.send(task, { kind: "failed", code: failureCode(name), fuel: fuel(0) }, detail);
  }

  #receiveAdvance(payload: Uint8Array): void {
    const advance = openAdvance(payload, this.channel.order);
    this.channel.checkAdvance(advance.body);
    void this.#acceptAdvance(advance);
  }

  async #acceptAdvance(advance: Unverified<Advance>): Promise<void> {
    try {
      const news = this.channel.accept(await verified(advance, this.#ports.verify));
      const { taskCount, tasksRoot } = advance.body;
      this.#held?.named({ envelope: advance.bytes.slice(), taskCount, tasksRoot });
      if (news !== undefined) this.#ports.saveReceipt(news);
      this.#watchSignature(news !== undefined);
      this.#outcomes.wake();
      const isLast =
        news?.final === true || (this.#draining && this.channel.count === this.channel.countersignedCount);
      if (isLast) {
        this.#finish(undefined);
        void this.#frames.close().catch(() => undefined);
        return;
      }
      this.#runReady();
      // What was told before its task was named is signed now.
      this.#receipts.signSoon();
    } catch (error) {
      this.fail(failureOf(error, "bad-signature", "advance"));
    }
  }

  async #receiveCancel(payload: Uint8Array): Promise<void> {
    try {
      const from = await openCancel(payload, this.channel.order, this.#ports.verify);
      this.#cancelledFrom = Math.min(this.#cancelledFrom, from);
      this.#hand.cancelFrom(this.#cancelledFrom);
      this.#runReady();
    } catch (error) {
      this.fail(failureOf(error, "bad-signature", "cancel"));
    }
  }

  /** Another provider has done it. What has ended, or is not here yet, is passed over. */
  async #receiveStop(payload: Uint8Array): Promise<void> {
    try {
      const seq = await openStop(payload, this.channel.order, this.#ports.verify);
      const waiting = this.#hand.stop(seq);
      if (waiting !== undefined) this.#tellFailure(waiting, "not-started", "done by another provider");
    } catch (error) {
      this.fail(failureOf(error, "bad-signature", "stop"));
    }
  }

  #watchSignature(isNews: boolean): void {
    if (!this.#over) this.#unsigned.note(this.channel.count > this.channel.countersignedCount, isNews);
  }

  /** Both sides have said their last word, or the other one does not answer any more. */
  #closeSoon(): void {
    this.#closing ??= setTimeout(() => {
      void this.#frames.close().catch(() => undefined);
      this.#finish(undefined);
    }, CLOSE_TIMEOUT_MS);
  }

  #finish(failure: FailureError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#receipts.stop();
    clearTimeout(this.#closing);
    clearTimeout(this.#dispatch);
    clearTimeout(this.#firstTask);
    this.#unsigned.stop();
    this.#hand.giveBack();
    this.#outcomes.wake();
    this.#ports.onEnded(this.channel.lease, this.channel.claim(this.#unsigned.waitedMs));
    this.#ended.resolve(failure);
  }
}
