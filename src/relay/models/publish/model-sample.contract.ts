import { quantiseLlama } from "../../../inference/convert/float-llama.ts";
import { manifestOf } from "../../../inference/model/manifest.ts";
import { writeModel } from "../../../inference/model/model-file.ts";
import { randomLlama, SMALL_SHAPE } from "../../../inference/model/random-llama.contract.ts";
import { MODEL_CHUNK_BYTES } from "../../../protocol/limits.ts";
import type { Cid } from "../../../protocol/cid.ts";
import {
  chunkCid,
  chunkCount,
  chunkRange,
  encodeManifest,
  manifestCid,
  type ModelManifest,
} from "../../../protocol/model-manifest.ts";
import { sha256 } from "../../books/native-hash.ts";

/** A model file of three chunks, and the blobs that stand for it. For tests. */
export interface ModelSample {
  readonly cid: Cid;
  readonly file: Uint8Array<ArrayBuffer>;
  readonly manifest: ModelManifest;
  /** The manifest first, then the chunks in order. */
  readonly blobs: readonly { readonly cid: Cid; readonly bytes: Uint8Array<ArrayBuffer> }[];
}

export async function modelSample(seed: number): Promise<ModelSample> {
  const file = writeModel(quantiseLlama(randomLlama(SMALL_SHAPE, seed), 8), {
    name: `random ${seed}`,
    licence: "CC0-1.0",
    sourceSha256: new Uint8Array(32).fill(seed),
    text: `"${"x".repeat(2 * MODEL_CHUNK_BYTES)}"`,
  });
  const manifest = await manifestOf([file], sha256);
  const cid = manifestCid(manifest);
  const chunks = Array.from({ length: chunkCount(manifest) }, (_, index) => {
    const { from, to } = chunkRange(manifest, index);
    return { cid: chunkCid(manifest, index), bytes: file.slice(from, to) };
  });
  return { cid, file, manifest, blobs: [{ cid, bytes: encodeManifest(manifest) }, ...chunks] };
}
