import { multiaddr, type Multiaddr } from "@multiformats/multiaddr";
import { FailureError } from "../protocol/failure.ts";

/** Where a relay's WebSocket is dialled: the origin of its HTTP server, as in "https://relay.example". @throws TypeError on a bad URL. */
export function relayAddress(origin: string, relayPeerId: string): string {
  const url = new URL(origin);
  const secure = url.protocol === "https:" || url.protocol === "wss:";
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  return `${hostPart(url.hostname)}/tcp/${port}${secure ? "/tls" : ""}/ws/p2p/${relayPeerId}`;
}

function hostPart(hostname: string): string {
  if (hostname.startsWith("[")) return `/ip6/${hostname.slice(1, -1)}`;
  return /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? `/ip4/${hostname}` : `/dns/${hostname}`;
}

/** The addresses of one peer, sorted by what they lead to. */
export interface PeerAddresses {
  readonly peerId: string;
  /** Lead to an unlimited connection: WebRTC or WebSocket. */
  readonly direct: readonly Multiaddr[];
  readonly circuit: readonly Multiaddr[];
}

/** @throws FailureError `malformed` when an address does not parse or they name no or several peers. */
export function parsePeerAddresses(addresses: readonly string[]): PeerAddresses {
  const direct: Multiaddr[] = [];
  const circuit: Multiaddr[] = [];
  const peers = new Set<string>();
  for (const address of addresses) {
    const parsed = parse(address);
    const components = parsed.getComponents();
    const names = new Set(components.map(({ name }) => name));
    peers.add(components.findLast(({ name }) => name === "p2p")?.value ?? "");
    if (names.has("p2p-circuit") && !names.has("webrtc")) circuit.push(parsed);
    else if (components.length > 1) direct.push(parsed);
  }
  const [peerId] = peers;
  if (peerId === undefined || peerId === "" || peers.size > 1) {
    throw new FailureError("malformed", "the addresses to dial must end in one and the same /p2p/ identity");
  }
  return { peerId, direct, circuit };
}

function parse(address: string): Multiaddr {
  try {
    return multiaddr(address);
  } catch (error) {
    throw new FailureError("malformed", `not a multiaddr: ${address.slice(0, 200)}`, { cause: error });
  }
}

/** Where a peer that reserves a place at a relay is reached by WebRTC; the relay carries the handshake alone. */
export function circuitAddress(relay: string, peerId: string): string {
  return `${relay}/p2p-circuit/webrtc/p2p/${peerId}`;
}
