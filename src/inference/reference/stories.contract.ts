/* The stories260K checkpoint (llama2.c) in the folder beside the repository: a real model small enough for every test. */
import { existsSync, readFileSync } from "node:fs";
import { type FloatLlama } from "../convert/float-llama.ts";
import { readLlama2c } from "../convert/llama2c.ts";

const MODELS = new URL("../../../../shared/models/", import.meta.url);
const CHECKPOINT = new URL("stories260K.bin", MODELS);
const TOKENS = new URL("tok512.bin", MODELS);

export const HAS_STORIES: boolean = existsSync(CHECKPOINT) && existsSync(TOKENS);
/** What to print where the tests are left out. */
export const NO_STORIES = "skipped: the stories260K checkpoint is not beside the repository";

export function storiesModel(): FloatLlama {
  return readLlama2c(readFileSync(CHECKPOINT));
}

/** Bytes of the token file: u32 longest, then per token f32 score, i32 length, bytes. */
export function storiesTokens(): Uint8Array {
  return readFileSync(TOKENS);
}

/** The text of each token, bytes written as <0x0A> spelled out. */
export function storiesVocabulary(): readonly string[] {
  const bytes = readFileSync(TOKENS);
  const tokens: string[] = [];
  for (let at = 4; at < bytes.length;) {
    const length = bytes.readInt32LE(at + 4);
    const text = bytes.subarray(at + 8, at + 8 + length).toString();
    tokens.push(
      text.replace(/^<0x([0-9A-F]{2})>$/, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    );
    at += 8 + length;
  }
  return tokens;
}
