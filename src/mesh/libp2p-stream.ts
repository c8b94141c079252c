import type { Connection, Stream, StreamCloseEvent, StreamMessageEvent } from "@libp2p/interface";
import { FailureError } from "../protocol/failure.ts";
import { Inbox } from "./inbox.ts";
import { PAUSE_READING_BYTES } from "./limits.ts";
import type { MeshStream, TransportInfo } from "./mesh.ts";
import { isChannelGone } from "./peer-connection.ts";
import { transportInfo } from "./transport-info.ts";

const AT_ONCE: Promise<void> = Promise.resolve();

/**
 * A libp2p stream as a MeshStream. libp2p tells a lost connection and a finished stream apart only by order: a peer
 * that finishes is heard before anything closes. `onDrain()` of libp2p 3.3 holds back only once per stream, so its
 * `drain` event is used instead.
 */
export class Libp2pStream implements MeshStream {
  readonly protocol: string;
  readonly remotePeer: string;
  readonly #stream: Stream;
  readonly #connection: Connection;
  readonly #inbox: Inbox;
  #remoteFinished: boolean;
  #aborted: FailureError | undefined;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(stream: Stream, connection: Connection) {
    this.protocol = stream.protocol;
    this.remotePeer = connection.remotePeer.toString();
    this.#stream = stream;
    this.#connection = connection;
    this.#inbox = new Inbox({
      pauseAtBytes: PAUSE_READING_BYTES,
      pause: () => this.#whileReadable(() => stream.pause()),
      resume: () => this.#whileReadable(() => stream.resume()),
    });
    this.#remoteFinished = stream.remoteWriteStatus === "closed" && stream.status === "open";
    this.#listen();
    if (stream.readableEnded) this.#readEnded();
  }

  send(bytes: Uint8Array): Promise<void> {
    if (this.#stream.writeStatus !== "writable") return Promise.reject(this.#lost("the stream is closed"));
    try {
      return this.#stream.send(bytes) ? AT_ONCE : this.#draining();
    } catch (error) {
      return Promise.reject(this.#lost("the stream is closed", error));
    }
  }

  bytes(): AsyncIterable<Uint8Array> {
    return this.#inbox.bytes();
  }

  onBytes(listener: (chunk: Uint8Array) => void, ended: (failure: FailureError | undefined) => void): void {
    this.#inbox.onBytes(listener, ended);
  }

  async close(): Promise<void> {
    try {
      await this.#stream.close();
    } catch (error) {
      this.abort(this.#lost("the peer did not acknowledge the end of the stream", error));
    }
  }

  abort(reason: FailureError): void {
    this.#aborted ??= reason;
    this.#inbox.end(reason);
    this.#stream.abort(reason);
  }

  transport(): Promise<TransportInfo> {
    return transportInfo(this.#connection);
  }

  #listen(): void {
    this.#stream.addEventListener("message", (event: StreamMessageEvent) => {
      if (event.data instanceof Uint8Array) this.#inbox.push(event.data);
      else for (const chunk of event.data) this.#inbox.push(chunk);
    });
    this.#stream.addEventListener("remoteCloseWrite", () => {
      this.#remoteFinished = !isChannelGone(this.#stream);
    });
    this.#stream.addEventListener("end", () => this.#readEnded());
    this.#stream.addEventListener("close", (event: StreamCloseEvent) => this.#closed(event));
    this.#stream.addEventListener("drain", () => {
      if (this.#drained !== undefined) queueMicrotask(() => this.#checkDrained());
    });
  }

  #draining(): Promise<void> {
    if (this.#drained === undefined) {
      this.#drained = Promise.withResolvers<void>();
      this.#drained.promise.catch(() => undefined);
    }
    return this.#drained.promise;
  }

  /** libp2p goes on sending what it had queued when it drains, and may be full again after that. */
  #checkDrained(): void {
    if (this.#stream.writableNeedsDrain) return;
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #readEnded(): void {
    const complete = this.#remoteFinished && this.#stream.status !== "reset" && this.#aborted === undefined;
    this.#inbox.end(complete ? undefined : this.#lost("the connection to the peer was lost"));
  }

  #closed(event: StreamCloseEvent): void {
    const failure = this.#lost(
      this.#stream.status === "reset" ? "the peer reset the stream" : "the stream is closed",
      event.error,
    );
    this.#drained?.reject(failure);
    this.#drained = undefined;
    if (event.error !== undefined) this.#inbox.end(failure);
    else this.#whileReadable(() => this.#stream.resume());
  }

  #lost(detail: string, cause?: unknown): FailureError {
    return this.#aborted ?? new FailureError("disconnected", detail, cause === undefined ? {} : { cause });
  }

  #whileReadable(act: () => void): void {
    if (this.#stream.readStatus === "readable" || this.#stream.readStatus === "paused") act();
  }
}
