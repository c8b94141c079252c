import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { checkPlan } from "../../plan/check.ts";
import type { Plan } from "../../plan/plan.ts";
import { planCid } from "../../plan/plan-codec.ts";
import { describeProblem, PlanError, type PlanProblem } from "../../plan/plan-error.ts";
import { type ParsedPlan, parsePlan } from "../../plan/plan-text.ts";
import type { Cid } from "../../protocol/cid.ts";
import { WireError } from "../../protocol/wire-error.ts";
import { PlainError } from "../plain-error.ts";
import { countText } from "../quantities.ts";

/** Plans as files: TypeScript, JSON, YAML, or AIR. */

export interface ReadPlan {
  readonly path: string;
  readonly plan: Plan;
  readonly cid: Cid;
}

/** What came of reading a plan: it, or everything that is wrong with it. */
export type PlanReading =
  | ({ readonly ok: true } & ReadPlan)
  | {
      readonly ok: false;
      readonly path: string;
      readonly problems: readonly PlanProblem[];
      readonly text?: string;
    };

const CODE: ReadonlySet<string> = new Set([".ts", ".mts", ".js", ".mjs"]);
const TEXT: ReadonlySet<string> = new Set([".json", ".yaml", ".yml"]);

function looksLikePlan(value: unknown): value is Plan {
  return (
    typeof value === "object" &&
    value !== null &&
    Reflect.get(value, "v") === 1 &&
    typeof Reflect.get(value, "name") === "string" &&
    typeof Reflect.get(value, "graph") === "object"
  );
}

/** The export `plan`, or the only one that is a plan. */
async function importPlan(path: string): Promise<Plan> {
  let exported: unknown;
  try {
    exported = await import(pathToFileURL(resolve(path)).href);
  } catch (error) {
    if (error instanceof PlanError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new PlainError({ what: `${path} could not be run to make its plan.`, why, cause: error });
  }
  const named: readonly [string, unknown][] =
    typeof exported === "object" && exported !== null ? Object.entries(exported) : [];
  const plans = named.flatMap(([name, value]) => (looksLikePlan(value) ? [{ name, plan: value }] : []));
  const found = plans.find(({ name }) => name === "plan") ?? (plans.length === 1 ? plans[0] : undefined);
  if (found !== undefined) return found.plan;
  throw new PlainError({
    what: plans.length === 0 ? `${path} exports no plan.` : `${path} exports ${plans.length} plans.`,
    ...(plans.length === 0 ? {} : { why: `They are called ${plans.map(({ name }) => name).join(", ")}.` }),
    advice: "Export the one to run under the name plan: export const plan = …",
  });
}

function withPlace(problem: PlanProblem, read: ParsedPlan): PlanProblem {
  return { ...problem, at: read.positionOf(problem) };
}

/** Reads and checks a plan; what is wrong with it is data. @throws PlainError where the file cannot be read at all */
export async function tryPlan(path: string): Promise<PlanReading> {
  const kind = extname(path).toLowerCase();
  if (!CODE.has(kind) && !TEXT.has(kind))
    throw new PlainError({
      what: `${path} is no plan that this command knows.`,
      why: "Plans are TypeScript (.ts, .js), JSON (.json) or YAML (.yaml, .yml).",
      advice:
        kind === ".air"
          ? `Make a plan of it first: npx tabmesh plan import ${path} -o plan.yaml`
          : "Give the file one of these endings.",
    });
  return CODE.has(kind)
    ? checked(path, undefined, async () => ({ plan: await importPlan(path) }))
    : tryPlanText(path, await readFile(path, "utf8"));
}

/** The same for JSON or YAML that is at hand. @param path what to call it */
export function tryPlanText(path: string, text: string): Promise<PlanReading> {
  return checked(path, text, () => parsePlan(text));
}

async function checked(
  path: string,
  text: string | undefined,
  readIt: () => Promise<ParsedPlan | Pick<ParsedPlan, "plan">>,
): Promise<PlanReading> {
  const lines = text === undefined ? {} : { text };
  try {
    const read = await readIt();
    const found = checkPlan(read.plan);
    const problems = "positionOf" in read ? found.map((problem) => withPlace(problem, read)) : found;
    if (problems.length === 0) return { ok: true, path, plan: read.plan, cid: planCid(read.plan) };
    return { ok: false, path, problems, ...lines };
  } catch (error) {
    if (error instanceof PlanError) return { ok: false, path, problems: error.problems, ...lines };
    // A plan that was written by hand in TypeScript may break the bounds of the format.
    if (error instanceof WireError || error instanceof RangeError)
      return { ok: false, path, problems: [{ path: "", message: error.message }] };
    throw error;
  }
}

/** The line of the text that a problem is about, with a mark below its place. */
function excerpt(text: string | undefined, { at }: PlanProblem): readonly string[] {
  const line = at === undefined ? undefined : text?.split(/\r?\n/u)[at.line - 1];
  if (at === undefined || line === undefined) return [];
  const from = Math.max(0, at.column - 60);
  const shown = line.slice(from, from + 100).replaceAll("\t", " ");
  const margin = String(at.line).padStart(5);
  return [`${margin} │ ${shown}`, `      │ ${" ".repeat(at.column - 1 - from)}↑`];
}

/** Problems that are told at a time: the rest is likely to follow from them. */
const MOST_TOLD = 12;

/** All that is wrong with a plan, as lines for a person. */
export function problemLines({
  path,
  problems,
  text,
}: Extract<PlanReading, { ok: false }>): readonly string[] {
  const rest = problems.length - MOST_TOLD;
  const told = problems.slice(0, MOST_TOLD).map((problem) => {
    const lines = ["", `  ${describeProblem(problem)}`, ...excerpt(text, problem)];
    return lines.join("\n");
  });
  if (rest > 0) told.push(`\n  and ${rest} more`);
  return [`${path} is refused: ${countText(problems.length, "problem")}.`, ...told];
}

/** @throws PlainError with everything that is wrong with the plan, or why it cannot be read */
export async function readPlan(path: string): Promise<ReadPlan> {
  return sound(await tryPlan(path));
}

/** @throws PlainError with everything that is wrong with the plan */
export function sound(reading: PlanReading): ReadPlan {
  if (reading.ok) return reading;
  throw new PlainError({
    what: problemLines(reading).join("\n"),
    advice:
      "docs/plan.md says what each node takes; `npx tabmesh plan check` tells this without running anything.",
  });
}
