/* GGUF files of Llama models, as llama.cpp's converters name and order things: for tests. */
import type { FloatLlama } from "../float-llama.ts";
import { F32, type TensorType } from "./tensor-type.ts";
import {
  f32,
  text,
  u32,
  type WrittenGguf,
  type WrittenTensor,
  type WrittenValue,
} from "./write-gguf.contract.ts";

/**
 * Vectors are F32. So are matrices whose rows are not whole blocks.
 * @param type of matrices @param metadata more of it, or in place of what is there
 */
export function llamaGguf(
  model: FloatLlama,
  type: TensorType = F32,
  metadata: Readonly<Record<string, WrittenValue>> = {},
): WrittenGguf {
  const { shape } = model;
  const { width, inner, heads, keyHeads, headSize, vocabulary } = shape;
  const architecture = shape.rotation === "halves" ? "qwen2" : "llama";
  const tensors: WrittenTensor[] = [];
  const vector = (name: string, values: Float32Array | undefined): void => {
    if (values !== undefined) tensors.push({ name, dimensions: [values.length], type: F32, values });
  };
  const matrix = (name: string, values: Float32Array | undefined, columns: number, rows: number): void => {
    const fits = columns % type.blockValues === 0 ? type : F32;
    if (values !== undefined) tensors.push({ name, dimensions: [columns, rows], type: fits, values });
  };
  matrix("token_embd.weight", model.embeddings, width, vocabulary);
  vector("rope_freqs.weight", model.rotationFactors);
  for (const [i, layer] of model.layers.entries()) {
    vector(`blk.${i}.attn_norm.weight`, layer.attentionNorm);
    matrix(`blk.${i}.attn_q.weight`, layer.query, width, heads * headSize);
    matrix(`blk.${i}.attn_k.weight`, layer.key, width, keyHeads * headSize);
    matrix(`blk.${i}.attn_v.weight`, layer.value, width, keyHeads * headSize);
    vector(`blk.${i}.attn_q.bias`, layer.queryBias);
    vector(`blk.${i}.attn_k.bias`, layer.keyBias);
    vector(`blk.${i}.attn_v.bias`, layer.valueBias);
    matrix(`blk.${i}.attn_output.weight`, layer.output, heads * headSize, width);
    vector(`blk.${i}.ffn_norm.weight`, layer.feedNorm);
    matrix(`blk.${i}.ffn_gate.weight`, layer.gate, width, inner);
    matrix(`blk.${i}.ffn_up.weight`, layer.up, width, inner);
    matrix(`blk.${i}.ffn_down.weight`, layer.down, inner, width);
  }
  vector("output_norm.weight", model.finalNorm);
  matrix("output.weight", model.head, width, vocabulary);
  return {
    metadata: {
      "general.architecture": text(architecture),
      [`${architecture}.context_length`]: u32(shape.context),
      [`${architecture}.embedding_length`]: u32(width),
      [`${architecture}.block_count`]: u32(shape.layers),
      [`${architecture}.feed_forward_length`]: u32(inner),
      [`${architecture}.attention.head_count`]: u32(heads),
      [`${architecture}.attention.head_count_kv`]: u32(keyHeads),
      [`${architecture}.attention.layer_norm_rms_epsilon`]: f32(model.epsilon),
      [`${architecture}.rope.freq_base`]: f32(model.rotationBase),
      ...(headSize * heads === width
        ? {}
        : {
            [`${architecture}.attention.key_length`]: u32(headSize),
            [`${architecture}.attention.value_length`]: u32(headSize),
          }),
      ...metadata,
    },
    tensors,
  };
}
