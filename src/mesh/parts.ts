import { u32be } from "../protocol/bytes.ts";
import { FailureError } from "../protocol/failure.ts";
import { MAX_FRAME_BYTES } from "../protocol/limits.ts";
import { headerLength } from "../protocol/work-frame.ts";
import type { FrameStream } from "./frame-stream.ts";

/** Frame kinds of something that may need several frames: its header with the first bytes, and the rest. */
export interface PartKinds {
  readonly first: number;
  readonly rest: number;
}

/**
 * Sends a header and its data in as many frames as it takes. The first is queued before this returns, so headers leave
 * in the order of the calls; it resolves when more may be sent.
 */
export async function sendInParts(
  frames: FrameStream,
  kinds: PartKinds,
  seq: number,
  header: Uint8Array,
  data: Uint8Array,
): Promise<void> {
  const first = Math.min(data.length, MAX_FRAME_BYTES - 2 - header.length);
  await frames.sendFrame(kinds.first, headerLength(header), header, data.subarray(0, first));
  const step = MAX_FRAME_BYTES - 4;
  for (let at = first; at < data.length; at += step) {
    // oxlint-disable-next-line no-await-in-loop -- back-pressure: the next part is sent when there is room
    await frames.sendFrame(kinds.rest, u32be(seq), data.subarray(at, at + step));
  }
}

interface Open<H> {
  readonly header: H;
  readonly data: Uint8Array;
  filled: number;
}

export interface Whole<H> {
  readonly header: H;
  readonly data: Uint8Array;
}

/** Puts together what came in parts. The caller has bounded `size` before it begins one. */
export class PartAssembly<H> {
  readonly #open = new Map<number, Open<H>>();

  /** Header and first bytes. Answers when that is all. @throws FailureError `malformed-frame` on more bytes than `size`. */
  begin(seq: number, header: H, size: number, data: Uint8Array): Whole<H> | undefined {
    if (data.length > size) throw new FailureError("malformed-frame", `task ${seq}: more data than its size`);
    if (data.length === size) return { header, data };
    const whole = new Uint8Array(size);
    whole.set(data);
    this.#open.set(seq, { header, data: whole, filled: data.length });
    return undefined;
  }

  /** More bytes. @throws FailureError `malformed-frame` when none are expected, or not so many. */
  add(seq: number, data: Uint8Array): Whole<H> | undefined {
    const open = this.#open.get(seq);
    if (open === undefined)
      throw new FailureError("malformed-frame", `data for task ${seq}, which expects none`);
    if (open.filled + data.length > open.data.length) {
      throw new FailureError("malformed-frame", `task ${seq}: more data than its size`);
    }
    open.data.set(data, open.filled);
    open.filled += data.length;
    if (open.filled < open.data.length) return undefined;
    this.#open.delete(seq);
    return open;
  }
}
