import type { Connection, Libp2p } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import { FailureError } from "../protocol/failure.ts";
import { answerStream } from "./answer-stream.ts";
import { Libp2pStream } from "./libp2p-stream.ts";
import {
  DIAL_ATTEMPTS_MS,
  DIAL_PAUSE_MS,
  MAX_OUTBOUND_STREAMS,
  MAX_STREAMS_PER_PEER,
  STREAM_OPEN_TIMEOUT_MS,
} from "./limits.ts";
import { parsePeerAddresses, type PeerAddresses } from "./mesh-address.ts";
import type { DialOptions, HandleOptions, Mesh, MeshStatus, MeshStream, StreamHandler } from "./mesh.ts";
import { DialProgress } from "./why-unreachable.ts";

/** How a kind of mesh becomes reachable: a peer through a reservation at its relay, a relay by its port. */
export interface Reachability {
  begin(): void;
  end(): void;
  status(): MeshStatus;
  addresses(): readonly string[];
  onStatus(listener: (status: MeshStatus) => void): () => void;
  /** Why no direct connection can be made from here at all. */
  obstacle(): string | undefined;
}

/** The mesh over libp2p. Built by `createTabMesh`, `createNodeMesh` and `createRelayMesh`. */
export class Libp2pMesh implements Mesh {
  readonly peerId: string;
  readonly #libp2p: Libp2p;
  readonly #reach: Reachability;
  #phase: "new" | "started" | "stopped" = "new";

  constructor(libp2p: Libp2p, reach: Reachability) {
    this.peerId = libp2p.peerId.toString();
    this.#libp2p = libp2p;
    this.#reach = reach;
  }

  async start(): Promise<void> {
    if (this.#phase !== "new") return;
    this.#phase = "started";
    await this.#libp2p.start();
    this.#reach.begin();
  }

  async stop(): Promise<void> {
    if (this.#phase !== "started") return;
    this.#phase = "stopped";
    this.#reach.end();
    // libp2p would finish open streams politely, and the peer would take a part for the whole.
    const stopped = new Error("the mesh was stopped");
    for (const connection of this.#libp2p.getConnections()) {
      for (const stream of connection.streams) stream.abort(stopped);
    }
    await this.#libp2p.stop();
  }

  addresses(): readonly string[] {
    return this.#reach.addresses();
  }

  status(): MeshStatus {
    return this.#reach.status();
  }

  onStatus(listener: (status: MeshStatus) => void): () => void {
    return this.#reach.onStatus(listener);
  }

  handle(protocol: string, handler: StreamHandler, options: HandleOptions = {}): () => void {
    const registered = this.#libp2p.handle(
      protocol,
      (stream, connection) => void answerStream(handler, new Libp2pStream(stream, connection)),
      {
        maxInboundStreams: options.maxStreamsPerPeer ?? MAX_STREAMS_PER_PEER,
        maxOutboundStreams: MAX_OUTBOUND_STREAMS,
        runOnLimitedConnection: options.allowRelayed ?? false,
      },
    );
    return () => void registered.then(() => this.#libp2p.unhandle(protocol));
  }

  async dial(
    address: string | readonly string[],
    protocol: string,
    options: DialOptions,
  ): Promise<MeshStream> {
    options.signal.throwIfAborted();
    const target = parsePeerAddresses(typeof address === "string" ? [address] : address);
    const connection = await this.#connect(target, options);
    try {
      return await this.#open(connection, protocol, options.signal);
    } catch (error) {
      if (!this.#isDead(connection, error) || options.signal.aborted)
        throw dialFailure(error, options.signal);
      connection.abort(new Error("the connection does not answer"));
    }
    const again = await this.#connect(target, options);
    return await this.#open(again, protocol, options.signal).catch((cause: unknown) => {
      throw dialFailure(cause, options.signal);
    });
  }

  /** The connection stood but was dead: a machine slept, a tab vanished. A peer that merely refuses a stream answers. */
  #isDead(connection: Connection, error: unknown): boolean {
    return connection.status !== "open" || isGivenUp(error);
  }

  async #open(connection: Connection, protocol: string, signal: AbortSignal): Promise<MeshStream> {
    try {
      const stream = await connection.newStream(protocol, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(STREAM_OPEN_TIMEOUT_MS)]),
        maxOutboundStreams: MAX_OUTBOUND_STREAMS,
        runOnLimitedConnection: true,
      });
      return new Libp2pStream(stream, connection);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "UnsupportedProtocolError") throw error;
      throw new FailureError("version-mismatch", `the peer does not speak ${protocol}`, { cause: error });
    }
  }

  async #connect(target: PeerAddresses, options: DialOptions): Promise<Connection> {
    const standing = this.#standing(target.peerId);
    if (standing !== undefined && standing.limits === undefined) return standing;
    const failure = await this.#connectDirectly(target, options).catch((error: unknown) => error);
    if (isConnection(failure)) return failure;
    if (options.signal.aborted || options.direct === true || target.circuit.length === 0) throw failure;
    return this.#standing(target.peerId) ?? this.#dial(target.circuit, options);
  }

  async #connectDirectly(target: PeerAddresses, options: DialOptions): Promise<Connection> {
    const overWebRtc = target.direct.some((address) => address.toString().includes("/webrtc"));
    const obstacle = overWebRtc ? this.#reach.obstacle() : undefined;
    if (obstacle !== undefined) throw new FailureError("unreachable", obstacle);
    if (target.direct.length === 0) {
      throw new FailureError(
        "unreachable",
        "the peer is not connected here, and named no address for a direct connection",
      );
    }
    const connection = await this.#dial(target.direct, options);
    // Two dials to one peer are joined by libp2p, so another's relayed connection may come back.
    if (connection.limits !== undefined)
      throw new FailureError("unreachable", "only a relayed connection could be made");
    void this.#dropRelayed(target.peerId);
    return connection;
  }

  /** libp2p waits for a WebRTC connection that failed until its signal ends, and many a second try succeeds at once. */
  async #dial(addresses: PeerAddresses["direct"], options: DialOptions): Promise<Connection> {
    const progress = new DialProgress();
    let failure: unknown;
    for (const attemptMs of DIAL_ATTEMPTS_MS) {
      const attempt = AbortSignal.timeout(attemptMs);
      /* oxlint-disable no-await-in-loop -- one attempt after the other */
      try {
        const signal = AbortSignal.any([options.signal, attempt]);
        return await this.#libp2p.dial([...addresses], { signal, onProgress: progress.onProgress });
      } catch (error) {
        if (options.signal.aborted && !isTimeout(options.signal.reason)) throw options.signal.reason;
        // An attempt that the caller's signal cut short knows less than the full one before it.
        if (!options.signal.aborted || failure === undefined) failure = progress.explain(error);
        if (!attempt.aborted || options.signal.aborted) break;
      }
      // libp2p would let the next attempt join this one, which is ending.
      await new Promise((resolve) => setTimeout(resolve, DIAL_PAUSE_MS));
      /* oxlint-enable no-await-in-loop */
    }
    throw failure;
  }

  /** The relayed connection served its purpose, the handshake, once a direct one stands. */
  async #dropRelayed(peerId: string): Promise<void> {
    const idle = this.#connections(peerId).filter(
      ({ limits, streams }) => limits !== undefined && streams.length === 0,
    );
    await Promise.allSettled(idle.map((connection) => connection.close()));
  }

  #standing(peerId: string): Connection | undefined {
    // The newest: whoever dials has lost the ones before, and this side may not know it for half a minute.
    const open = this.#connections(peerId).filter(({ status }) => status === "open");
    return open.findLast(({ limits }) => limits === undefined) ?? open.at(-1);
  }

  #connections(peerId: string): readonly Connection[] {
    return this.#libp2p.getConnections(peerIdFromString(peerId));
  }
}

function isConnection(value: unknown): value is Connection {
  return typeof value === "object" && value !== null && "newStream" in value;
}

/** Whether a signal was aborted by `AbortSignal.timeout`, not by a person. */
function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}

/** Whether libp2p stopped waiting because its signal was aborted. */
function isGivenUp(error: unknown): boolean {
  return isTimeout(error) || (error instanceof Error && error.name === "AbortError");
}

function dialFailure(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof FailureError) return error;
  if (signal.aborted && !isTimeout(signal.reason)) return signal.reason;
  if (isGivenUp(error)) {
    return new FailureError("timed-out", "the peer did not open the stream in time", { cause: error });
  }
  return new FailureError("disconnected", "the peer refused the stream", { cause: error });
}
