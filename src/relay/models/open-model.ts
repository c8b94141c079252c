import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Backend, Decoder, EncoderBackend } from "../../inference/backend.ts";
import { Embedder } from "../../inference/embed/embedder.ts";
import { firstLink } from "../../inference/generate/transcript.ts";
import type { EncoderHeader } from "../../inference/model/encoder-header.ts";
import type { LlamaHeader } from "../../inference/model/llama-header.ts";
import { readModel, type StoredEncoder, type StoredLlama } from "../../inference/model/model-file.ts";
import { referenceBackend } from "../../inference/reference/reference-backend.ts";
import { referenceEncoderBackend } from "../../inference/reference/reference-encoder.ts";
import { parseModelText } from "../../inference/tokenizer/parse-model-text.ts";
import { ModelTokenizer } from "../../inference/tokenizer/model-tokenizer.ts";
import { createWasmBackend } from "../../inference/wasm/wasm-backend.ts";
import { createWasmEncoderBackend } from "../../inference/wasm/wasm-encoder.ts";

/** Backends that a Node process has. */
export const LOCAL_BACKENDS = ["wasm", "reference"] as const;
export type LocalBackend = (typeof LOCAL_BACKENDS)[number];

/** A model file that is ready to continue texts. */
export interface OpenLlama {
  readonly kind: "llama";
  readonly header: LlamaHeader;
  /** Of the file. */
  readonly sha256: Uint8Array;
  readonly tokenizer: ModelTokenizer;
  readonly decoder: Decoder;
  /** Hash before the first position. */
  readonly link: Uint8Array;
}

/** One that is ready to turn texts into vectors. */
export interface OpenEncoder {
  readonly kind: "encoder";
  readonly header: EncoderHeader;
  /** Of the file. */
  readonly sha256: Uint8Array;
  readonly embedder: Embedder;
}

export type OpenModel = OpenLlama | OpenEncoder;

/** @throws FailureError `malformed` for what is no model file */
export async function openModel(path: string, backend: LocalBackend): Promise<OpenModel> {
  const file = await readFile(path);
  const sha256 = new Uint8Array(createHash("sha256").update(file).digest());
  const stored = readModel(file);
  const { vocabulary } = stored.header.shape;
  const tokenizer = new ModelTokenizer(parseModelText(stored.about.text, vocabulary));
  return stored.kind === "llama"
    ? openLlama(stored, sha256, tokenizer, backend)
    : openEncoder(stored, sha256, tokenizer, backend);
}

async function openLlama(
  { header, model }: StoredLlama,
  sha256: Uint8Array,
  tokenizer: ModelTokenizer,
  backend: LocalBackend,
): Promise<OpenLlama> {
  const backends: Readonly<Record<LocalBackend, Backend>> = {
    wasm: createWasmBackend(),
    reference: referenceBackend,
  };
  const decoder = await backends[backend].open(model);
  return { kind: "llama", header, sha256, tokenizer, decoder, link: firstLink(sha256) };
}

async function openEncoder(
  { header, model }: StoredEncoder,
  sha256: Uint8Array,
  tokenizer: ModelTokenizer,
  backend: LocalBackend,
): Promise<OpenEncoder> {
  const backends: Readonly<Record<LocalBackend, EncoderBackend>> = {
    wasm: createWasmEncoderBackend(),
    reference: referenceEncoderBackend,
  };
  const encoder = await backends[backend].openEncoder(model);
  return { kind: "encoder", header, sha256, embedder: new Embedder(encoder, tokenizer, sha256) };
}
