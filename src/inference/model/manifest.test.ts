import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MODEL_CHUNK_BYTES } from "../../protocol/limits.ts";
import {
  chunkCid,
  chunkCount,
  chunkRange,
  decodeManifest,
  encodeManifest,
} from "../../protocol/model-manifest.ts";
import { cidFromDigest, RAW } from "../../protocol/cid.ts";
import { quantiseEncoder } from "../convert/float-encoder.ts";
import { quantiseLlama } from "../convert/float-llama.ts";
import { ODD_ENCODER, randomEncoder } from "../reference/float-encoder.contract.ts";
import { manifestOf } from "./manifest.ts";
import { type ModelAbout, writeModel } from "./model-file.ts";
import { randomLlama, SMALL_SHAPE } from "./random-llama.contract.ts";

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

function aboutWith(textBytes: number): ModelAbout {
  return {
    name: "random",
    licence: "CC0-1.0",
    sourceSha256: new Uint8Array(32),
    text: `"${"x".repeat(textBytes - 2)}"`,
  };
}

const llama = quantiseLlama(randomLlama(SMALL_SHAPE, 1), 8);
/** Of three chunks and a bit. */
const file = writeModel(llama, aboutWith(3 * MODEL_CHUNK_BYTES));
const KEYS_AND_VALUES =
  2 * SMALL_SHAPE.layers * SMALL_SHAPE.keyHeads * SMALL_SHAPE.context * (2 * SMALL_SHAPE.headSize + 4);

describe("a manifest", () => {
  it("tells of a Llama model what its file says, and the memory of docs/numerics.md", async () => {
    expect(await manifestOf([file], sha256)).toMatchObject({
      entry: "generate",
      name: "random",
      licence: "CC0-1.0",
      size: file.length,
      memory: file.length + KEYS_AND_VALUES + 64 * 1024 * 1024,
      context: SMALL_SHAPE.context,
      dimensions: 0,
    });
  });

  it("tells of an encoder its dimensions, and counts keys and values of its largest layer", async () => {
    const encoder = quantiseEncoder(randomEncoder(ODD_ENCODER, 1), 8);
    const bytes = writeModel(encoder, aboutWith(20));
    const largest = Math.max(
      ...ODD_ENCODER.layers.map(
        ({ heads, headSize }) => 2 * heads * ODD_ENCODER.context * (2 * headSize + 4),
      ),
    );
    expect(await manifestOf([bytes], sha256)).toMatchObject({
      entry: "embed",
      memory: bytes.length + largest + 64 * 1024 * 1024,
      context: ODD_ENCODER.context,
      dimensions: ODD_ENCODER.output,
    });
  });

  it("pins every chunk by its hash, and comes back from its bytes", async () => {
    const manifest = await manifestOf([file], sha256);
    expect(chunkCount(manifest)).toBe(Math.ceil(file.length / MODEL_CHUNK_BYTES));
    expect(chunkCount(manifest)).toBeGreaterThan(3);
    for (let i = 0; i < chunkCount(manifest); i += 1) {
      const { from, to } = chunkRange(manifest, i);
      expect(chunkCid(manifest, i)).toBe(cidFromDigest(RAW, sha256(file.subarray(from, to))));
    }
    expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
  });

  it("is the same in whatever pieces the file comes", async () => {
    const whole = await manifestOf([file], sha256);
    const piece = fc.integer({ min: 1, max: 2 * MODEL_CHUNK_BYTES });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (sizes) => {
        const pieces: Uint8Array[] = [];
        let at = 0;
        for (const size of sizes) {
          pieces.push(file.subarray(at, at + size));
          at += size;
        }
        pieces.push(file.subarray(at));
        expect(await manifestOf(pieces, sha256)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  it("is another one for any other byte", async () => {
    const changed = file.slice();
    changed[changed.length - 1] = changed.at(-1) === 0 ? 1 : 0;
    expect((await manifestOf([changed], sha256)).chunks).not.toEqual(
      (await manifestOf([file], sha256)).chunks,
    );
  });

  it("is refused to what is no model file, or not the whole of one", async () => {
    await expect(manifestOf([new Uint8Array(5_000)], sha256)).rejects.toThrow("does not begin with");
    await expect(manifestOf([], sha256)).rejects.toThrow("does not begin with");
    await expect(manifestOf([file.subarray(0, -1)], sha256)).rejects.toThrow(`${file.length - 1} bytes`);
    await expect(manifestOf([file, Uint8Array.of(0)], sha256)).rejects.toThrow(`${file.length + 1} bytes`);
  });
});
