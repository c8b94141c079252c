import { type Cid, cidDigest } from "../../protocol/cid.ts";
import { manifestCid } from "../../protocol/model-manifest.ts";
import type { Backend, Decoder, EncoderBackend } from "../backend.ts";
import { Embedder } from "../embed/embedder.ts";
import { firstLink } from "../generate/transcript.ts";
import type { EncoderHeader } from "../model/encoder-header.ts";
import type { LlamaHeader } from "../model/llama-header.ts";
import { type Digest, manifestOf } from "../model/manifest.ts";
import { readModel } from "../model/model-file.ts";
import { ModelTokenizer } from "../tokenizer/model-tokenizer.ts";
import { parseModelText } from "../tokenizer/parse-model-text.ts";

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

/**
 * Makes a model file ready on a backend of this realm.
 * @param file all of it @param digest the fastest that the realm has
 * @throws FailureError `malformed` for what is no model file, and what the backend throws
 */
export async function openModelFile(
  file: Uint8Array,
  backend: Pick<Backend, "open"> & Pick<EncoderBackend, "openEncoder">,
  digest: Digest,
): Promise<OpenModel> {
  const stored = readModel(file);
  const cid = manifestCid(await manifestOf([file], digest));
  const { vocabulary } = stored.header.shape;
  const tokenizer = new ModelTokenizer(parseModelText(stored.about.text, vocabulary));
  if (stored.kind === "llama") {
    const decoder = await backend.open(stored.model);
    return {
      kind: "llama",
      header: stored.header,
      cid,
      tokenizer,
      decoder,
      link: firstLink(cidDigest(cid)),
    };
  }
  const encoder = await backend.openEncoder(stored.model);
  const embedder = new Embedder(encoder, tokenizer, cidDigest(cid));
  return { kind: "encoder", header: stored.header, cid, embedder };
}
