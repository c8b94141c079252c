import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { layoutOf } from "../../inference/model/layout.ts";
import type { LlamaShape } from "../../inference/model/llama-model.ts";
import { readLlama } from "../../inference/model/model-file.ts";
import { cidFromDigest, RAW, type Cid } from "../../protocol/cid.ts";

export interface ModelDescription {
  readonly cid: Cid;
  readonly sha256: string;
  readonly bytes: number;
  readonly name: string;
  readonly licence: string;
  readonly sourceSha256: string;
  readonly kind: "llama";
  readonly shape: LlamaShape;
  readonly bits: 4 | 8;
  /** Weights of all matrices and embeddings. */
  readonly parameters: number;
  /** Bytes of each part of the file. */
  readonly parts: Readonly<Record<"embeddings" | "layers" | "head" | "tables" | "tokenizer", number>>;
  /** Bytes of keys and values for the whole context. */
  readonly historyBytes: number;
}

/** What a model file holds, all of it checked. @throws FailureError `malformed` */
export async function describeModel(path: string): Promise<ModelDescription> {
  const file = await readFile(path);
  const { header, about } = readLlama(file);
  const digest = createHash("sha256").update(file).digest();
  const { shape, bits, kind } = header;
  const parts = { embeddings: 0, layers: 0, head: 0, tables: 0, tokenizer: 0 };
  let parameters = 0;
  for (const { name, bytes, dims } of layoutOf(header).places) {
    parts[partOf(name)] += bytes;
    if (name.endsWith(".values")) parameters += dims.reduce((product, size) => product * size, 1);
  }
  return {
    cid: cidFromDigest(RAW, new Uint8Array(digest)),
    sha256: digest.toString("hex"),
    bytes: file.length,
    name: about.name,
    licence: about.licence,
    sourceSha256: Buffer.from(about.sourceSha256).toString("hex"),
    kind,
    shape,
    bits,
    parameters,
    parts,
    historyBytes: 2 * shape.layers * shape.keyHeads * shape.context * (2 * shape.headSize + 4),
  };
}

function partOf(name: string): keyof ModelDescription["parts"] {
  if (name.startsWith("layers.")) return "layers";
  if (name.startsWith("embeddings.")) return "embeddings";
  if (name.startsWith("head.")) return "head";
  return name === "text" ? "tokenizer" : "tables";
}
