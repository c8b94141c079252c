import { type Cid, cidFromDigest, RAW } from "../../protocol/cid.ts";
import { failureKind } from "../../protocol/failure-code.ts";
import type { TaskArgs, TaskRequest, TaskResult, Trial } from "../../provider/workbench.ts";
import type { JobOptions } from "../../sdk/index.ts";
import { guessAbi, JOB_DEFAULTS } from "../../sdk/make-job.ts";
import { printable } from "./jobs-output.ts";
import type { Measured } from "./jobs-settings.ts";

/** A dry run is the same every time: clock and randomness follow from zeros. */
export const DRY_SEED: Uint8Array = new Uint8Array(32);

export interface FunctionFile {
  readonly cid: Cid;
  readonly module: Uint8Array;
}

/** A task as a provider would run it: what holds here holds there. */
export function trialOf(
  { cid, module }: FunctionFile,
  options: JobOptions,
  input: Uint8Array,
  seed: Uint8Array,
): Trial {
  const { args = [], env = {}, files = [], inputFile, outputFile } = options;
  const shared: TaskArgs = {
    args,
    env,
    files,
    ...(inputFile === undefined ? {} : { inputFile }),
    ...(outputFile === undefined ? {} : { outputFile }),
  };
  const request: TaskRequest = {
    function: { cid, abi: options.abi ?? guessAbi(module), entry: options.entry ?? "" },
    args: shared,
    // Given away: the caller keeps its own.
    input: new Uint8Array(input),
    seed,
    limits: {
      fuel: options.fuel ?? JOB_DEFAULTS.fuel,
      memoryBytes: options.memoryBytes ?? JOB_DEFAULTS.memoryBytes,
      outputBytes: options.outputBytes ?? JOB_DEFAULTS.outputBytes,
    },
  };
  return { request, module, deadlineMs: options.deadlineMs ?? JOB_DEFAULTS.deadlineMs };
}

/** What a provider signed for a task. */
export type Signed =
  | { readonly kind: "done"; readonly outputCid: string; readonly fuel: bigint }
  | { readonly kind: "failed"; readonly code: number; readonly fuel: bigint };

/** Whether what was computed here is what a provider signed: the same output or failure, for the same fuel. */
export function isSame(result: TaskResult, signed: Signed): boolean {
  if (result.fuel !== signed.fuel) return false;
  if (result.kind === "failed") return signed.kind === "failed" && result.code === signed.code;
  return signed.kind === "done" && cidFromDigest(RAW, result.outputSha256) === signed.outputCid;
}

/** Adds what one more input told. A failure that is this machine's own tells nothing. */
export function measuredWith(before: Measured | undefined, result: TaskResult): Measured | undefined {
  if (result.kind === "failed" && failureKind(result.code).pay !== "fuel") return before;
  const known = before ?? { samples: 0, failed: 0, fuel: 0n, mostFuel: 0n, outputBytes: 0 };
  const isFailed = result.kind === "failed";
  return {
    samples: known.samples + 1,
    failed: known.failed + (isFailed ? 1 : 0),
    fuel: known.fuel + result.fuel,
    mostFuel: result.fuel > known.mostFuel ? result.fuel : known.mostFuel,
    outputBytes: known.outputBytes + (isFailed ? 0 : result.output.length),
  };
}

/** Further inputs that are tried, so that the price does not hang on one. */
const MORE_SAMPLES = 4;

/** Places of further inputs, evenly spread. @param first the one that was tried already */
export function samplePlaces(count: number, first: number): readonly number[] {
  const places = Array.from({ length: MORE_SAMPLES }, (_, k) =>
    Math.floor(((k + 0.5) * count) / MORE_SAMPLES),
  );
  return [...new Set(places)].filter((place) => place !== first);
}

/** Of a program's standard error so much is shown. */
const SHOWN_LOG: number = 16 * 1024;

/** The words a program wrote to its standard error. */
export function logOf({ stderr }: Pick<TaskResult, "stderr">): string {
  return printable(new TextDecoder().decode(stderr.subarray(0, SHOWN_LOG)).trimEnd());
}
