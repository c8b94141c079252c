import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Backend, Decoder } from "../../inference/backend.ts";
import { firstLink } from "../../inference/generate/transcript.ts";
import type { LlamaHeader } from "../../inference/model/llama-header.ts";
import { readLlama } from "../../inference/model/model-file.ts";
import { referenceBackend } from "../../inference/reference/reference-backend.ts";
import { parseModelText } from "../../inference/tokenizer/parse-model-text.ts";
import { ModelTokenizer } from "../../inference/tokenizer/model-tokenizer.ts";
import { createWasmBackend } from "../../inference/wasm/wasm-backend.ts";

/** Backends that a Node process has. */
export const LOCAL_BACKENDS = ["wasm", "reference"] as const;
export type LocalBackend = (typeof LOCAL_BACKENDS)[number];

/** A model file that is ready to run. */
export interface OpenModel {
  readonly header: LlamaHeader;
  /** Of the file. */
  readonly sha256: Uint8Array;
  readonly tokenizer: ModelTokenizer;
  readonly decoder: Decoder;
  /** Hash before the first position. */
  readonly link: Uint8Array;
}

/** @throws FailureError `malformed` for what is no model file */
export async function openModel(path: string, backend: LocalBackend): Promise<OpenModel> {
  const file = await readFile(path);
  const sha256 = new Uint8Array(createHash("sha256").update(file).digest());
  const { header, about, model } = readLlama(file);
  const tokenizer = new ModelTokenizer(parseModelText(about.text, model.shape.vocabulary));
  const backends: Readonly<Record<LocalBackend, Backend>> = {
    wasm: createWasmBackend(),
    reference: referenceBackend,
  };
  const decoder = await backends[backend].open(model);
  return { header, sha256, tokenizer, decoder, link: firstLink(sha256) };
}
