import type { Connection, Libp2pEvents, Listener, PeerId, TypedEventTarget } from "@libp2p/interface";
import { multiaddr, type Multiaddr } from "@multiformats/multiaddr";
import {
  RECONNECT_FIRST_MS,
  RECONNECT_MAX_MS,
  RELAY_CHECK_MS,
  RELAY_CHECK_TIMEOUT_MS,
  RELAY_DIAL_TIMEOUT_MS,
} from "./limits.ts";
import type { MeshStatus } from "./mesh.ts";
import { whyRelayFailed } from "./why-unreachable.ts";

/** What the keeper needs of libp2p; handed to it as to any libp2p service. */
export interface KeeperComponents {
  readonly connectionManager: {
    openConnection(address: Multiaddr, options: { signal: AbortSignal }): Promise<Connection>;
    getConnections(peer: PeerId): Connection[];
  };
  readonly transportManager: { listen(addresses: Multiaddr[]): Promise<void>; getListeners(): Listener[] };
  readonly events: TypedEventTarget<Libp2pEvents>;
}

export interface KeeperOptions {
  /** The relay's address; ends in `/p2p/` and its identity. */
  readonly relay: string;
  /** How often to ask whether it is still there. Default `RELAY_CHECK_MS`. */
  readonly checkMs?: number | undefined;
}

/** Nobody speaks it: being told so takes the relay one round trip and proves that it is there. */
const CHECK_PROTOCOL = "/tabmesh/still-there/1";

/**
 * Keeps a connection to the relay and a reservation on it, without which nobody can call this peer. Tries for ever,
 * with growing pauses; libp2p itself gives up after five attempts and does not reserve again.
 */
export class RelayKeeper {
  readonly #components: KeeperComponents;
  readonly #relay: Multiaddr;
  readonly #changed: (status: MeshStatus) => void;
  readonly #checkMs: number;
  #status: MeshStatus = { kind: "offline" };
  #running: AbortController | undefined;
  #hurry: (() => void) | undefined;

  constructor(
    components: KeeperComponents,
    { relay, checkMs }: KeeperOptions,
    changed: (status: MeshStatus) => void,
  ) {
    this.#components = components;
    this.#checkMs = checkMs ?? RELAY_CHECK_MS;
    this.#relay = multiaddr(relay);
    this.#changed = changed;
  }

  get status(): MeshStatus {
    return this.#status;
  }

  begin(): void {
    if (this.#running !== undefined) return;
    this.#running = new AbortController();
    void this.#run(this.#running.signal);
  }

  end(): void {
    this.#running?.abort();
    this.#hurry?.();
    this.#set({ kind: "offline" });
  }

  /** Addresses of the relay under which this peer can be called, each ending in `/p2p-circuit`. */
  circuits(): readonly Multiaddr[] {
    return this.#circuitListeners().flatMap((listener) => listener.getAddrs());
  }

  /** Does not wait any longer when it pauses: the network came back. */
  hurry(): void {
    this.#hurry?.();
  }

  async #run(signal: AbortSignal): Promise<void> {
    this.#set({ kind: "connecting" });
    let attempt = 0;
    while (!signal.aborted) {
      /* oxlint-disable no-await-in-loop -- one attempt after the other */
      const outcome = await this.#hold(signal, () => {
        attempt = 0;
      });
      if (signal.aborted) return;
      attempt += 1;
      const nextTryMs = pauseMs(attempt);
      this.#set({ kind: "reconnecting", attempt, nextTryMs, reason: outcome });
      await this.#pause(nextTryMs);
      if (signal.aborted) return;
      this.#set({ kind: "reconnecting", attempt, nextTryMs: 0, reason: outcome });
      /* oxlint-enable no-await-in-loop */
    }
  }

  /** One life of a reservation. Resolves with the reason when it failed or ended. */
  async #hold(signal: AbortSignal, held: () => void): Promise<string> {
    try {
      const connection = await this.#reserve(signal);
      held();
      this.#set({ kind: "online" });
      return await this.#lost(connection, signal);
    } catch (error) {
      return whyRelayFailed(error);
    }
  }

  async #reserve(signal: AbortSignal): Promise<Connection> {
    const timeout = AbortSignal.any([signal, AbortSignal.timeout(RELAY_DIAL_TIMEOUT_MS)]);
    await this.#dropListeners();
    const connection = await this.#components.connectionManager.openConnection(this.#relay, {
      signal: timeout,
    });
    await this.#components.transportManager.listen([this.#relay.encapsulate("/p2p-circuit")]);
    if (this.circuits().length === 0) throw new Error("the relay granted no reservation");
    return connection;
  }

  /** libp2p keeps a listener for each attempt, failed or not. */
  async #dropListeners(): Promise<void> {
    await Promise.all(this.#circuitListeners().map((listener) => listener.close()));
  }

  #circuitListeners(): readonly Listener[] {
    // The WebRTC listener reports the same addresses with /webrtc appended; it stays.
    return this.#components.transportManager.getListeners().filter(isCircuitListener);
  }

  /** Resolves with the reason when the connection closed or the relay stopped answering. */
  async #lost(connection: Connection, signal: AbortSignal): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const closed = (): void => resolve("the connection to the relay closed");
    const aborted = (): void => resolve("stopped");
    const check = setInterval(() => void this.#check(connection, resolve), this.#checkMs);
    connection.addEventListener("close", closed);
    signal.addEventListener("abort", aborted);
    if (connection.status !== "open") closed();
    try {
      return await promise;
    } finally {
      clearInterval(check);
      connection.removeEventListener("close", closed);
      signal.removeEventListener("abort", aborted);
    }
  }

  async #check(connection: Connection, lost: (reason: string) => void): Promise<void> {
    if (this.circuits().length === 0) lost("the relay ended the reservation");
    try {
      const signal = AbortSignal.timeout(Math.min(this.#checkMs, RELAY_CHECK_TIMEOUT_MS));
      const stream = await connection.newStream([CHECK_PROTOCOL], { signal });
      stream.abort(new Error("nothing to say"));
    } catch (error) {
      if (error instanceof Error && error.name === "UnsupportedProtocolError") return;
      lost("the relay stopped answering");
      connection.abort(error instanceof Error ? error : new Error("no answer"));
    }
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#hurry = resolve;
    await promise;
    this.#hurry = undefined;
    clearTimeout(timer);
  }

  #set(status: MeshStatus): void {
    if (status.kind === this.#status.kind && status.kind !== "reconnecting") return;
    this.#status = status;
    this.#changed(status);
  }
}

function isCircuitListener(listener: Listener): boolean {
  return Reflect.get(listener, "reservationStore") !== undefined;
}

/** Between half of and the full pause of this attempt, which doubles from `RECONNECT_FIRST_MS` to `RECONNECT_MAX_MS`. */
function pauseMs(attempt: number): number {
  const full = Math.min(RECONNECT_MAX_MS, RECONNECT_FIRST_MS * 2 ** (attempt - 1));
  return Math.round(full * (0.5 + Math.random() / 2));
}
