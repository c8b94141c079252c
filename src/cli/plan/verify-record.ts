import { webcrypto } from "node:crypto";
import { readFile } from "node:fs/promises";
import { decodeRunRecord, type RunRecord } from "../../plan/run-record.ts";
import { type RunCheck, type RunProblem, verifyRun } from "../../plan/verify/verify-run.ts";
import { followEffect } from "./follow-effect.ts";
import { verifierOf } from "../../protocol/ed25519.ts";
import { failureKind } from "../../protocol/failure-code.ts";
import { WireError } from "../../protocol/wire-error.ts";
import { sha256 } from "../../relay/books/native-hash.ts";
import { printable } from "../chat/printable.ts";
import { EXIT, type Exit, PlainError } from "../plain-error.ts";
import { countText } from "../quantities.ts";
import { writeAll } from "../write-all.ts";
import { originLines, recordOrigin } from "./record-words.ts";
import { keptRun } from "./kept-runs.ts";
import type { RunVerdict } from "./run-report.ts";

/** Judges runs by nothing but their records. */

/** Problems and gaps that are told at a time: one change shows in everything that follows from it. */
const MOST_TOLD = 20;

export function checkOf(record: RunRecord): Promise<RunCheck> {
  return verifyRun(record, verifierOf(webcrypto.subtle), sha256, { follow: followEffect });
}

function problemText({ where, iteration, message }: RunProblem): string {
  return printable(`${where}${iteration === "" ? "" : ` (${iteration})`}: ${message}`);
}

function provenText({ steps, peers, unchecked }: RunCheck): string {
  if (steps === 0) return "0 receipts by peers, every step was carried out by whoever coordinated";
  const gap = unchecked.length === 0 ? "" : `, ${countText(unchecked.length, "value")} not at hand`;
  return `${countText(steps, "receipt")} by ${countText(peers.length, "peer")}${gap}`;
}

/** What stands in the last line of a run. */
export async function verdictOn(record: RunRecord): Promise<RunVerdict> {
  const check = await checkOf(record);
  const { ok, problems, peers } = check;
  return { ok, text: provenText(check), problems: problems.map(problemText), peers };
}

/** The record of a run by its file or, for a run that was started here, by its name. @throws PlainError */
export async function readRecord(what: string): Promise<RunRecord> {
  const bytes = (await keptRun(what)) ?? new Uint8Array(await readFile(what));
  try {
    return decodeRunRecord(bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new PlainError({
      what: `${what} is no record of a run.`,
      why: error.message,
      advice: "`npx tabmesh plan run --record FILE` writes one.",
      cause: error,
    });
  }
}

function endText({ status, result, code }: RunCheck): string {
  if (status === "done") return `came to ${result ?? "a result"}`;
  if (status === "open") return "is not over";
  return code === undefined
    ? "failed"
    : `failed: ${failureKind(code).means} [${code} ${failureKind(code).name}]`;
}

function told(lines: readonly RunProblem[]): readonly string[] {
  const rest = lines.length - MOST_TOLD;
  const shown = lines.slice(0, MOST_TOLD).map((line) => `  ${problemText(line)}`);
  return rest > 0 ? [...shown, `  and ${rest} more`] : shown;
}

function checkLines(check: RunCheck, from: readonly string[]): readonly string[] {
  const { ok, run, plan, problems, unchecked } = check;
  const name = plan === undefined ? "" : ` of the plan ${plan.name}`;
  return [
    ok
      ? `Verified: the run${name} ${endText(check)}.`
      : `Does not hold: ${countText(problems.length, "problem")}.`,
    `  run       ${run ?? "unknown"}`,
    ...from,
    `  receipts  ${provenText(check)}`,
    ...(ok
      ? ["  checked   every signature, who signed, what each step was given, and every decision in between"]
      : []),
    ...(problems.length === 0 ? [] : ["", ...told(problems)]),
    ...(unchecked.length === 0 ? [] : ["", "Signed, and not looked at any further:", ...told(unchecked)]),
  ];
}

/** What a check of a run found, for a person and as data. */
export async function judgeRun(what: string): Promise<{
  readonly ok: boolean;
  readonly lines: readonly string[];
  readonly json: Readonly<Record<string, unknown>>;
}> {
  const record = await readRecord(what);
  const check = await checkOf(record);
  const { plan, ...rest } = check;
  const from = recordOrigin(record);
  return {
    ok: check.ok,
    lines: checkLines(check, originLines(from)),
    json: { ...rest, receipts: check.steps, ...from, plan: plan?.name ?? null },
  };
}

/** Verifies a finished run from its receipts alone. */
export async function verifyPlanRun(what: string, flags: { readonly json?: boolean }): Promise<Exit> {
  const { ok, lines, json } = await judgeRun(what);
  await writeAll(
    process.stdout,
    printable(`${flags.json === true ? JSON.stringify(json) : lines.join("\n")}\n`),
  );
  return ok ? EXIT.ok : EXIT.failed;
}
