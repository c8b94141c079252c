import { cidFromDigest, RAW } from "../../protocol/cid.ts";
import { failureCode, failureKind } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { ACCEPTED_PROFILES } from "../../relay/jobs/check-job.ts";
import type { ThreadEnd } from "../../relay/threads/sandbox-threads.ts";
import { explain, explanationText } from "../explain.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { bytesText, fuelText } from "../quantities.ts";
import type { LocalFunction } from "./local-task.ts";

/** What a dry run says of one task. */

const CANCELLED: ReadonlySet<number> = new Set((["cancelled", "not-started"] as const).map(failureCode));
const MICROSECONDS = 1_000;

export function exitOfTask({ result }: ThreadEnd): Exit {
  if (result.kind === "done") return EXIT.ok;
  return CANCELLED.has(result.code) ? EXIT.interrupted : EXIT.failed;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function rounded(ms: number): number {
  return Math.round(ms * MICROSECONDS) / MICROSECONDS;
}

function outputJson({ result }: ThreadEnd): Readonly<Record<string, unknown>> {
  if (result.kind === "failed") return { outputBytes: null, outputSha256: null, outputCid: null };
  return {
    outputBytes: result.output.length,
    outputSha256: hex(result.outputSha256),
    outputCid: cidFromDigest(RAW, result.outputSha256),
  };
}

/** Fuel is a decimal string, as everywhere; null where nobody knows it, as after a deadline. */
export function taskJson(end: ThreadEnd, { abi, cid }: LocalFunction): Readonly<Record<string, unknown>> {
  const { result, isFuelKnown, loadMs, runMs } = end;
  const { code, detail, stack } = result.kind === "failed" ? result : {};
  const failure =
    code === undefined
      ? null
      : { code, name: failureKind(code).name, detail, ...(stack === undefined ? {} : { stack }) };
  return {
    ok: result.kind === "done",
    exit: exitOfTask(end),
    outcome: result.kind,
    failure,
    fuel: isFuelKnown ? result.fuel.toString() : null,
    peakMemoryBytes: result.peakMemoryBytes ?? null,
    timeMs: { load: rounded(loadMs), run: rounded(runMs) },
    ...outputJson(end),
    stderr: new TextDecoder().decode(result.stderr),
    profile: ACCEPTED_PROFILES[0],
    abi,
    cid,
  };
}

function totalsText({ result, isFuelKnown, loadMs, runMs }: ThreadEnd): string {
  const { peakMemoryBytes } = result;
  return [
    ...(isFuelKnown ? [fuelText(result.fuel)] : []),
    ...(peakMemoryBytes === undefined ? [] : [`${bytesText(peakMemoryBytes)} of memory`]),
    ...(result.kind === "done" ? [`${bytesText(result.output.length)} of output`] : []),
    `${loadMs.toFixed(1)} ms to load and ${runMs.toFixed(1)} ms to run`,
  ].join(", ");
}

/** Lines for standard error: what it took, or why it failed and where. */
export function taskText(end: ThreadEnd): string {
  const { result } = end;
  if (result.kind === "done") return `Done here: ${totalsText(end)}.\n`;
  const stack = (result.stack ?? []).map((frame) => `  at:  ${frame}\n`).join("");
  const told = explanationText(explain(new FailureError(result.code, result.detail)));
  return `${told}${stack}  all: ${totalsText(end)}\n`;
}
