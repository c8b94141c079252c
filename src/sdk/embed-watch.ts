import { FailureError } from "../protocol/failure.ts";
import { MAX_EMBED_TEXTS, MAX_PROMPT_BYTES } from "../protocol/limits.ts";
import {
  decodeModelData,
  type EmbedInput,
  embedInputSchema,
  type EmbedOutput,
  embedOutputSchema,
  encodeModelData,
} from "../protocol/messages/model-task.ts";
import type { ModelManifest } from "../protocol/model-manifest.ts";
import { WireError } from "../protocol/wire-error.ts";
import { EMBED_TASK_BYTES, EMBED_TASK_TEXTS, EMBED_TASKS_PER_PROVIDER } from "./limits.ts";
import type { TaskWatch } from "./task-watch.ts";

/** Texts of one task, and where the first stands among all. */
export interface Batch {
  readonly first: number;
  readonly texts: readonly string[];
}

/** Length 1 in Q15. */
const ONE = 32_768;

/** What cutting in the root and its reciprocal may take away: four steps of 2^-15 each, and one of a value cut to 32,767. */
const CUT = 8;

/** @throws FailureError `malformed` for a text without anything in it, `too-large` for one that is too long. */
function checkText(text: string, index: number): number {
  const bytes = new TextEncoder().encode(text).length;
  if (text.trim() === "") throw new FailureError("malformed", `text ${index} is empty`);
  if (bytes > MAX_PROMPT_BYTES)
    throw new FailureError("too-large", `text ${index} has ${bytes} bytes, at most ${MAX_PROMPT_BYTES}`);
  return bytes;
}

/**
 * Texts in tasks of moderate size: enough of them that every provider has some, and that one that leaves loses little.
 * @throws FailureError as a text is not to be embedded
 */
export function batchesOf(texts: readonly string[], providers: number): readonly Batch[] {
  const share = Math.ceil(texts.length / (providers * EMBED_TASKS_PER_PROVIDER));
  const most = Math.min(MAX_EMBED_TEXTS, EMBED_TASK_TEXTS, Math.max(1, share));
  const batches: { first: number; texts: string[] }[] = [];
  let bytes = Infinity;
  for (const [index, text] of texts.entries()) {
    const length = checkText(text, index);
    const last = batches.at(-1);
    bytes += length;
    if (last === undefined || last.texts.length >= most || bytes > EMBED_TASK_BYTES) {
      batches.push({ first: index, texts: [text] });
      bytes = length;
    } else last.texts.push(text);
  }
  return batches;
}

export function encodeBatch({ texts }: Batch): Uint8Array {
  return encodeModelData<EmbedInput>(embedInputSchema, { texts: texts.map((text) => text.toWellFormed()) });
}

/** The vectors of a batch. */
export interface BatchVectors {
  readonly vectors: readonly Int16Array[];
  readonly tokens: readonly number[];
}

function nonsense(what: string): FailureError {
  return new FailureError("content-mismatch", `the vectors of a model: ${what}`);
}

function vectorsOf({ dimensions, vectors, tokens }: EmbedOutput): readonly Int16Array[] {
  const view = new DataView(vectors.buffer, vectors.byteOffset, vectors.byteLength);
  return tokens.map((_, text) =>
    Int16Array.from({ length: dimensions }, (_value, i) => view.getInt16(2 * (text * dimensions + i), true)),
  );
}

/**
 * Each value is rounded, which moves the end of the vector by √dimensions / 2 at most; twice that passes, for this is to find
 * nonsense and not to judge roundings.
 * @param vector i16 in Q15
 */
export function isUnit(vector: Int16Array): boolean {
  const squares = vector.reduce((sum, value) => sum + value * value, 0);
  return Math.abs(Math.sqrt(squares) - ONE) <= Math.sqrt(vector.length) + CUT;
}

/** @throws FailureError `content-mismatch` for what cannot be the vectors of these texts. */
export function readVectors(manifest: ModelManifest, batch: Batch, output: Uint8Array): BatchVectors {
  let read: EmbedOutput;
  try {
    read = decodeModelData(embedOutputSchema, output);
  } catch (error) {
    if (error instanceof WireError) throw nonsense(error.message);
    throw error;
  }
  const { dimensions, tokens } = read;
  if (dimensions !== manifest.dimensions)
    throw nonsense(`${dimensions} values each, the model has ${manifest.dimensions}`);
  if (tokens.length !== batch.texts.length)
    throw nonsense(`${tokens.length} vectors for ${batch.texts.length} texts`);
  if (tokens.some((count) => count < 1 || count > manifest.context))
    throw nonsense("more or fewer tokens than the model takes in");
  const vectors = vectorsOf(read);
  if (!vectors.every(isUnit)) throw nonsense("a vector has not the length 1");
  return { vectors, tokens };
}

/** Drops providers whose vectors cannot be those of the texts, before anything is signed for. */
export function watchVectors(manifest: ModelManifest, batches: readonly Batch[]): TaskWatch {
  return {
    attempt(index, input) {
      return {
        input,
        check(output, { stateHash }) {
          const batch = batches[index];
          if (batch === undefined) return;
          if (stateHash === undefined) throw nonsense("its outcome names no hash of what was computed");
          readVectors(manifest, batch, output);
        },
        leave: () => false,
      };
    },
  };
}
