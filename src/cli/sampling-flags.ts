import { type Command, Option } from "commander";
import type { GenerateRequest } from "../sdk/index.ts";
import { usageError } from "./plain-error.ts";
import { parseCount } from "./quantities.ts";

/** How a text is drawn, on the command line. */

/** A decimal with three places at most, as thousandths. @throws PlainError for anything else, or above `most` */
function parseThousandths(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]+(\.[0-9]{1,3})?$/u.test(text) || value > most)
      throw usageError(`"${text}" is not a number from 0 to ${most} with three decimals at most.`);
    return Math.round(value * 1_000);
  };
}

/** A whole number, or 32 bytes as hexadecimal digits. @throws PlainError for anything else */
function parseSeed(text: string): Uint8Array {
  if (!/^([0-9a-f]{64}|[0-9]{1,15})$/iu.test(text))
    throw usageError(`"${text}" is neither a whole number nor 64 hexadecimal digits.`);
  if (text.length === 64) return new Uint8Array(Buffer.from(text, "hex"));
  const seed = Buffer.alloc(32);
  seed.writeBigUInt64LE(BigInt(text));
  return new Uint8Array(seed);
}

/** @throws InvalidArgumentError. */
function parseTopK(text: string): number {
  return text === "0" ? 0 : parseCount(text);
}

export interface SamplingFlags {
  readonly maxTokens: number;
  /** Thousandths. */
  readonly temperature: number;
  readonly topK: number;
  /** Thousandths. */
  readonly topP: number;
  readonly seed?: Uint8Array;
  readonly stop: readonly string[];
}

/** @param mostTokens if the person names no number */
export function addSamplingFlags(command: Command, mostTokens: number): Command {
  const topP = new Option("--top-p <p>", "draw from the most likely that make up this share");
  const stop = new Option("--stop <text...>", "end before this text");
  return command
    .option("--max-tokens <n>", "tokens to write at most", parseCount, mostTokens)
    .option(
      "--temperature <t>",
      "0 takes the most likely token, more draws more freely",
      parseThousandths(100),
      0,
    )
    .option("--top-k <n>", "draw from the n most likely only; 0 for all", parseTopK, 0)
    .addOption(topP.argParser(parseThousandths(1)).default(1_000, "1"))
    .option("--seed <n>", "whole number or 64 hexadecimal digits; drawn if absent", parseSeed)
    .addOption(stop.default([], "none"));
}

export function samplingOf(flags: SamplingFlags): Omit<GenerateRequest, "text" | "messages"> {
  const { maxTokens, temperature, topK, topP, seed, stop } = flags;
  return {
    maxTokens,
    temperature: temperature / 1_000,
    topK,
    topP: topP / 1_000,
    stop,
    ...(seed === undefined ? {} : { seed }),
  };
}
