/** A GGUF of version 3 with random Q8_0 weights, of the same shape as a random model. */
import type { LlamaShape } from "../../src/inference/model/llama-model.ts";
import { randomBytes } from "./random-model.ts";

const ALIGNMENT = 32;
const TYPE = { u32: 4, f32: 6, text: 8, list: 9, i32: 5 } as const;
const TENSOR = { f32: 0, q8: 8 } as const;
/** A block of Q8_0: f16 scale, 32 bytes. */
const BLOCK = 32;
const BLOCK_BYTES = 34;
/** 1 / 2048 as f16. */
const SMALL_F16 = 0x1000;

interface Tensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

class GgufWriter {
  readonly parts: Uint8Array<ArrayBuffer>[] = [];
  size = 0;

  bytes(part: Uint8Array<ArrayBuffer>): this {
    this.parts.push(part);
    this.size += part.length;
    return this;
  }

  #number(bytes: number, write: (view: DataView) => void): this {
    const view = new DataView(new ArrayBuffer(bytes));
    write(view);
    return this.bytes(new Uint8Array(view.buffer));
  }

  u32(value: number): this {
    return this.#number(4, (view) => view.setUint32(0, value, true));
  }

  u64(value: number): this {
    return this.#number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }

  f32(value: number): this {
    return this.#number(4, (view) => view.setFloat32(0, value, true));
  }

  text(value: string): this {
    const bytes = new TextEncoder().encode(value);
    return this.u64(bytes.length).bytes(bytes);
  }

  pad(): this {
    return this.bytes(new Uint8Array((ALIGNMENT - (this.size % ALIGNMENT)) % ALIGNMENT));
  }
}

function ones(width: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Float32Array(width).fill(1).buffer);
}

function q8(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(randomBytes((count / BLOCK) * BLOCK_BYTES).buffer);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) view.setUint16(at, SMALL_F16, true);
  return bytes;
}

function matrix(name: string, rows: number, columns: number): Tensor {
  return { name: `${name}.weight`, dims: [columns, rows], type: TENSOR.q8, data: q8(rows * columns) };
}

function byteText(token: number): string {
  return `<0x${(token - 3).toString(16).toUpperCase().padStart(2, "0")}>`;
}

function tensorsOf({ width, inner, layers, heads, keyHeads, headSize, vocabulary }: LlamaShape): Tensor[] {
  const norm = (name: string): Tensor => ({
    name: `${name}.weight`,
    dims: [width],
    type: TENSOR.f32,
    data: ones(width),
  });
  return [
    matrix("token_embd", vocabulary, width),
    norm("output_norm"),
    ...Array.from({ length: layers }, (_, i) => [
      norm(`blk.${i}.attn_norm`),
      matrix(`blk.${i}.attn_q`, heads * headSize, width),
      matrix(`blk.${i}.attn_k`, keyHeads * headSize, width),
      matrix(`blk.${i}.attn_v`, keyHeads * headSize, width),
      matrix(`blk.${i}.attn_output`, width, heads * headSize),
      norm(`blk.${i}.ffn_norm`),
      matrix(`blk.${i}.ffn_gate`, inner, width),
      matrix(`blk.${i}.ffn_up`, inner, width),
      matrix(`blk.${i}.ffn_down`, width, inner),
    ]).flat(),
  ];
}

/** Three tokens of control, one per byte, then made-up words. */
function tokenTexts(vocabulary: number): string[] {
  return Array.from({ length: vocabulary }, (_, i) =>
    i < 3 ? (["<unk>", "<s>", "</s>"][i] ?? "") : i < 259 ? byteText(i) : `\u{2581}w${i}`,
  );
}

function writeDescription(writer: GgufWriter, shape: LlamaShape): void {
  const texts = tokenTexts(shape.vocabulary);
  const text = (name: string, value: string): GgufWriter => writer.text(name).u32(TYPE.text).text(value);
  const u32 = (name: string, value: number): GgufWriter => writer.text(name).u32(TYPE.u32).u32(value);
  const list = (name: string, type: number): GgufWriter =>
    writer.text(name).u32(TYPE.list).u32(type).u64(texts.length);
  text("general.architecture", "llama");
  text("tokenizer.ggml.model", "llama");
  u32("general.file_type", 7);
  u32("llama.context_length", shape.context);
  u32("llama.embedding_length", shape.width);
  u32("llama.block_count", shape.layers);
  u32("llama.feed_forward_length", shape.inner);
  u32("llama.attention.head_count", shape.heads);
  u32("llama.attention.head_count_kv", shape.keyHeads);
  u32("llama.rope.dimension_count", shape.headSize);
  u32("tokenizer.ggml.bos_token_id", 1);
  u32("tokenizer.ggml.eos_token_id", 2);
  u32("tokenizer.ggml.unknown_token_id", 0);
  writer.text("llama.attention.layer_norm_rms_epsilon").u32(TYPE.f32).f32(1e-5);
  list("tokenizer.ggml.tokens", TYPE.text);
  for (const each of texts) writer.text(each);
  list("tokenizer.ggml.scores", TYPE.f32);
  for (const at of texts.keys()) writer.f32(-at);
  list("tokenizer.ggml.token_type", TYPE.i32);
  for (const at of texts.keys()) writer.u32(at === 0 ? 2 : at < 3 ? 3 : at < 259 ? 6 : 1);
}

const DESCRIPTION_ENTRIES = 17;

export function randomGguf(shape: LlamaShape): Blob {
  const tensors = tensorsOf(shape);
  const writer = new GgufWriter();
  writer.bytes(new TextEncoder().encode("GGUF")).u32(3).u64(tensors.length).u64(DESCRIPTION_ENTRIES);
  writeDescription(writer, shape);
  let offset = 0;
  for (const { name, dims, type, data } of tensors) {
    writer.text(name).u32(dims.length);
    for (const dim of dims) writer.u64(dim);
    writer.u32(type).u64(offset);
    offset += Math.ceil(data.length / ALIGNMENT) * ALIGNMENT;
  }
  writer.pad();
  for (const { data } of tensors) writer.bytes(data).pad();
  return new Blob(writer.parts);
}
