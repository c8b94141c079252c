import { noise } from "@chainsafe/libp2p-noise";
import { yamux } from "@chainsafe/libp2p-yamux";
import { circuitRelayTransport } from "@libp2p/circuit-relay-v2";
import { generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import { identify } from "@libp2p/identify";
import { webSockets } from "@libp2p/websockets";
import { createLibp2p } from "libp2p";
import { Libp2pMesh, type Reachability } from "./libp2p-mesh.ts";
import {
  DATA_CHANNEL_MESSAGE_BYTES,
  DIAL_TIMEOUT_MS,
  PEER_MAX_INBOUND_PER_SECOND,
  PEER_MAX_PENDING,
} from "./limits.ts";
import type { Mesh, MeshStatus } from "./mesh.ts";
import { RelayKeeper, type KeeperComponents } from "./relay-keeper.ts";
import { silentLogger } from "./silent-logger.ts";
import { patientWebRtc } from "./webrtc-answer.ts";

export interface IceServer {
  /** "stun:host:port", "turn:host:port", "turns:…". */
  readonly urls: string | readonly string[];
  readonly username?: string;
  readonly credential?: string;
}

export interface PeerMeshOptions {
  /** Ed25519 seed of the session key, 32 bytes. The peer id follows from it. */
  readonly privateKey: Uint8Array;
  /** Where the relay is dialled, from `relayAddress`. Without one this peer can neither be called nor use WebRTC. */
  readonly relay?: string;
  /** How often to ask whether the relay is still there. Default `RELAY_CHECK_MS`. */
  readonly relayCheckMs?: number;
  /** STUN and TURN servers. None by default: then only peers on one network, or with public addresses, find each other. */
  readonly iceServers?: readonly IceServer[];
}

/** A tab or a Node process: calls others and is called over WebRTC, introduced by its relay. */
export async function createPeerMesh(
  options: PeerMeshOptions,
  obstacle: () => string | undefined,
): Promise<Mesh> {
  const reach = new RelayedReachability(obstacle);
  const { relay } = options;
  const libp2p = await createLibp2p({
    privateKey: await generateKeyPairFromSeed("Ed25519", options.privateKey),
    start: false,
    logger: silentLogger,
    addresses: { listen: ["/webrtc"] },
    transports: [
      webSockets(),
      circuitRelayTransport(),
      patientWebRtc(webRtcOptions(options.iceServers ?? [])),
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ enableKeepAlive: false })],
    // libp2p's default refuses private addresses and plain WebSockets in browsers; whom to trust is decided above.
    connectionGater: { denyDialMultiaddr: () => false },
    connectionManager: {
      dialTimeout: DIAL_TIMEOUT_MS,
      addressDialTimeout: DIAL_TIMEOUT_MS,
      reconnectRetries: 0,
      inboundConnectionThreshold: PEER_MAX_INBOUND_PER_SECOND,
      maxIncomingPendingConnections: PEER_MAX_PENDING,
    },
    // Its pings would abort connections that a bulk transfer fills; the keeper asks the relay, ICE watches the peers.
    connectionMonitor: { enabled: false },
    services: {
      // The transports demand it; nothing here needs what it would tell.
      identify: identify({ runOnConnectionOpen: false }),
      keeper: (components: KeeperComponents) => {
        if (relay !== undefined) {
          reach.keeper = new RelayKeeper(components, { relay, checkMs: options.relayCheckMs }, reach.changed);
        }
        return reach;
      },
    },
  });
  reach.peerId = libp2p.peerId.toString();
  return new Libp2pMesh(libp2p, reach);
}

function webRtcOptions(iceServers: readonly IceServer[]): Parameters<typeof patientWebRtc>[0] {
  return {
    rtcConfiguration: {
      iceServers: iceServers.map(({ urls, ...rest }) => ({
        ...rest,
        urls: typeof urls === "string" ? urls : [...urls],
      })),
    },
    dataChannel: { maxMessageSize: DATA_CHANNEL_MESSAGE_BYTES },
  };
}

/** Reachable while the relay holds a reservation. */
class RelayedReachability implements Reachability {
  keeper: RelayKeeper | undefined;
  peerId = "";
  readonly obstacle: () => string | undefined;
  readonly #listeners = new Set<(status: MeshStatus) => void>();

  constructor(obstacle: () => string | undefined) {
    this.obstacle = obstacle;
  }

  readonly changed = (status: MeshStatus): void => {
    for (const listener of this.#listeners) listener(status);
  };

  readonly #networkReturned = (): void => this.keeper?.hurry();

  begin(): void {
    this.keeper?.begin();
    if (typeof globalThis.addEventListener === "function") {
      globalThis.addEventListener("online", this.#networkReturned);
    }
  }

  end(): void {
    this.keeper?.end();
    if (typeof globalThis.removeEventListener === "function") {
      globalThis.removeEventListener("online", this.#networkReturned);
    }
  }

  status(): MeshStatus {
    return this.keeper?.status ?? { kind: "offline", reason: "no relay is configured" };
  }

  addresses(): readonly string[] {
    if (this.keeper?.status.kind !== "online") return [];
    const circuits = this.keeper.circuits().map((address) => address.toString());
    const webRtc =
      this.obstacle() === undefined ? circuits.map((circuit) => `${circuit}/webrtc/p2p/${this.peerId}`) : [];
    return [...webRtc, ...circuits.map((circuit) => `${circuit}/p2p/${this.peerId}`)];
  }

  onStatus(listener: (status: MeshStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
