import { MAX_MODEL_BYTES, MODEL_CHUNK_BYTES } from "../../protocol/limits.ts";
import { HASH_BYTES } from "../../protocol/merkle.ts";
import type { ModelManifest } from "../../protocol/model-manifest.ts";
import { layoutOf } from "./layout.ts";
import { MEMORY_MARGIN_BYTES } from "./limits.ts";
import { readModelHeader } from "./model-file.ts";
import type { ModelHeader } from "./model-header.ts";
import { malformed } from "./tensor-reader.ts";

/** SHA-256. */
export type Digest = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array> | Uint8Array;

/** A key or a value of one head at one position: i16 of each number, and the u32 scale (docs/numerics.md, step 4). */
function rowBytes(headSize: number): number {
  return 2 * headSize + 4;
}

/**
 * Bytes of keys and values for the whole context. A model that continues text keeps those of all layers, an encoder those of
 * the layer it is at.
 */
export function historyBytes(header: ModelHeader): number {
  if (header.kind === "llama") {
    const { layers, keyHeads, context, headSize } = header.shape;
    return 2 * layers * keyHeads * context * rowBytes(headSize);
  }
  const { layers, context } = header.shape;
  return Math.max(...layers.map(({ heads, headSize }) => 2 * heads * context * rowBytes(headSize)));
}

/** What a manifest says of memory: the file, all keys and values, and a margin for what is passed from block to block. */
export function modelMemory(header: ModelHeader, fileBytes: number): number {
  return fileBytes + historyBytes(header) + MEMORY_MARGIN_BYTES;
}

/**
 * The manifest of a model file, in one pass. The header is believed, but for the size of the file; what the tensors hold is
 * checked by whoever reads the model.
 * @param file in pieces of any length
 * @throws FailureError `malformed` for what is no model file, or one of another length than its header says
 */
export async function manifestOf(
  file: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  digest: Digest,
): Promise<ModelManifest> {
  const hashes: Uint8Array[] = [];
  let first: Uint8Array | undefined;
  let size = 0;
  for await (const chunk of inChunks(file)) {
    first ??= chunk;
    size += chunk.length;
    if (size > MAX_MODEL_BYTES)
      malformed(`has more than ${MAX_MODEL_BYTES} bytes, the most a model may have`);
    hashes.push(await digest(chunk));
  }
  const basis = manifestBasis(first ?? new Uint8Array(), size);
  const chunks = new Uint8Array(hashes.length * HASH_BYTES);
  for (const [i, hash] of hashes.entries()) chunks.set(hash, i * HASH_BYTES);
  return { ...basis, chunks };
}

/**
 * All of a manifest but its hashes, from a file's first chunk: what a manifest by a stranger has to say too.
 * @param size bytes of the whole file. @throws FailureError `malformed`
 */
export function manifestBasis(firstChunk: Uint8Array, size: number): Omit<ModelManifest, "chunks"> {
  const { header, tensorsAt } = readModelHeader(firstChunk);
  const expected = tensorsAt + layoutOf(header).bytes;
  if (size !== expected) malformed(`has ${size} bytes, its header says ${expected}`);
  const { name, licence, shape } = header;
  const memory = modelMemory(header, size);
  const basis = { v: 1, name, licence, size, memory, context: shape.context } as const;
  return header.kind === "llama"
    ? { ...basis, entry: "generate", dimensions: 0 }
    : { ...basis, entry: "embed", dimensions: header.shape.output };
}

/** The same bytes in chunks of MODEL_CHUNK_BYTES, the last one shorter. A chunk is the reader's own. */
async function* inChunks(
  file: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  let chunk = new Uint8Array(MODEL_CHUNK_BYTES);
  let filled = 0;
  for await (const piece of file) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + MODEL_CHUNK_BYTES - filled);
      chunk.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < MODEL_CHUNK_BYTES) continue;
      yield chunk;
      chunk = new Uint8Array(MODEL_CHUNK_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.slice(0, filled);
}
