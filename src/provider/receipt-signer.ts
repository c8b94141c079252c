import { bodyId, seal } from "../protocol/envelope.ts";
import { receiptMessage } from "../protocol/messages/receipt.ts";
import type { Signer } from "../protocol/signature.ts";
import type { HeldLease } from "./held-lease.ts";
import { RECEIPT_INTERVAL_MS } from "./limits.ts";
import type { ProviderChannel } from "./provider-channel.ts";

/** Signs the receipts of one lease, off the path of the tasks: at once while it is quiet, else every RECEIPT_INTERVAL_MS. */
export class ReceiptSigner {
  readonly #channel: ProviderChannel;
  readonly #signer: Signer;
  readonly #held: HeldLease | undefined;
  readonly #send: (receipt: Uint8Array, final: boolean) => void;
  #signing: Promise<unknown> | undefined;
  #cooling: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #late = false;

  /** @param send called with each signed receipt, in order. */
  constructor(
    channel: ProviderChannel,
    signer: Signer,
    held: HeldLease | undefined,
    send: (receipt: Uint8Array, final: boolean) => void,
  ) {
    this.#channel = channel;
    this.#signer = signer;
    this.#held = held;
    this.#send = send;
  }

  /** There may be something new to sign. Begins in a task of its own, so that the answer it is for leaves before. */
  signSoon(): void {
    if (this.#signing !== undefined || this.#cooling !== undefined || this.#stopped) return;
    this.#cool(0);
  }

  /**
   * Signs what is new now and answers with it instead of sending it; nothing is signed afterwards. Where the disk takes
   * longer than that, nothing is signed at all: what is not told in time must not turn up later.
   * @param patienceMs milliseconds
   */
  async signLast(patienceMs: number): Promise<Uint8Array | undefined> {
    this.stop();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => {
      this.#late = true;
      resolve(undefined);
    }, patienceMs);
    const receipt = await Promise.race([this.#signAfterThis(), promise]);
    clearTimeout(timer);
    return receipt;
  }

  async #signAfterThis(): Promise<Uint8Array | undefined> {
    await this.#signing;
    return this.#sign(false);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#cooling);
  }

  async #signInTurn(): Promise<void> {
    const final = this.#channel.complete;
    const signing = this.#sign(final);
    this.#signing = signing;
    const receipt = await signing;
    this.#signing = undefined;
    if (receipt === undefined) return;
    this.#send(receipt, final);
    if (this.#stopped) return;
    this.#cool(RECEIPT_INTERVAL_MS);
  }

  #cool(ms: number): void {
    this.#cooling = setTimeout(() => {
      this.#cooling = undefined;
      if (!this.#stopped) void this.#signInTurn();
    }, ms);
  }

  async #sign(final: boolean): Promise<Uint8Array | undefined> {
    const draft = this.#channel.draft(final);
    if (draft === undefined) return undefined;
    // On the disk first: from here on it may be drawn, whatever becomes of this tab. Where the disk is full, memory has it.
    await this.#held?.keep().catch(() => undefined);
    if (this.#late) return undefined;
    const bytes = await seal(receiptMessage, draft, [this.#signer]);
    this.#held?.signedFor(draft.count, bytes);
    this.#channel.signed({ id: bodyId(receiptMessage, draft), bytes, body: draft });
    return bytes;
  }
}
