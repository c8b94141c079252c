import { isFailureCode } from "../protocol/failure-code.ts";
import type { LoadResult, TaskDone, TaskFailed, TaskResult } from "./task.ts";
import type { ThreadAnswer } from "./thread-message.ts";

/**
 * What a thread says, read by its owner. A thread holds the code of strangers; should one of them ever speak through it,
 * it still cannot hand the owner a value of another shape.
 */

const MAX_DETAIL = 2_000;

/** @returns undefined for anything that is no message of a thread. */
export function readAnswer(data: unknown): ThreadAnswer | undefined {
  if (!isRecord(data)) return undefined;
  const { kind, call, value, reason } = data;
  if (kind === "up") return { kind };
  if (typeof call !== "number") return undefined;
  if (kind === "answer") return { kind, call, value };
  return kind === "broken" && typeof reason === "string"
    ? { kind, call, reason: reason.slice(0, MAX_DETAIL) }
    : undefined;
}

export function readLoadResult(value: unknown): LoadResult | undefined {
  if (!isRecord(value)) return undefined;
  const { kind, meteredBytes, minimumMemoryBytes, code, detail } = value;
  if (kind === "loaded" && isCount(meteredBytes) && isCount(minimumMemoryBytes))
    return { kind, meteredBytes, minimumMemoryBytes };
  return kind === "failed" && isNumber(code) && isFailureCode(code) && typeof detail === "string"
    ? { kind, code, detail: detail.slice(0, MAX_DETAIL) }
    : undefined;
}

/** Results of exactly so many tasks. */
export function readResults(value: unknown, count: number): readonly TaskResult[] | undefined {
  if (!Array.isArray(value) || value.length !== count) return undefined;
  const results = value.map(readResult).filter((result) => result !== undefined);
  return results.length === count ? results : undefined;
}

function readResult(value: unknown): TaskResult | undefined {
  if (!isRecord(value)) return undefined;
  return value["kind"] === "done" ? readDone(value) : readFailed(value);
}

/** Bounds of a stack trace as it is shown. */
const MAX_FRAMES = 100;

function readPeak({ peakMemoryBytes }: Fields): { readonly peakMemoryBytes?: number } {
  return isCount(peakMemoryBytes) ? { peakMemoryBytes } : {};
}

function readStack({ stack }: Fields): { readonly stack?: readonly string[] } {
  if (!Array.isArray(stack)) return {};
  const calls = stack.slice(0, MAX_FRAMES).filter((call) => typeof call === "string");
  return { stack: calls.map((call) => call.slice(0, MAX_DETAIL)) };
}

function readDone(value: Fields): TaskDone | undefined {
  const { output, fuel, stderr, inputSha256, outputSha256 } = value;
  return isFuel(fuel) && isBytes(output) && isBytes(stderr) && isDigest(inputSha256) && isDigest(outputSha256)
    ? { kind: "done", output, fuel, stderr, inputSha256, outputSha256, ...readPeak(value) }
    : undefined;
}

function readFailed(value: Fields): TaskFailed | undefined {
  const { kind, code, detail, fuel, stderr, inputSha256 } = value;
  if (kind !== "failed" || !isNumber(code) || !isFailureCode(code) || typeof detail !== "string")
    return undefined;
  if (!isFuel(fuel) || !isBytes(stderr)) return undefined;
  const failed = {
    kind,
    code,
    detail: detail.slice(0, MAX_DETAIL),
    fuel,
    stderr,
    ...readPeak(value),
    ...readStack(value),
  } as const;
  return isDigest(inputSha256) ? { ...failed, inputSha256 } : failed;
}

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isFuel(value: unknown): value is bigint {
  return typeof value === "bigint" && value >= 0n;
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

/** SHA-256. */
function isDigest(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === 32;
}
