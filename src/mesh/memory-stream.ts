import { FailureError } from "../protocol/failure.ts";
import { Inbox } from "./inbox.ts";
import { MAX_UNREAD_BYTES, PAUSE_READING_BYTES } from "./limits.ts";
import type { MeshStream, TransportInfo } from "./mesh.ts";

/** Two connected ends; what one sends arrives at the other in a later task, as on a network. */
export function memoryStreamPair(
  protocol: string,
  dialler: string,
  answerer: string,
): [MemoryStream, MemoryStream] {
  const near = new MemoryStream(protocol, answerer, false);
  const far = new MemoryStream(protocol, dialler, true);
  near.connect(far);
  far.connect(near);
  return [near, far];
}

type Step = (far: MemoryStream) => void;

export class MemoryStream implements MeshStream {
  readonly protocol: string;
  readonly remotePeer: string;
  readonly inbound: boolean;
  readonly #inbox: Inbox;
  readonly #overListeners: (() => void)[] = [];
  /** Steps under way to the far end, in order. */
  #wire: Step[] = [];
  #wireBytes = 0;
  #farWaits = false;
  #far: MemoryStream | undefined;
  #farReads: PromiseWithResolvers<void> | undefined;
  #localClosed = false;
  #remoteClosed = false;
  #aborted: FailureError | undefined;

  constructor(protocol: string, remotePeer: string, inbound: boolean) {
    this.protocol = protocol;
    this.remotePeer = remotePeer;
    this.inbound = inbound;
    this.#inbox = new Inbox({
      pauseAtBytes: PAUSE_READING_BYTES,
      pause: () => this.#holdBackFar(true),
      resume: () => this.#holdBackFar(false),
    });
  }

  connect(far: MemoryStream): void {
    this.#far = far;
  }

  onOver(listener: () => void): void {
    this.#overListeners.push(listener);
  }

  send(bytes: Uint8Array): Promise<void> {
    if (this.#aborted !== undefined) return Promise.reject(this.#aborted);
    if (this.#localClosed) return Promise.reject(new FailureError("disconnected", "the stream is closed"));
    this.#wireBytes += bytes.byteLength;
    if (this.#wireBytes >= PAUSE_READING_BYTES) this.#farReads ??= Promise.withResolvers<void>();
    this.#transmit((far) => far.#receive(bytes));
    return this.#farReads?.promise ?? Promise.resolve();
  }

  bytes(): AsyncIterable<Uint8Array> {
    return this.#inbox.bytes();
  }

  onBytes(listener: (chunk: Uint8Array) => void, ended: (failure: FailureError | undefined) => void): void {
    this.#inbox.onBytes(listener, ended);
  }

  close(): Promise<void> {
    if (this.#localClosed || this.#aborted !== undefined) return Promise.resolve();
    this.#localClosed = true;
    this.#transmit((far) => far.#closedByPeer());
    this.#checkOver();
    return Promise.resolve();
  }

  abort(reason: FailureError): void {
    if (!this.#over(reason)) return;
    this.#wire = [];
    this.#transmit((far) => far.#over(new FailureError("disconnected", "the peer reset the stream")));
  }

  transport(): Promise<TransportInfo> {
    return Promise.resolve({ kind: "memory", limited: false });
  }

  #transmit(step: Step): void {
    this.#wire.push(step);
    if (this.#wire.length === 1) setTimeout(() => this.#arrive(), 0);
  }

  #arrive(): void {
    const steps = this.#wire;
    this.#wire = [];
    this.#wireBytes = 0;
    if (this.#far !== undefined) for (const step of steps) step(this.#far);
    if (!this.#farWaits) this.#releaseWriters();
  }

  #receive(bytes: Uint8Array): void {
    this.#inbox.push(bytes);
    if (this.#inbox.unreadBytes > MAX_UNREAD_BYTES) {
      this.abort(new FailureError("disconnected", `${this.#inbox.unreadBytes} bytes were not read`));
    }
  }

  #closedByPeer(): void {
    this.#remoteClosed = true;
    this.#inbox.end(undefined);
    this.#checkOver();
  }

  #holdBackFar(wait: boolean): void {
    if (this.#far !== undefined) this.#far.#holdBack(wait);
  }

  #holdBack(wait: boolean): void {
    this.#farWaits = wait;
    if (wait) this.#farReads ??= Promise.withResolvers<void>();
    else this.#releaseWriters();
  }

  #releaseWriters(): void {
    this.#farReads?.resolve();
    this.#farReads = undefined;
  }

  #checkOver(): void {
    if (this.#localClosed && this.#remoteClosed) this.#tellOver();
  }

  #over(failure: FailureError): boolean {
    if (this.#aborted !== undefined || (this.#localClosed && this.#remoteClosed)) return false;
    this.#aborted = failure;
    this.#inbox.end(failure);
    this.#releaseWriters();
    this.#tellOver();
    return true;
  }

  #tellOver(): void {
    for (const listener of this.#overListeners.splice(0)) listener();
  }
}
