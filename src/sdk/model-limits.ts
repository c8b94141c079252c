import { MAX_TASK_BYTES } from "../protocol/limits.ts";
import type { JobLimits } from "../protocol/messages/job.ts";
import type { GenerateInput } from "../protocol/messages/model-task.ts";
import type { ModelManifest } from "../protocol/model-manifest.ts";
import { ceilDiv, fuel } from "../protocol/units.ts";
import type { ModelJobOptions } from "./model-options.ts";

/**
 * Bounds of a model's tasks. A requester knows a model's size and not its shape, so these are generous: what is not used is
 * not paid, it is only set aside.
 */

/** Weights of four bits: no file has more weights than this for each of its bytes. */
const WEIGHTS_PER_BYTE = 2n;

/**
 * A model of 48 layers that is all 12·width² weights of layers has a width of √weights / 24; attention costs at a position at most
 * position / width of what the weights cost. Few models are deeper.
 */
const WIDTH_SHARE = 24;

/** Tokens that a template puts around a message, and around the whole. */
const TEMPLATE_TOKENS = 32;

/** Of a token in a segment: its number, its text, and the hash of its position, with room for what stands around them. */
const OUTPUT_BYTES_PER_TOKEN = 256;
const OUTPUT_BYTES: number = 64 * 1024;

/** Fuel that a provider of moderate speed burns in a second, and time to begin with whatever else it does. */
const LEAST_FUEL_PER_SECOND = 2_000_000_000n;
const BEGIN_MS = 60_000;

/** Multiply-adds of `positions` positions at most, from the first on. */
function mostFuel({ size }: ModelManifest, positions: number): bigint {
  const weights = WEIGHTS_PER_BYTE * BigInt(size);
  const width = BigInt(Math.max(16, Math.floor(Math.sqrt(size) / WIDTH_SHARE)));
  const count = BigInt(positions);
  return weights * (count + ceilDiv(count * count, 2n * width));
}

function limits(
  manifest: ModelManifest,
  most: bigint,
  output: number,
  options: Pick<ModelJobOptions, "fuel" | "outputBytes" | "deadlineMs">,
): JobLimits {
  const limit = options.fuel ?? most;
  return {
    fuel: fuel(limit),
    memory: manifest.memory,
    output: Math.min(MAX_TASK_BYTES, options.outputBytes ?? output),
    deadlineMs: options.deadlineMs ?? BEGIN_MS + Number(ceilDiv(limit * 1_000n, LEAST_FUEL_PER_SECOND)),
  };
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** No tokenizer has more tokens than a text has bytes, but for a few that begin and end it. */
function mostPositions({ context }: ModelManifest, { text, messages, maxTokens }: GenerateInput): number {
  const bytes =
    messages === undefined
      ? utf8Length(text ?? "") + TEMPLATE_TOKENS
      : messages.reduce((sum, { content }) => sum + utf8Length(content) + TEMPLATE_TOKENS, TEMPLATE_TOKENS);
  return Math.min(context, bytes + maxTokens);
}

/** Of a text to be written. */
export function generateLimits(
  manifest: ModelManifest,
  input: GenerateInput,
  options: ModelJobOptions,
): JobLimits {
  const positions = mostPositions(manifest, input);
  const output = OUTPUT_BYTES + OUTPUT_BYTES_PER_TOKEN * positions;
  return limits(manifest, mostFuel(manifest, positions), output, options);
}

/** Of texts whose vectors are wanted: of the task that has most to do, and of the one with most texts. */
export function embedLimits(
  manifest: ModelManifest,
  tasks: readonly (readonly string[])[],
  options: ModelJobOptions,
): JobLimits {
  const fuelOf = (text: string): bigint =>
    mostFuel(manifest, Math.min(manifest.context, utf8Length(text) + TEMPLATE_TOKENS));
  const each = tasks.map((texts) => texts.reduce((sum, text) => sum + fuelOf(text), 0n));
  const most = each.reduce((largest, one) => (one > largest ? one : largest), 0n);
  const texts = tasks.reduce((largest, { length }) => Math.max(largest, length), 0);
  const output = OUTPUT_BYTES + texts * (2 * manifest.dimensions + 16);
  return limits(manifest, most, output, options);
}
