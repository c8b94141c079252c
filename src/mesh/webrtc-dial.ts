import { INIT_CLOSE_TIMEOUT_MS } from "./limits.ts";

/**
 * Workaround for a race between @libp2p/webrtc 6.0 and Firefox 153: the dialler opens a data channel "init", closes it as
 * soon as it is open and waits until it is closed. When that reaches Firefox before its page was told of the channel,
 * Firefox drops the channel without closing its direction, and Chromium waits in vain: 5 of 18 dials from Chromium to a
 * fresh tab in Firefox timed out (0 of 12 with this), and left it with connections that were dead. The wait ends after
 * `INIT_CLOSE_TIMEOUT_MS` whatever the other side does. The id of the channel stays taken, so nothing is mixed up.
 * Touches a prototype, for libp2p takes `RTCPeerConnection` from the global. To be removed when the dialler upstream no
 * longer waits for the other side.
 */
export function boundInitChannelClose(): void {
  if (isBound || typeof globalThis.RTCPeerConnection !== "function") return;
  isBound = true;
  const { prototype } = globalThis.RTCPeerConnection;
  // oxlint-disable-next-line typescript/unbound-method -- called on its receiver below
  const { createDataChannel } = prototype;
  prototype.createDataChannel = function create(
    this: RTCPeerConnection,
    label: string,
    options?: RTCDataChannelInit,
  ): RTCDataChannel {
    const channel = createDataChannel.call(this, label, options);
    return label === "init" ? closingForSure(channel) : channel;
  };
}

let isBound = false;

function closingForSure(channel: RTCDataChannel): RTCDataChannel {
  const close = channel.close.bind(channel);
  channel.close = () => {
    close();
    setTimeout(() => channel.dispatchEvent(new Event("close")), INIT_CLOSE_TIMEOUT_MS);
  };
  return channel;
}
