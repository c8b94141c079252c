import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../../src/protocol/bytes.ts";
import type { Backend, Decoder, EncoderBackend } from "../../src/inference/backend.ts";
import { readModel } from "../../src/inference/model/model-file.ts";

/** What is computed of a model, the same wherever it runs. */
export interface InferenceJob {
  /** Takes these tokens in at once, then goes on with the likeliest ones; for an encoder they are texts one after the other. */
  readonly tokens: readonly (readonly number[])[];
  readonly steps: number;
}

function largestAt(values: Int32Array): number {
  let best = 0;
  for (let at = 1; at < values.length; at += 1) if ((values[at] ?? 0) > (values[best] ?? 0)) best = at;
  return best;
}

/** Bytes of what comes out, in its order. */
class Digest {
  readonly #hash: ReturnType<typeof sha256.create> = sha256.create();

  add({ buffer, byteOffset, byteLength }: ArrayBufferView): void {
    this.#hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }

  get hex(): string {
    return toHex(this.#hash.digest());
  }
}

/** Hidden states and scores of each step, hashed. */
async function decode(decoder: Decoder, { tokens, steps }: InferenceJob): Promise<string> {
  const digest = new Digest();
  const { width } = decoder.model.shape;
  let next = tokens.flat();
  for (let step = 0; step < steps; step += 1) {
    // Position after position.
    const hidden = await decoder.forward(next);
    const scores = await decoder.logits(hidden.subarray(hidden.length - width));
    digest.add(hidden);
    digest.add(scores);
    next = [largestAt(scores)];
  }
  return digest.hex;
}

/** @param file of a model @returns SHA-256 of all that comes out */
export async function runInference(
  backend: Backend & EncoderBackend,
  file: Uint8Array,
  job: InferenceJob,
): Promise<string> {
  const stored = readModel(file);
  if (stored.kind === "llama") {
    const decoder = await backend.open(stored.model);
    try {
      return await decode(decoder, job);
    } finally {
      decoder.close();
    }
  }
  const encoder = await backend.openEncoder(stored.model);
  try {
    const digest = new Digest();
    for (const vector of await encoder.encode(job.tokens)) digest.add(vector);
    return digest.hex;
  } finally {
    encoder.close();
  }
}
