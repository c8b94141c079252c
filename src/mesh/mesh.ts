import type { FailureError } from "../protocol/failure.ts";

/**
 * The mesh: how bytes reach a peer. This port is all that the rooms above know of the network.
 * Implementations: `memory-mesh.ts` in one process, `libp2p-mesh.ts` over WebSocket, circuit relay and WebRTC.
 */
export interface Mesh {
  /** The session key's identity, "12D3KooW…". */
  readonly peerId: string;

  /** Joins the network and keeps trying until `stop`; resolves when it has begun, not when it is online (see `status`). Idempotent. */
  start(): Promise<void>;

  /** Leaves: streams end as if the connection were lost. Idempotent; a stopped mesh is not started again. */
  stop(): Promise<void>;

  /** Multiaddrs under which others can reach this peer now, best first. They change with `status`; empty when nobody can. */
  addresses(): readonly string[];

  /**
   * Answers streams of `protocol`. The handler is called once per stream and owns it; what it throws aborts the stream.
   * @returns a function that stops answering; open streams stay.
   */
  handle(protocol: string, handler: StreamHandler, options?: HandleOptions): () => void;

  /**
   * Opens a stream. Several addresses of one peer may be given; each ends in its `/p2p/…`.
   * @throws FailureError `unreachable` with the reason in words, also when the signal's timeout ended the attempt;
   *   `timed-out` when a connection stands but the stream did not open in that time; `version-mismatch` when the peer
   *   does not speak `protocol`; `disconnected` when it refuses the stream; `malformed` for addresses that do not parse. The signal's reason when it was aborted
   *   for anything but a timeout.
   */
  dial(address: string | readonly string[], protocol: string, options: DialOptions): Promise<MeshStream>;

  status(): MeshStatus;

  /** Calls `listener` on every change of `status` or `addresses`, not for the present one. Returns a function that ends this. */
  onStatus(listener: (status: MeshStatus) => void): () => void;
}

/** May be async; a rejection aborts the stream as a throw does. */
export type StreamHandler = (stream: MeshStream) => void | Promise<void>;

export interface HandleOptions {
  /** Streams of this protocol that one peer may hold open; more are reset. Default `MAX_STREAMS_PER_PEER`. */
  readonly maxStreamsPerPeer?: number;
  /** Answer also over a relayed connection, which is slow, short-lived and passes through the relay. Default false. */
  readonly allowRelayed?: boolean;
}

export interface DialOptions {
  readonly signal: AbortSignal;
  /** Insist on a connection that no relay carries. Otherwise a relayed one is taken where no better one is open. Default false. */
  readonly direct?: boolean;
}

/**
 * `offline`: not started, stopped, or no relay was named. `connecting`: the first attempt is under way.
 * `reconnecting`: attempt `attempt` (from 1) begins in `nextTryMs`, 0 while it runs. `online`: others can reach this peer.
 */
export type MeshStatus =
  | { readonly kind: "offline"; readonly reason?: string }
  | { readonly kind: "connecting" }
  | {
      readonly kind: "reconnecting";
      readonly attempt: number;
      readonly nextTryMs: number;
      readonly reason: string;
    }
  | { readonly kind: "online" };

/** An ordered, reliable stream of bytes in each direction, authenticated as `remotePeer`. Boundaries of `send` are not kept. */
export interface MeshStream {
  readonly protocol: string;
  readonly remotePeer: string;

  /**
   * Queues bytes now and resolves when more may be sent. The array belongs to the stream afterwards.
   * @throws FailureError `disconnected` when the stream is closed or lost.
   */
  send(bytes: Uint8Array): Promise<void>;

  /**
   * What the peer sends, for one reader, once. Ends when the peer has closed its side.
   * A reader that lags by `MAX_UNREAD_BYTES` loses the stream, because WebRTC cannot be told to wait: `FrameStream` can.
   * @throws FailureError `disconnected` on a reset or a lost connection.
   */
  bytes(): AsyncIterable<Uint8Array>;

  /** The same without an iterator's hop: `listener` runs in the task in which bytes arrive, `ended` once after the last. Instead of `bytes`. */
  onBytes(listener: (chunk: Uint8Array) => void, ended: (failure: FailureError | undefined) => void): void;

  /** Ends our side; the peer reads to the end and may go on sending. Resolves when our bytes are handed to the network. Idempotent. */
  close(): Promise<void>;

  /** Ends both sides at once and drops what is unsent; the peer sees a reset. Never throws. */
  abort(reason: FailureError): void;

  /** What carries this stream, read from the connection itself. */
  transport(): Promise<TransportInfo>;
}

export interface TransportInfo {
  readonly kind: "webrtc" | "websocket" | "circuit" | "memory";
  /** A relay carries it, with a limit on bytes and time. */
  readonly limited: boolean;
  /** WebRTC only: the candidate pair in use. Absent when the browser does not tell. */
  readonly localCandidate?: TransportCandidate;
  readonly remoteCandidate?: TransportCandidate;
  /** WebRTC only: "udp" or "tcp". */
  readonly protocol?: string;
}

export interface TransportCandidate {
  /** `host`: the machine's own address; `srflx` and `prflx`: seen through a NAT; `relay`: a TURN server forwards. */
  readonly type: string;
  readonly address?: string;
  readonly port?: number;
}
