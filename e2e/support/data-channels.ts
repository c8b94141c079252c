import type { Page } from "@playwright/test";

/** What the data channels of a page have received, over all connections since it was opened. */
export interface ReceivedBytes {
  /** Bytes so far. */
  total(): Promise<number>;
}

/** Counts what arrives in a page over WebRTC. To be called before the page is opened. */
export async function countReceived(page: Page): Promise<ReceivedBytes> {
  await page.addInitScript(() => {
    let total = 0;
    const watch = (channel: RTCDataChannel): RTCDataChannel => {
      channel.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
        if (data instanceof ArrayBuffer) total += data.byteLength;
        else if (data instanceof Blob) total += data.size;
      });
      return channel;
    };
    class Watched extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        this.addEventListener("datachannel", ({ channel }) => watch(channel));
      }
      override createDataChannel(label: string, options?: RTCDataChannelInit): RTCDataChannel {
        return watch(super.createDataChannel(label, options));
      }
    }
    Object.assign(globalThis, { RTCPeerConnection: Watched, receivedBytes: () => total });
  });
  return { total: () => page.evaluate<number>("receivedBytes()") };
}
