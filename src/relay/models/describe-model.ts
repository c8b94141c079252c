import { readFile } from "node:fs/promises";
import type { EncoderShape } from "../../inference/model/encoder-model.ts";
import { layoutOf } from "../../inference/model/layout.ts";
import type { LlamaShape } from "../../inference/model/llama-model.ts";
import { readModel } from "../../inference/model/model-file.ts";
import { historyBytes, manifestOf } from "../../inference/model/manifest.ts";
import { toHex } from "../../protocol/bytes.ts";
import type { Cid } from "../../protocol/cid.ts";
import { chunkCount, manifestCid } from "../../protocol/model-manifest.ts";
import { sha256 } from "../books/native-hash.ts";

const PARTS = ["embeddings", "layers", "head", "tables", "tokenizer"] as const;

interface DescriptionBasis {
  /** Of its manifest: the model's identity. */
  readonly cid: Cid;
  /** Of the file. */
  readonly sha256: string;
  /** What a provider needs to run it, as the manifest says. */
  readonly memoryBytes: number;
  readonly chunks: number;
  readonly bytes: number;
  readonly name: string;
  readonly licence: string;
  readonly sourceSha256: string;
  readonly bits: 4 | 8;
  /** Weights of all matrices and embeddings. */
  readonly parameters: number;
  /** Bytes of each part of the file. The head is what makes the result out of the last layer. */
  readonly parts: Readonly<Record<(typeof PARTS)[number], number>>;
}

export interface LlamaDescription extends DescriptionBasis {
  readonly kind: "llama";
  readonly shape: LlamaShape;
  /** Bytes of keys and values for the whole context. */
  readonly historyBytes: number;
}

export interface EncoderDescription extends DescriptionBasis {
  readonly kind: "encoder";
  readonly shape: EncoderShape;
}

export type ModelDescription = LlamaDescription | EncoderDescription;

/** What a model file holds, all of it checked. @throws FailureError `malformed` */
export async function describeModel(path: string): Promise<ModelDescription> {
  const file = await readFile(path);
  const { header, about } = readModel(file);
  const manifest = await manifestOf([file], sha256);
  const parts = { embeddings: 0, layers: 0, head: 0, tables: 0, tokenizer: 0 };
  let parameters = 0;
  for (const { name, bytes, dims } of layoutOf(header).places) {
    parts[partOf(name)] += bytes;
    if (name.endsWith(".values")) parameters += dims.reduce((product, size) => product * size, 1);
  }
  const basis: DescriptionBasis = {
    cid: manifestCid(manifest),
    sha256: toHex(sha256(file)),
    memoryBytes: manifest.memory,
    chunks: chunkCount(manifest),
    bytes: file.length,
    name: about.name,
    licence: about.licence,
    sourceSha256: Buffer.from(about.sourceSha256).toString("hex"),
    bits: header.bits,
    parameters,
    parts,
  };
  return header.kind === "llama"
    ? { ...basis, kind: "llama", shape: header.shape, historyBytes: historyBytes(header) }
    : { ...basis, kind: "encoder", shape: header.shape };
}

function partOf(name: string): (typeof PARTS)[number] {
  if (name.startsWith("layers.")) return "layers";
  if (name.startsWith("embeddings.")) return "embeddings";
  if (name.startsWith("head.") || name.startsWith("pool.")) return "head";
  return name === "text" ? "tokenizer" : "tables";
}
