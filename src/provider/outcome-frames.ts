import type { FrameStream } from "../mesh/frame-stream.ts";
import { u32be } from "../protocol/bytes.ts";
import { MAX_FRAME_BYTES } from "../protocol/limits.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { FRAME, headerLength } from "../protocol/work-frame.ts";

/** Detail of a failure, in UTF-16 units before encoding: enough for a sentence and a stack of names. */
const MAX_DETAIL = 2_000;

/**
 * Sends a leaf and its output, in as many frames as it takes. The first frame is queued before this returns, so leaves
 * leave in the order of the tree; it resolves when more may be sent.
 * @param data the output, or the detail of a failure.
 */
export async function sendOutcome(
  frames: FrameStream,
  seq: number,
  leaf: Uint8Array,
  data: Uint8Array | string,
): Promise<void> {
  const bytes = typeof data === "string" ? encodeUtf8(data.slice(0, MAX_DETAIL).toWellFormed()) : data;
  const first = Math.min(bytes.length, MAX_FRAME_BYTES - 2 - leaf.length);
  await frames.sendFrame(FRAME.outcome, headerLength(leaf), leaf, bytes.subarray(0, first));
  const step = MAX_FRAME_BYTES - 4;
  for (let at = first; at < bytes.length; at += step) {
    // oxlint-disable-next-line no-await-in-loop -- back-pressure: the next part is sent when there is room
    await frames.sendFrame(FRAME.outcomeData, u32be(seq), bytes.subarray(at, at + step));
  }
}
