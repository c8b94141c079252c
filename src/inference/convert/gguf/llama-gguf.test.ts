import { describe, expect, it } from "vitest";
import { readModel, writeModel } from "../../model/model-file.ts";
import { randomLlama, SMALL_SHAPE } from "../../model/random-llama.contract.ts";
import type { LlamaShape } from "../../model/llama-model.ts";
import { ReferenceLlama } from "../../reference/llama.ts";
import { floatLogits } from "../../reference/float-forward.contract.ts";
import { HAS_STORIES, storiesModel } from "../../reference/stories.contract.ts";
import { type ByteSource, memorySource } from "../byte-source.ts";
import { type FloatLlama, quantiseLlama } from "../float-llama.ts";
import { type LlamaSource, loadLlama, quantiseSource } from "../llama-source.ts";
import { llamaFromGguf } from "./llama-gguf.ts";
import { llamaGguf } from "./llama-gguf.contract.ts";
import { openGguf } from "./open-gguf.ts";
import { F32, Q8_0, TENSOR_TYPES, type TensorType } from "./tensor-type.ts";
import { f32, text, u32, type WrittenValue, writeGguf } from "./write-gguf.contract.ts";

type Metadata = Readonly<Record<string, WrittenValue>>;
async function convert(
  model: FloatLlama,
  type?: TensorType,
  metadata?: Metadata,
  context?: number,
): Promise<LlamaSource> {
  const file = await openGguf(memorySource(writeGguf(llamaGguf(model, type, metadata))));
  return llamaFromGguf(file, context === undefined ? {} : { context });
}

/** Epsilon as f32 knows it. */
const exactly = (model: FloatLlama): FloatLlama => ({ ...model, epsilon: Math.fround(model.epsilon) });
const LLAMA: LlamaShape = { ...SMALL_SHAPE, rotation: "neighbours" };
/** Rows that are whole blocks of every type, but for the inner ones. */
const BLOCKS: LlamaShape = {
  ...LLAMA,
  width: 256,
  inner: 96,
  heads: 4,
  keyHeads: 2,
  headSize: 64,
  vocabulary: 40,
};

/** Root of the mean square of the difference, in parts of that of `a`. */
function distance(a: Float32Array, b: Float32Array): number {
  const difference = a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);
  return Math.sqrt(difference / a.reduce((sum, value) => sum + value ** 2, 0));
}

describe("a Llama model from a GGUF", () => {
  it.each<[string, FloatLlama]>([
    ["Llama, heads wider than the stream", randomLlama(LLAMA, 1)],
    ["Qwen2 with biases", randomLlama(SMALL_SHAPE, 2, { biases: true })],
    [
      "one layer, one head",
      randomLlama({ ...LLAMA, width: 6, layers: 1, heads: 1, keyHeads: 1, headSize: 6 }, 3),
    ],
    [
      "Llama 3 with factors of rotation",
      { ...randomLlama(LLAMA, 4), rotationFactors: Float32Array.of(1, 1, 2.5, 8, 8) },
    ],
  ])("%s is the one that was written", async (_name, model) => {
    expect(await loadLlama(await convert(model))).toEqual(exactly(model));
  });

  it("uses the embeddings where it has no head", async () => {
    const { head: _, ...tied } = randomLlama(SMALL_SHAPE, 5);
    const source = await convert(tied);
    expect(await loadLlama(source)).toEqual(exactly(tied));
    expect(await source.head(3, 2)).toEqual(tied.embeddings.slice(3 * 48, 5 * 48));
  });

  it("is quantised layer by layer to the same model as at once", async () => {
    const model = exactly(randomLlama(SMALL_SHAPE, 6, { biases: true }));
    expect(await quantiseSource(await convert(model), 4)).toEqual(quantiseLlama(model, 4));
  });

  it.each(TENSOR_TYPES.map((type) => [type.name, type] as const))(
    "in %s is close to the original",
    async (_name, type) => {
      const model = randomLlama(BLOCKS, 7);
      const found = await loadLlama(await convert(model, type));
      const most =
        type.blockValues === 1
          ? 0.004
          : { 18: 0.12, 22: 0.07, 34: 0.008, 144: 0.17, 210: 0.04 }[type.blockBytes]!;
      expect(distance(model.layers[0]!.query, found.layers[0]!.query)).toBeLessThanOrEqual(most);
      expect(distance(model.embeddings, found.embeddings)).toBeLessThanOrEqual(most);
      expect(found.layers[1]!.feedNorm).toEqual(model.layers[1]!.feedNorm);
    },
  );

  it("keeps no more positions than asked, and 4096 unless asked", async () => {
    const model = randomLlama({ ...LLAMA, context: 100_000 }, 8);
    expect((await convert(model)).shape.context).toBe(4096);
    expect((await convert(model, F32, {}, 512)).shape.context).toBe(512);
    expect((await convert(model, F32, { "llama.attention.sliding_window": u32(300) })).shape.context).toBe(
      300,
    );
  });

  it("goes through a model's file", async () => {
    const model = await quantiseSource(await convert(randomLlama(SMALL_SHAPE, 14, { biases: true })), 8);
    const about = { name: "a", licence: "b", sourceSha256: new Uint8Array(32), text: "{}" };
    expect(readModel(writeModel(model, about))).toMatchObject({ about, model });
  });

  it("stretches the rotation of a linearly scaled context", async () => {
    const scaled = { "llama.rope.scaling.type": text("linear"), "llama.rope.scaling.factor": f32(4) };
    expect((await convert(randomLlama(LLAMA, 9), F32, scaled)).rotationFactors).toEqual(
      new Float32Array(5).fill(4),
    );
  });

  it("reads of a file only what it needs at a time", async () => {
    const bytes = writeGguf(llamaGguf(randomLlama(LLAMA, 10)));
    let longest = 0;
    let read = 0;
    const counted: ByteSource = {
      size: bytes.length,
      read: (offset, length) => {
        if (offset > 0) longest = Math.max(longest, length);
        read += length;
        return Promise.resolve(bytes.subarray(offset, offset + length));
      },
    };
    const source = await llamaFromGguf(await openGguf(counted));
    const header = read;
    await source.layer(1);
    expect(longest).toBe(4 * 70 * 48);
    expect(read - header).toBeLessThan(bytes.length / 2);
  });
});

describe("a model that the engine cannot compute is refused, and said why", () => {
  const model = randomLlama(LLAMA, 11);
  it.each<[Metadata, string]>([
    [
      { "general.architecture": text("gemma2") },
      "architecture gemma2 cannot be converted; these can: llama, qwen2",
    ],
    [
      { "split.count": { type: "u16", value: 3 } },
      "the model is split over 3 files; it has to be joined to one first",
    ],
    [{ "llama.expert_count": u32(8) }, "llama.expert_count"],
    [{ "llama.rope.scaling.type": text("yarn") }, "llama.rope.scaling.type yarn"],
    [{ "llama.rope.dimension_count": u32(4) }, "llama.rope.dimension_count is 4, not the size of a head, 10"],
    [{ "llama.block_count": u32(3) }, "the file has no tensor blk.2.attn_norm.weight"],
    [{ "llama.block_count": u32(1) }, "a tensor blk.1.attn_norm.weight, which is no part of"],
    [{ "llama.attention.head_count_kv": u32(3) }, "4 heads cannot share 3"],
    [{ "llama.feed_forward_length": u32(71) }, "tensor blk.0.ffn_gate.weight is 48 by 70, not 48 by 71"],
    [
      { "llama.attention.key_length": u32(514), "llama.attention.value_length": u32(514) },
      "llama.attention.key_length is 514, not 1 to 512",
    ],
    [{ "llama.embedding_length": u32(0) }, "llama.embedding_length is 0, not 1 to"],
    [{ "llama.block_count": u32(4_000_000_000) }, "llama.block_count is 4000000000, not 1 to"],
    [{ "llama.context_length": text("much") }, "llama.context_length is not a whole number"],
    [
      { "llama.attention.layer_norm_rms_epsilon": f32(Number.NaN) },
      "llama.attention.layer_norm_rms_epsilon is not a number",
    ],
    [{ "llama.rope.freq_base": f32(0) }, "llama.rope.freq_base is 0"],
  ])("%o", async (metadata, message) => {
    await expect(convert(model, F32, metadata)).rejects.toThrow(RangeError);
    await expect(convert(model, F32, metadata)).rejects.toThrow(message);
  });

  it.each([0, -1, 1.5, Number.NaN])("a context of %s", async (context) => {
    await expect(convert(model, F32, {}, context)).rejects.toThrow(`a context of ${context} positions`);
  });

  it("biases in some of the layers", async () => {
    const [first, second] = randomLlama(LLAMA, 13, { biases: true }).layers;
    const { keyBias: _, ...rest } = second!;
    await expect(convert({ ...model, layers: [first!, rest] })).rejects.toThrow(
      "no tensor blk.1.attn_k.bias",
    );
  });

  it("a weight that is not finite, with its tensor", async () => {
    const broken = randomLlama(LLAMA, 12);
    broken.layers[1]!.down[71] = Infinity;
    const source = await convert(broken);
    await expect(source.layer(1)).rejects.toThrow(
      "tensor blk.1.ffn_down.weight has a value that is no finite number, in row 1",
    );
  });
});

/** 120 tokens, greedily. */
function greedy(reference: ReferenceLlama): number[] {
  const tokens = [1];
  while (tokens.length <= 120) {
    const logits = reference.logits(reference.step(tokens.at(-1) ?? 0));
    tokens.push(logits.indexOf(Math.max(...logits)));
  }
  return tokens.slice(1);
}

describe.skipIf(!HAS_STORIES)("the stories model by way of a GGUF", () => {
  const model = HAS_STORIES ? storiesModel() : randomLlama(LLAMA, 1);

  it("in F32 has the same floats, and so the same text", async () => {
    expect(await loadLlama(await convert(model))).toEqual(exactly(model));
    const integers = greedy(new ReferenceLlama(await quantiseSource(await convert(model), 8)));
    expect(integers).toEqual(greedy(new ReferenceLlama(quantiseLlama(model, 8))));
  });

  it("in Q8_0 writes the text that the file's own floats write, which is the same for 114 tokens", async () => {
    const source = await convert(model, Q8_0);
    const integers = greedy(new ReferenceLlama(await quantiseSource(source, 8)));
    const floats = floatLogits(await loadLlama(source), [1, ...integers.slice(0, -1)]);
    expect(integers).toEqual(floats.map((logits) => logits.indexOf(Math.max(...logits))));
    // There "you" and "m" are 0.04 apart in the original.
    expect(integers.slice(0, 114)).toEqual(greedy(new ReferenceLlama(quantiseLlama(model, 8))).slice(0, 114));
  });
});
