import { FailureError } from "../../protocol/failure.ts";
import { READ_BYTES } from "./limits.ts";
import type { OnProgress } from "./model-host.ts";

/**
 * All bytes of a file, in one piece of memory that begins where model files want to.
 * @throws FailureError `no-memory` where there is no room, `function-unavailable` where it cannot be read
 */
export async function readFile(file: Blob, onProgress: OnProgress): Promise<Uint8Array<ArrayBuffer>> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(file.size);
  } catch (cause) {
    throw new FailureError("no-memory", `there is no room for a file of ${file.size} bytes`, { cause });
  }
  for (let at = 0; at < file.size; at += READ_BYTES) {
    // oxlint-disable-next-line no-await-in-loop -- one piece after the other, so that only one is held twice
    bytes.set(await readPiece(file, at), at);
    onProgress(Math.min(at + READ_BYTES, file.size), file.size);
  }
  return bytes;
}

async function readPiece(file: Blob, at: number): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.slice(at, at + READ_BYTES).arrayBuffer());
  } catch (cause) {
    throw new FailureError("function-unavailable", "the model's file can no longer be read", { cause });
  }
}
