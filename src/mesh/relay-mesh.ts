import { noise } from "@chainsafe/libp2p-noise";
import { yamux } from "@chainsafe/libp2p-yamux";
import { circuitRelayServer, type CircuitRelayService } from "@libp2p/circuit-relay-v2";
import { generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import type { Libp2p, PeerId } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { Libp2pMesh, type Reachability } from "./libp2p-mesh.ts";
import {
  CIRCUIT_MAX_BYTES,
  CIRCUIT_MAX_MS,
  RELAY_MAX_CONNECTIONS,
  RELAY_MAX_PENDING,
  RELAY_UPGRADE_TIMEOUT_MS,
  SOCKET_PING_MS,
} from "./limits.ts";
import type { Mesh, MeshStatus } from "./mesh.ts";
import { silentLogger } from "./silent-logger.ts";
import { type UpgradeRequest, type UpgradeSocket, WebSocketUpgrades } from "./websocket-upgrade.ts";

export interface RelayMeshOptions {
  /** Ed25519 seed of the relay's key, 32 bytes. */
  readonly privateKey: Uint8Array;
  /** Connections, and as many reservations, that the relay holds. Default `RELAY_MAX_CONNECTIONS`. */
  readonly maxConnections?: number;
  /** Connections still shaking hands. Default `RELAY_MAX_PENDING`. */
  readonly maxPending?: number;
  /** Bytes of one relayed connection. Default `CIRCUIT_MAX_BYTES`. */
  readonly circuitMaxBytes?: number;
  /** Life of one relayed connection. Default `CIRCUIT_MAX_MS`. */
  readonly circuitMaxMs?: number;
  /** How often each WebSocket is pinged; one that missed the last ping is closed. Default `SOCKET_PING_MS`. */
  readonly socketPingMs?: number;
  /** Addresses to announce beside the one a peer dialled, for peers that came another way. */
  readonly announce?: readonly string[];
  /**
   * Asked before each upgrade; an answer refuses it. The place for limits per address: libp2p's own are off, because
   * behind a proxy all peers share one address.
   * @param remote names the connection's far end; `remotes` tells later which peer came by it
   */
  readonly admit?: (request: UpgradeRequest, remote: string) => UpgradeRefusal | undefined;
}

export interface UpgradeRefusal {
  /** HTTP status, such as 403, 429 or 503. */
  readonly status: number;
  /** One line of plain text without secrets. */
  readonly reason: string;
}

/** The mesh of a relay. It dials peers by `/p2p/<id>` over the connection they hold. */
export interface RelayMesh extends Mesh {
  /** For the `upgrade` event of the HTTP server that owns the port. The socket belongs to the mesh afterwards. */
  handleUpgrade(request: UpgradeRequest, socket: UpgradeSocket, head: Uint8Array): void;
  /** Peers connected now. */
  peers(): readonly string[];
  isConnected(peerId: string): boolean;
  /** Far ends of a peer's connections to this relay, named as `admit` was told. */
  remotes(peerId: string): readonly string[];
  /** Peers that can be called through this relay now. */
  reservationCount(): number;
  /** Calls `listener` when a peer's first connection opens and its last one closes. Returns a function that ends this. */
  onPeer(listener: (peerId: string, connected: boolean) => void): () => void;
  /** Closes every connection of a peer. */
  disconnect(peerId: string): Promise<void>;
}

/** A circuit relay that shares the port of an HTTP server. Keep it small: what it holds, it holds per tab. */
export async function createRelayMesh(options: RelayMeshOptions): Promise<RelayMesh> {
  const upgrades = new WebSocketUpgrades(options.socketPingMs ?? SOCKET_PING_MS);
  const maxConnections = options.maxConnections ?? RELAY_MAX_CONNECTIONS;
  const libp2p = await createLibp2p({
    privateKey: await generateKeyPairFromSeed("Ed25519", options.privateKey),
    start: false,
    logger: silentLogger,
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0/ws"], announce: [...(options.announce ?? [])] },
    transports: [upgrades.transport],
    connectionEncrypters: [noise()],
    // WebSocket pings replace yamux's; see SOCKET_PING_MS.
    streamMuxers: [yamux({ enableKeepAlive: false })],
    connectionManager: {
      maxConnections,
      maxIncomingPendingConnections: options.maxPending ?? RELAY_MAX_PENDING,
      inboundConnectionThreshold: Number.MAX_SAFE_INTEGER,
      inboundUpgradeTimeout: RELAY_UPGRADE_TIMEOUT_MS,
      reconnectRetries: 0,
    },
    connectionMonitor: { enabled: false },
    services: {
      relay: circuitRelayServer({
        reservations: {
          maxReservations: maxConnections,
          defaultDataLimit: BigInt(options.circuitMaxBytes ?? CIRCUIT_MAX_BYTES),
          defaultDurationLimit: options.circuitMaxMs ?? CIRCUIT_MAX_MS,
        },
      }),
    },
  });
  return new Libp2pRelayMesh(libp2p, libp2p.services.relay, upgrades, options);
}

class Libp2pRelayMesh extends Libp2pMesh implements RelayMesh {
  readonly #libp2p: Libp2p;
  readonly #relay: CircuitRelayService;
  readonly #upgrades: WebSocketUpgrades;
  readonly #admit: RelayMeshOptions["admit"];
  readonly #listeners = new Set<(peerId: string, connected: boolean) => void>();

  constructor(
    libp2p: Libp2p,
    relay: CircuitRelayService,
    upgrades: WebSocketUpgrades,
    options: RelayMeshOptions,
  ) {
    super(libp2p, new OwnPort(upgrades, options.announce ?? []));
    this.#libp2p = libp2p;
    this.#relay = relay;
    this.#upgrades = upgrades;
    this.#admit = options.admit;
    libp2p.addEventListener("peer:connect", ({ detail }) => this.#tell(detail, true));
    libp2p.addEventListener("peer:disconnect", ({ detail }) => {
      this.#forget(detail);
      this.#tell(detail, false);
    });
  }

  handleUpgrade(request: UpgradeRequest, socket: UpgradeSocket, head: Uint8Array): void {
    const refusal = this.#upgrades.open
      ? this.#admit?.(request, remoteOf(request))
      : { status: 503, reason: "the relay is not running" };
    if (refusal === undefined) this.#upgrades.accept(request, socket, head);
    else refuse(socket, refusal);
  }

  peers(): readonly string[] {
    return this.#libp2p.getPeers().map((peer) => peer.toString());
  }

  isConnected(peerId: string): boolean {
    return this.#libp2p.getConnections(peerIdFromString(peerId)).length > 0;
  }

  remotes(peerId: string): readonly string[] {
    const direct = this.#libp2p
      .getConnections(peerIdFromString(peerId))
      .filter(({ limits }) => limits === undefined);
    return direct.map(({ remoteAddr }) => remoteAddr.decapsulate("/ws").toString());
  }

  reservationCount(): number {
    return this.#relay.reservations.size;
  }

  onPeer(listener: (peerId: string, connected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async disconnect(peerId: string): Promise<void> {
    await this.#libp2p.hangUp(peerIdFromString(peerId));
  }

  #tell(peer: PeerId, connected: boolean): void {
    for (const listener of this.#listeners) listener(peer.toString(), connected);
  }

  /** libp2p keeps a reservation for two hours and what it knows of a peer for good; tabs come and go faster. */
  #forget(peer: PeerId): void {
    this.#relay.reservations.get(peer)?.signal.clear();
    this.#relay.reservations.delete(peer);
    void this.#libp2p.peerStore.delete(peer).catch(() => undefined);
  }
}

/** As the transport names it: it is asked again by that name. */
function remoteOf({ socket: { remoteAddress = "0.0.0.0", remotePort = 0 } }: UpgradeRequest): string {
  const kind = remoteAddress.includes(":") ? "ip6" : "ip4";
  return multiaddr(`/${kind}/${remoteAddress}/tcp/${remotePort}`).toString();
}

function refuse(socket: UpgradeSocket, { status, reason }: UpgradeRefusal): void {
  const body = `${reason}\n`;
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${new TextEncoder().encode(body).byteLength}\r\n\r\n${body}`,
  );
}

/** A relay is reachable while it runs. */
class OwnPort implements Reachability {
  readonly #upgrades: WebSocketUpgrades;
  readonly #announced: readonly string[];
  readonly #listeners = new Set<(status: MeshStatus) => void>();

  constructor(upgrades: WebSocketUpgrades, announced: readonly string[]) {
    this.#upgrades = upgrades;
    this.#announced = announced;
  }

  begin(): void {
    this.#tell({ kind: "online" });
  }

  end(): void {
    this.#tell({ kind: "offline" });
  }

  status(): MeshStatus {
    return { kind: this.#upgrades.open ? "online" : "offline" };
  }

  addresses(): readonly string[] {
    return this.#announced;
  }

  onStatus(listener: (status: MeshStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  obstacle(): string {
    return "a relay makes no WebRTC connections";
  }

  #tell(status: MeshStatus): void {
    for (const listener of this.#listeners) listener(status);
  }
}
