import { FailureError } from "../protocol/failure.ts";

/** How far a dial came; the names are those of libp2p's progress events. */
export class DialProgress {
  #last = "";

  readonly onProgress = (event: { readonly type: string }): void => {
    if (STAGES.has(event.type)) this.#last = event.type;
  };

  /** Why it ended there. @param error what libp2p threw. */
  explain(error: unknown): FailureError {
    const detail =
      known(error) ?? STAGES.get(this.#last) ?? `no connection could be made (${message(error)})`;
    return new FailureError("unreachable", detail, { cause: error });
  }
}

const RELAY_UNREACHABLE = "the relay that leads to the peer does not answer";
const SILENT_PEER =
  "the peer did not answer the WebRTC offer; WebRTC may be blocked or missing in its browser";
const NO_PATH =
  "WebRTC found no path between the two networks: a firewall blocks UDP, or a TURN server is needed and none is configured";

const STAGES: ReadonlyMap<string, string> = new Map([
  ["websockets:open-connection", RELAY_UNREACHABLE],
  ["webrtc:dial-relay", RELAY_UNREACHABLE],
  ["circuit-relay:open-connection", RELAY_UNREACHABLE],
  ["circuit-relay:open-hop-stream", RELAY_UNREACHABLE],
  ["circuit-relay:read-connect-response", "the peer does not answer its relay"],
  ["webrtc:open-signaling-stream", "the peer answers its relay but not us"],
  ["webrtc:send-sdp-offer", SILENT_PEER],
  ["webrtc:read-sdp-answer", SILENT_PEER],
  ["webrtc:read-ice-candidates", NO_PATH],
  ["webrtc:end-of-ice-candidates", NO_PATH],
  ["webrtc:add-ice-candidate", NO_PATH],
]);

/** Part of a libp2p message, and what it means. */
const MEANINGS: readonly (readonly [string, string])[] = [
  ["NO_RESERVATION", "the peer is not connected to the relay"],
  ["RESERVATION_REFUSED", "the relay has no room for more peers"],
  ["PERMISSION_DENIED", "the relay does not admit this peer"],
  ["RESOURCE_LIMIT_EXCEEDED", "the relay has reached its limit of connections to the peer"],
  ["CONNECTION_FAILED", "the relay could not reach the peer"],
  ["RTCPeerConnection is not a constructor", "this browser has no WebRTC (RTCPeerConnection is missing)"],
  ["createOffer", "WebRTC failed here while it made an offer"],
  ['connection state became "failed"', NO_PATH],
];

function known(error: unknown): string | undefined {
  const text = message(error);
  return MEANINGS.find(([part]) => text.includes(part))?.[1];
}

function message(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(message).join("; ");
  return error instanceof Error ? error.message : String(error);
}

/** Why the relay could not be joined, for a person. */
export function whyRelayFailed(error: unknown): string {
  return known(error) ?? "the relay does not answer";
}

/** Why no peer can be reached directly from here, whatever is dialled: `undefined` when nothing speaks against it. */
export function webRtcObstacle(): string | undefined {
  if (typeof globalThis.RTCPeerConnection === "function") return undefined;
  return "this browser has no WebRTC (RTCPeerConnection is missing); a setting or an extension may have turned it off";
}

/** Why a page cannot join the mesh at all. Browsers offer cryptography over HTTPS and on localhost only. */
export function pageObstacle(): string | undefined {
  if (globalThis.crypto?.subtle !== undefined) return undefined;
  return "this page was not loaded over HTTPS, so the browser withholds the cryptography it needs; serve it with TLS, or open it on localhost";
}
