import type { Connection } from "@libp2p/interface";

/**
 * Workaround: libp2p 3.3 does not tell which RTCPeerConnection carries a connection, nor whether a data channel was
 * closed by its peer or lost. Both are reachable through fields that TypeScript alone hides: `connection.maConn`,
 * `maConn.peerConnection` (@libp2p/webrtc rtcpeerconnection-to-conn.ts) and `stream.channel` (stream.ts). The contract
 * test over the real mesh fails when they move. To be removed once the Connection interface exposes its transport.
 */

/** The part of an RTCPeerConnection that is read here; node-datachannel's has it too. */
export interface StatsSource {
  getStats(): Promise<Iterable<readonly [string, unknown]>>;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function isStatsSource(value: unknown): value is StatsSource {
  return typeof field(value, "getStats") === "function";
}

/** The peer connection under a WebRTC connection, `undefined` for any other. */
export function peerConnectionOf(connection: Connection): StatsSource | undefined {
  const candidate = field(field(connection, "maConn"), "peerConnection");
  return isStatsSource(candidate) ? candidate : undefined;
}

/** Whether the data channel under a stream is gone. False for streams that are not data channels. */
export function isChannelGone(stream: unknown): boolean {
  const state = field(field(stream, "channel"), "readyState");
  return state === "closed" || state === "closing";
}
