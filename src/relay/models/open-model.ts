import { readFile } from "node:fs/promises";
import type { Backend, Decoder, EncoderBackend } from "../../inference/backend.ts";
import { Embedder } from "../../inference/embed/embedder.ts";
import { firstLink } from "../../inference/generate/transcript.ts";
import type { EncoderHeader } from "../../inference/model/encoder-header.ts";
import type { LlamaHeader } from "../../inference/model/llama-header.ts";
import { manifestOf } from "../../inference/model/manifest.ts";
import { readModel, type StoredEncoder, type StoredLlama } from "../../inference/model/model-file.ts";
import { referenceBackend } from "../../inference/reference/reference-backend.ts";
import { referenceEncoderBackend } from "../../inference/reference/reference-encoder.ts";
import { parseModelText } from "../../inference/tokenizer/parse-model-text.ts";
import { ModelTokenizer } from "../../inference/tokenizer/model-tokenizer.ts";
import { createWasmBackend } from "../../inference/wasm/wasm-backend.ts";
import { createWasmEncoderBackend } from "../../inference/wasm/wasm-encoder.ts";
import { type Cid, cidDigest } from "../../protocol/cid.ts";
import { manifestCid } from "../../protocol/model-manifest.ts";
import { sha256 } from "../books/native-hash.ts";

/** Backends that a Node process has. */
export const LOCAL_BACKENDS = ["wasm", "reference"] as const;
export type LocalBackend = (typeof LOCAL_BACKENDS)[number];

/** A model file that is ready to continue texts. */
export interface OpenLlama {
  readonly kind: "llama";
  readonly header: LlamaHeader;
  /** Of its manifest. */
  readonly cid: Cid;
  readonly tokenizer: ModelTokenizer;
  readonly decoder: Decoder;
  /** Hash before the first position. */
  readonly link: Uint8Array;
}

/** One that is ready to turn texts into vectors. */
export interface OpenEncoder {
  readonly kind: "encoder";
  readonly header: EncoderHeader;
  /** Of its manifest. */
  readonly cid: Cid;
  readonly embedder: Embedder;
}

export type OpenModel = OpenLlama | OpenEncoder;

/** @throws FailureError `malformed` for what is no model file */
export async function openModel(path: string, backend: LocalBackend): Promise<OpenModel> {
  const file = await readFile(path);
  const stored = readModel(file);
  const cid = manifestCid(await manifestOf([file], sha256));
  const { vocabulary } = stored.header.shape;
  const tokenizer = new ModelTokenizer(parseModelText(stored.about.text, vocabulary));
  return stored.kind === "llama"
    ? openLlama(stored, cid, tokenizer, backend)
    : openEncoder(stored, cid, tokenizer, backend);
}

async function openLlama(
  { header, model }: StoredLlama,
  cid: Cid,
  tokenizer: ModelTokenizer,
  backend: LocalBackend,
): Promise<OpenLlama> {
  const backends: Readonly<Record<LocalBackend, Backend>> = {
    wasm: createWasmBackend(),
    reference: referenceBackend,
  };
  const decoder = await backends[backend].open(model);
  return { kind: "llama", header, cid, tokenizer, decoder, link: firstLink(cidDigest(cid)) };
}

async function openEncoder(
  { header, model }: StoredEncoder,
  cid: Cid,
  tokenizer: ModelTokenizer,
  backend: LocalBackend,
): Promise<OpenEncoder> {
  const backends: Readonly<Record<LocalBackend, EncoderBackend>> = {
    wasm: createWasmEncoderBackend(),
    reference: referenceEncoderBackend,
  };
  const encoder = await backends[backend].openEncoder(model);
  return { kind: "encoder", header, cid, embedder: new Embedder(encoder, tokenizer, cidDigest(cid)) };
}
