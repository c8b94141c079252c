import { type Cid, cidBytes, cidFromBytes } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { MAX_BLOB_BYTES, MAX_FRAME_BYTES } from "../protocol/limits.ts";
import { BLOB_PROTOCOL } from "../protocol/protocol-id.ts";
import { FRAME } from "../protocol/work-frame.ts";
import { FrameStream } from "./frame-stream.ts";
import type { Mesh } from "./mesh.ts";

/** Size that says: not here. */
const ABSENT = 0xffff_ffff_ffff_ffffn;
/** A reader asks at once; one that does not is no reader. */
const ASK_TIMEOUT_MS = 10_000;

/** Answers peers that ask for content by CID. Knowing a CID is the permission to read it. Returns a function that stops. */
export function serveBlobs(mesh: Mesh, find: (cid: Cid) => Promise<Uint8Array | undefined>): () => void {
  return mesh.handle(BLOB_PROTOCOL, async (stream) => {
    const frames = new FrameStream(stream);
    const timer = setTimeout(
      () => frames.abort(new FailureError("timed-out", "nothing was asked for")),
      ASK_TIMEOUT_MS,
    );
    for await (const { kind, payload } of frames.frames()) {
      clearTimeout(timer);
      if (kind !== FRAME.want)
        throw new FailureError("malformed-frame", `frame kind ${kind} on a blob stream`);
      await answer(frames, await find(cidFromBytes(payload)));
      break;
    }
    clearTimeout(timer);
    await frames.close();
  });
}

async function answer(frames: FrameStream, bytes: Uint8Array | undefined): Promise<void> {
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, bytes === undefined ? ABSENT : BigInt(bytes.length));
  await frames.sendFrame(FRAME.have, size);
  for (let at = 0; at < (bytes?.length ?? 0); at += MAX_FRAME_BYTES) {
    // oxlint-disable-next-line no-await-in-loop -- back-pressure
    await frames.sendFrame(FRAME.data, bytes?.subarray(at, at + MAX_FRAME_BYTES) ?? new Uint8Array());
  }
}

/**
 * Asks a peer that is connected, or can be dialled, for content.
 * @param address peer id or multiaddr, or several of one peer.
 * @returns bytes that still have to be hashed, or nothing when the peer has them not.
 * @throws FailureError `too-large` beyond `maxBytes`, `malformed-frame`, or why the peer cannot be reached.
 */
export async function fetchBlob(
  mesh: Mesh,
  address: string | readonly string[],
  cid: Cid,
  signal: AbortSignal,
  maxBytes: number = MAX_BLOB_BYTES,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const stream = await mesh.dial(address, BLOB_PROTOCOL, { signal, direct: true });
  const frames = new FrameStream(stream);
  const abort = (): void => frames.abort(new FailureError("timed-out", "the content did not arrive in time"));
  signal.addEventListener("abort", abort, { once: true });
  try {
    await frames.sendFrame(FRAME.want, cidBytes(cid));
    return await receive(frames, maxBytes);
  } finally {
    signal.removeEventListener("abort", abort);
    await frames.close().catch(() => undefined);
  }
}

async function receive(frames: FrameStream, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  let filled = 0;
  for await (const { kind, payload } of frames.frames()) {
    if (bytes === undefined) {
      if (kind !== FRAME.have || payload.length !== 8)
        throw new FailureError("malformed-frame", "expected the size of a blob");
      const size = new DataView(payload.buffer, payload.byteOffset, 8).getBigUint64(0);
      if (size === ABSENT) return undefined;
      if (size > BigInt(maxBytes))
        throw new FailureError("too-large", `the blob has ${size} bytes, at most ${maxBytes}`);
      bytes = new Uint8Array(Number(size));
    } else {
      if (kind !== FRAME.data || filled + payload.length > bytes.length) {
        throw new FailureError("malformed-frame", "more data than the blob's size");
      }
      bytes.set(payload, filled);
      filled += payload.length;
    }
    if (filled === bytes.length) return bytes;
  }
  throw new FailureError("disconnected", "the blob ended early");
}
