import type { Transport } from "@libp2p/interface";
import { webRTC } from "@libp2p/webrtc";
import { INIT_CHANNEL_TIMEOUT_MS } from "./limits.ts";

/**
 * Workaround for a race in @libp2p/webrtc 6.0: the dialler opens a data channel "init", waits for it to open, closes it
 * and waits for it to be closed. The answering side closes it too, as soon as it has a muxer; when that comes first the
 * dialler has missed the event it waits for and the dial hangs until it times out (21 of 150 dials between two Chromium
 * tabs under load, with this 0). So the answering side waits here until the dialler has closed the channel.
 * Touches `peerConnection` of the connection and `earlyDataChannels` of the muxer factory, which TypeScript alone
 * hides; where they are missing nothing waits. To be removed when the dialler upstream looks before it waits.
 */

type WebRtcFactory = ReturnType<typeof webRTC>;
type Components = Parameters<WebRtcFactory>[0];
type Upgrader = Components["upgrader"];

export function patientWebRtc(init: Parameters<typeof webRTC>[0]): (components: Components) => Transport {
  const create = webRTC(init);
  return (components) => {
    const upgrader = patientUpgrader(components.upgrader);
    return create(
      new Proxy(components, {
        get: (target, name) => (name === "upgrader" ? upgrader : Reflect.get(target, name)),
      }),
    );
  };
}

function patientUpgrader(upgrader: Upgrader): Upgrader {
  const upgradeInbound = async (
    ...[connection, options]: Parameters<Upgrader["upgradeInbound"]>
  ): Promise<void> => {
    await initChannelClosed(connection, options.muxerFactory);
    await upgrader.upgradeInbound(connection, options);
  };
  return new Proxy(upgrader, {
    get: (target, name) => {
      if (name === "upgradeInbound") return upgradeInbound;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** The part of an RTCDataChannel that is watched; node-datachannel's has it, too. */
interface Channel extends EventTarget {
  readonly label: string;
  readonly readyState: string;
}

/** Resolves when the dialler has closed its channel, or after `INIT_CHANNEL_TIMEOUT_MS`. */
async function initChannelClosed(connection: object, muxerFactory: object | undefined): Promise<void> {
  const peerConnection: unknown = Reflect.get(connection, "peerConnection");
  if (!(peerConnection instanceof EventTarget) || muxerFactory === undefined) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = (channel: Channel): void => {
    if (channel.label !== "init") return;
    if (channel.readyState === "closed") resolve();
    channel.addEventListener("close", () => resolve(), { once: true });
  };
  const arrived = (event: Event): void => {
    const channel: unknown = Reflect.get(event, "channel");
    if (isChannel(channel)) watch(channel);
  };
  const timer = setTimeout(resolve, INIT_CHANNEL_TIMEOUT_MS);
  peerConnection.addEventListener("datachannel", arrived);
  for (const channel of earlyChannels(muxerFactory)) watch(channel);
  await promise;
  peerConnection.removeEventListener("datachannel", arrived);
  clearTimeout(timer);
}

function earlyChannels(muxerFactory: object): readonly Channel[] {
  const early: unknown = Reflect.get(muxerFactory, "earlyDataChannels");
  if (!Array.isArray(early)) return [];
  return early.map((entry: object) => Reflect.get(entry, "channel")).filter(isChannel);
}

function isChannel(value: unknown): value is Channel {
  return value instanceof EventTarget && "label" in value && "readyState" in value;
}
