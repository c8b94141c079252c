import { MAX_MODEL_POSITIONS, MAX_STOP_TEXTS } from "../../protocol/limits.ts";
import type { TextRequest } from "./gateway-requester.ts";
import type { RequestFields } from "./request-fields.ts";

/** Texts that end an answer, in UTF-8 bytes each: what a task's input holds. */
const MAX_STOP_BYTES = 256;
const SEED_BYTES = 32;

/** How drawing and ending go, which conversations and plain texts have in common. */
export type TextParameters = Pick<TextRequest, "temperature" | "topK" | "topP" | "seed" | "stop">;

function isZero(value: unknown): boolean {
  return value === 0;
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/** 32 bytes that drawing follows from: a whole number, least significant byte first, and zeros, as `tabmesh` takes it. */
function seedOf(fields: RequestFields): Uint8Array | undefined {
  const seed = fields.whole("seed", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (seed === undefined) return undefined;
  const bytes = new Uint8Array(SEED_BYTES);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(seed), true);
  return bytes;
}

function stopOf(fields: RequestFields): readonly string[] {
  const value = fields.take("stop") ?? [];
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (texts.length > MAX_STOP_TEXTS) fields.fail("stop", `has more than ${MAX_STOP_TEXTS} texts.`);
  return texts.map((text) =>
    typeof text === "string" && text !== "" && Buffer.byteLength(text) <= MAX_STOP_BYTES
      ? text
      : fields.fail("stop", `has to be texts of 1 to ${MAX_STOP_BYTES} bytes.`),
  );
}

/** Reads what both have, and refuses by name what would change the answer and is not there. */
export function readTextParameters(fields: RequestFields): TextParameters {
  const n = fields.whole("n", 1, 128) ?? 1;
  if (n !== 1) fields.fail("n", "has to be 1: one answer for each request.", "unsupported_value");
  for (const name of ["frequency_penalty", "presence_penalty"]) fields.refuseUnless(name, isZero);
  fields.refuseUnless("logit_bias", isEmpty);
  // Who asks, and how requests are filed: nothing of the answer depends on it.
  fields.pass("user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "metadata");
  const seed = seedOf(fields);
  return {
    temperature: fields.number("temperature", 1, 0, 2),
    topP: fields.number("top_p", 1, 0, 1),
    topK: fields.whole("top_k", 0, 2 ** 24) ?? 0,
    stop: stopOf(fields),
    ...(seed === undefined ? {} : { seed }),
  };
}

/** @param name of the field. */
export function readMaxTokens(fields: RequestFields, name: string): number | undefined {
  return fields.whole(name, 1, MAX_MODEL_POSITIONS);
}
