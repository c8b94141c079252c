import type { FrameStream } from "../mesh/frame-stream.ts";
import { sendInParts } from "../mesh/parts.ts";
import type { Task } from "../protocol/messages/task.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { FRAME } from "../protocol/work-frame.ts";
import type { ProviderChannel, StreamPart, TaskEnd } from "./provider-channel.ts";
import type { ReceiptSigner } from "./receipt-signer.ts";
import type { SessionPorts } from "./session-ports.ts";

const OUTCOME_PARTS = { first: FRAME.outcome, rest: FRAME.outcomeData };

/** Detail of a failure, in UTF-16 units before encoding: enough for a sentence and a stack of names. */
const MAX_DETAIL = 2_000;

/** Sends the outcomes of one lease, and holds back those of streams that the requester has not signed for. */
export class OutcomeSender {
  readonly #frames: FrameStream;
  readonly #channel: ProviderChannel;
  readonly #receipts: ReceiptSigner;
  readonly #onOutcome: SessionPorts["onOutcome"];
  #signedFor = Promise.withResolvers<void>();

  constructor(
    frames: FrameStream,
    channel: ProviderChannel,
    receipts: ReceiptSigner,
    onOutcome: SessionPorts["onOutcome"],
  ) {
    this.#frames = frames;
    this.#channel = channel;
    this.#receipts = receipts;
    this.#onOutcome = onOutcome;
  }

  /** Sends an outcome at once. Resolves when the network has room for more. @param data output, or the failure's detail */
  async send(task: Task, end: TaskEnd, data: Uint8Array | string, part?: StreamPart): Promise<void> {
    const leaf = this.#channel.finish(task, end, part);
    const bytes = typeof data === "string" ? encodeUtf8(data.slice(0, MAX_DETAIL).toWellFormed()) : data;
    const sent = sendInParts(this.#frames, OUTCOME_PARTS, task.seq, leaf.bytes, bytes);
    this.#onOutcome(end, part?.end ?? true);
    this.#receipts.signSoon();
    await sent.catch(() => undefined);
  }

  /** Resolves when one more outcome is within what the lease lets this side risk, or nobody wants it any more. */
  async untilMayTell(isWanted: () => boolean): Promise<void> {
    while (!this.#channel.mayTell() && isWanted())
      // oxlint-disable-next-line no-await-in-loop -- until the requester signs, or the session is over
      await this.#signedFor.promise;
  }

  /** The requester has signed for more, or something is not wanted any more. */
  wake(): void {
    this.#signedFor.resolve();
    this.#signedFor = Promise.withResolvers();
  }
}
