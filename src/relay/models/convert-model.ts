import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, stat, type FileHandle } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { ByteSource } from "../../inference/convert/byte-source.ts";
import { quantiseLlama } from "../../inference/convert/float-llama.ts";
import { llamaFromGguf } from "../../inference/convert/gguf/llama-gguf.ts";
import { textValue } from "../../inference/convert/gguf/metadata-access.ts";
import { openGguf } from "../../inference/convert/gguf/open-gguf.ts";
import { quantiseSource } from "../../inference/convert/llama-source.ts";
import { readLlama2c } from "../../inference/convert/llama2c.ts";
import type { LlamaModel } from "../../inference/model/llama-model.ts";
import { writeModel } from "../../inference/model/model-file.ts";
import { encoderFromFolder } from "./encoder-folder.ts";
import { textFromGguf } from "../../inference/convert/gguf/text-gguf.ts";
import { readLlama2cText } from "../../inference/convert/llama2c-text.ts";
import type { ModelText } from "../../inference/tokenizer/model-text.ts";

export interface ConversionOptions {
  /** Bits of a weight. */
  readonly bits: 4 | 8;
  /** Positions, at most those of the source. */
  readonly context?: number;
  /** A llama2.c token file, which such a checkpoint needs. */
  readonly tokenizer?: string;
  /** The source's own name if absent. */
  readonly name?: string;
  readonly licence?: string;
}

export interface Conversion {
  readonly file: Uint8Array;
  readonly sourceBytes: number;
  readonly format: "gguf" | "llama2c" | "tfjs";
}

const GGUF_MAGIC = "GGUF";

/**
 * Makes a model file from a GGUF, a llama2.c checkpoint or the folder of a sentence encoder's package.
 * @throws FailureError `malformed`, RangeError naming what is wrong
 */
export async function convertModel(path: string, options: ConversionOptions): Promise<Conversion> {
  const { size, isFolder } = await kindOf(path);
  return isFolder ? convertFolder(path, options) : convertFile(path, size, options);
}

async function kindOf(path: string): Promise<{ readonly size: number; readonly isFolder: boolean }> {
  const found = await stat(path);
  return { size: found.size, isFolder: found.isDirectory() };
}

async function convertFolder(path: string, { bits, name, licence }: ConversionOptions): Promise<Conversion> {
  const found = await encoderFromFolder(path, bits);
  const about = {
    name: name ?? found.name,
    licence: licence ?? found.licence ?? "unknown",
    sourceSha256: found.sourceSha256,
    text: JSON.stringify(found.text),
  };
  return { file: writeModel(found.model, about), sourceBytes: found.sourceBytes, format: "tfjs" };
}

async function convertFile(path: string, size: number, options: ConversionOptions): Promise<Conversion> {
  const handle = await open(path);
  try {
    const magic = await sourceOf(handle, size).read(0, Math.min(4, size));
    const isGguf = Buffer.from(magic).toString("latin1") === GGUF_MAGIC;
    const { model, text, licence } = isGguf
      ? await fromGguf(sourceOf(handle, size), options)
      : await fromLlama2c(path, options);
    const about = {
      name: options.name ?? basename(path, extname(path)),
      licence: options.licence ?? licence ?? "unknown",
      sourceSha256: await sha256Of(path),
    };
    return {
      file: writeModel(model, { ...about, text: JSON.stringify(text) }),
      sourceBytes: size,
      format: isGguf ? "gguf" : "llama2c",
    };
  } finally {
    await handle.close();
  }
}

interface Parts {
  readonly model: LlamaModel;
  readonly text: ModelText;
  readonly licence?: string;
}

function sourceOf(handle: FileHandle, size: number): ByteSource {
  return {
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        // oxlint-disable-next-line no-await-in-loop -- until all of it is there
        const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    },
  };
}

async function fromGguf(source: ByteSource, { bits, context }: ConversionOptions): Promise<Parts> {
  const gguf = await openGguf(source);
  const llama = await llamaFromGguf(gguf, context === undefined ? {} : { context });
  const text = textFromGguf(gguf.metadata, llama.shape.vocabulary);
  const licence = textValue(gguf.metadata, "general.license");
  const model = await quantiseSource(llama, bits);
  return { model, text, ...(licence === undefined ? {} : { licence }) };
}

async function fromLlama2c(path: string, { bits, context, tokenizer }: ConversionOptions): Promise<Parts> {
  if (tokenizer === undefined)
    throw new RangeError("a llama2.c checkpoint holds no tokenizer: name its token file as well");
  const source = readLlama2c(await readFile(path));
  const { shape } = source;
  const shorter = {
    ...source,
    shape: { ...shape, context: Math.min(context ?? shape.context, shape.context) },
  };
  const text = readLlama2cText(await readFile(tokenizer), shape.vocabulary);
  return { model: quantiseLlama(shorter, bits), text };
}

async function sha256Of(path: string): Promise<Uint8Array> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return new Uint8Array(hash.digest());
}
