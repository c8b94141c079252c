import { FailureError } from "../protocol/failure.ts";
import { answerStream } from "./answer-stream.ts";
import { MAX_STREAMS_PER_PEER } from "./limits.ts";
import { memoryStreamPair, type MemoryStream } from "./memory-stream.ts";
import type { DialOptions, HandleOptions, Mesh, MeshStatus, MeshStream, StreamHandler } from "./mesh.ts";

/** A network inside one process, for tests: every member reaches every other. */
export interface MemoryNetwork {
  /** A member that is not started yet. Two members must not have one id. */
  join(peerId: string): Mesh;
  /** Loses every stream of a member and lets nobody reach it until `restore`: its machine lost the network. */
  cut(peerId: string): void;
  restore(peerId: string): void;
}

interface Answer {
  readonly handler: StreamHandler;
  readonly maxStreamsPerPeer: number;
}

export function createMemoryNetwork(): MemoryNetwork {
  const members = new Map<string, MemoryMesh>();
  const isCut = new Set<string>();
  const find = (peerId: string): MemoryMesh | undefined =>
    isCut.has(peerId) ? undefined : members.get(peerId);
  return {
    join: (peerId) => new MemoryMesh(peerId, members, find),
    cut: (peerId) => {
      isCut.add(peerId);
      members.get(peerId)?.lose("the network was lost");
    },
    restore: (peerId) => {
      isCut.delete(peerId);
      members.get(peerId)?.found();
    },
  };
}

class MemoryMesh implements Mesh {
  readonly peerId: string;
  readonly #members: Map<string, MemoryMesh>;
  readonly #find: (peerId: string) => MemoryMesh | undefined;
  readonly #answers = new Map<string, Answer>();
  readonly #streams = new Set<MemoryStream>();
  readonly #listeners = new Set<(status: MeshStatus) => void>();
  #status: MeshStatus = { kind: "offline" };

  constructor(
    peerId: string,
    members: Map<string, MemoryMesh>,
    find: (peerId: string) => MemoryMesh | undefined,
  ) {
    this.peerId = peerId;
    this.#members = members;
    this.#find = find;
  }

  start(): Promise<void> {
    this.#members.set(this.peerId, this);
    if (this.#find(this.peerId) === this) this.#setStatus({ kind: "online" });
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#members.delete(this.peerId);
    this.lose("the mesh was stopped");
    this.#setStatus({ kind: "offline" });
    return Promise.resolve();
  }

  addresses(): readonly string[] {
    return this.#status.kind === "online" ? [`/memory/p2p/${this.peerId}`] : [];
  }

  handle(protocol: string, handler: StreamHandler, options: HandleOptions = {}): () => void {
    const answer = { handler, maxStreamsPerPeer: options.maxStreamsPerPeer ?? MAX_STREAMS_PER_PEER };
    this.#answers.set(protocol, answer);
    return () => {
      if (this.#answers.get(protocol) === answer) this.#answers.delete(protocol);
    };
  }

  async dial(
    address: string | readonly string[],
    protocol: string,
    options: DialOptions,
  ): Promise<MeshStream> {
    await Promise.resolve();
    options.signal.throwIfAborted();
    const [first] = typeof address === "string" ? [address] : address;
    const peerId = first?.split("/p2p/").at(-1) ?? "";
    const peer = this.#find(this.peerId) === this ? this.#find(peerId) : undefined;
    if (peer === undefined) throw new FailureError("unreachable", `no peer ${peerId} on this network`);
    return peer.#accept(this, protocol);
  }

  status(): MeshStatus {
    return this.#status;
  }

  onStatus(listener: (status: MeshStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  lose(reason: string): void {
    for (const stream of this.#streams) stream.abort(new FailureError("disconnected", reason));
    if (this.#status.kind === "online") {
      this.#setStatus({ kind: "reconnecting", attempt: 1, nextTryMs: 0, reason });
    }
  }

  found(): void {
    this.#setStatus({ kind: "online" });
  }

  #accept(from: MemoryMesh, protocol: string): MeshStream {
    const answer = this.#answers.get(protocol);
    if (answer === undefined) {
      throw new FailureError("version-mismatch", `peer ${this.peerId} does not speak ${protocol}`);
    }
    const [near, far] = memoryStreamPair(protocol, from.peerId, this.peerId);
    from.#own(near);
    this.#own(far);
    if (this.#openFrom(from.peerId, protocol) > answer.maxStreamsPerPeer) {
      far.abort(
        new FailureError("rate-limited", `more than ${answer.maxStreamsPerPeer} streams of ${protocol}`),
      );
      return near;
    }
    queueMicrotask(() => void answerStream(answer.handler, far));
    return near;
  }

  #own(stream: MemoryStream): void {
    this.#streams.add(stream);
    stream.onOver(() => this.#streams.delete(stream));
  }

  #openFrom(peerId: string, protocol: string): number {
    let open = 0;
    for (const stream of this.#streams) {
      if (stream.inbound && stream.remotePeer === peerId && stream.protocol === protocol) open += 1;
    }
    return open;
  }

  #setStatus(status: MeshStatus): void {
    this.#status = status;
    for (const listener of this.#listeners) listener(status);
  }
}
