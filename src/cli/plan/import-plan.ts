import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, extname, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { AirError } from "../../plan/air/air-tree.ts";
import { importAir } from "../../plan/air/import-air.ts";
import { checkPlan } from "../../plan/check.ts";
import type { Callee, Plan } from "../../plan/plan.ts";
import { PlanError } from "../../plan/plan-error.ts";
import { printPlan } from "../../plan/plan-text.ts";
import { type Cid, cidOf, isCid, RAW } from "../../protocol/cid.ts";
import { FUNCTION_ABIS, type FunctionAbi, USUAL_ENTRY } from "../../protocol/messages/session.ts";
import { guessAbi } from "../../sdk/make-job.ts";
import { printable } from "../chat/printable.ts";
import { EXIT, type Exit, PlainError, usageError } from "../plain-error.ts";
import { writeAll } from "../write-all.ts";
import { planNote } from "./check-plan.ts";
import { problemLines } from "./read-plan.ts";

/** Programs of Fluence as plans: AIR by ourselves, Aqua through Fluence's own compiler where a person has it. */

export interface ImportFlags {
  readonly bind?: string;
  readonly function?: string;
  readonly name?: string;
  readonly out?: string;
}

/** What a service's function is here. */
interface Binding {
  readonly function: string;
  readonly entry?: string;
  readonly abi?: FunctionAbi;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function abiOf(value: unknown): FunctionAbi | undefined {
  return FUNCTION_ABIS.find((abi) => abi === value);
}

function bindingOf(name: string, value: unknown): Binding {
  const given = typeof value === "string" ? { function: value } : value;
  if (!isRecord(given) || typeof given["function"] !== "string")
    throw usageError(
      `The binding of ${name} names no function.`,
      `For example {"${name}": {"function": "double.wasm"}}`,
    );
  const { function: path, entry, abi } = given;
  const known = abiOf(abi);
  if (abi !== undefined && known === undefined)
    throw usageError(
      `The binding of ${name} has no abi that there is.`,
      `It is one of ${FUNCTION_ABIS.join(", ")}.`,
    );
  return {
    function: path,
    ...(typeof entry === "string" ? { entry } : {}),
    ...(known === undefined ? {} : { abi: known }),
  };
}

async function calleeOf(name: string, value: unknown, folder: string): Promise<Callee> {
  const { function: given, entry, abi } = bindingOf(name, value);
  let cid: Cid;
  let guessed: FunctionAbi = "bytes-1";
  if (isCid(given)) cid = given;
  else {
    const module = new Uint8Array(await readFile(resolve(folder, given)));
    cid = cidOf(RAW, module);
    guessed = guessAbi(module);
  }
  const chosen = abi ?? guessed;
  return { kind: "function", cid, entry: entry ?? USUAL_ENTRY[chosen], abi: chosen, args: [] };
}

/** Functions by "service.name". Paths stand from the file that names them. */
async function bindingsOf(path: string | undefined): Promise<ReadonlyMap<string, Callee>> {
  if (path === undefined) return new Map();
  const text = await readFile(path, "utf8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new PlainError({ what: `${path} is no JSON.`, cause: error });
  }
  if (!isRecord(json)) throw usageError(`${path} is not a list of bindings by "service.function".`);
  const rows = await Promise.all(
    Object.entries(json).map(async ([name, value]): Promise<[string, Callee]> => [
      name,
      await calleeOf(name, value, dirname(path)),
    ]),
  );
  return new Map(rows);
}

interface Compiled {
  readonly functions: Readonly<Record<string, { readonly script: string }>>;
  readonly errors: readonly string[];
}

function isCompiled(value: unknown): value is Compiled {
  return isRecord(value) && isRecord(value["functions"]) && Array.isArray(value["errors"]);
}

/** The compiler of Aqua is no part of Tabmesh. */
const COMPILER = "@fluencelabs/aqua-api";

/** AIR of one function of a program in Aqua. */
async function compileAqua(
  path: string,
  wanted: string | undefined,
): Promise<{ readonly name: string; readonly air: string }> {
  let compiled: unknown;
  try {
    const compiler: unknown = await import(COMPILER);
    const compile: unknown = isRecord(compiler) ? compiler["compileFromPath"] : undefined;
    if (typeof compile !== "function") throw new TypeError("it has no compileFromPath");
    compiled = await compile({ filePath: resolve(path), imports: {}, targetType: "air" });
  } catch (error) {
    throw new PlainError({
      what: `${path} could not be compiled.`,
      why: error instanceof Error ? error.message : String(error),
      advice: `Aqua is compiled by Fluence's own compiler: npm install ${COMPILER}. Or compile it elsewhere and import the AIR.`,
      cause: error,
    });
  }
  if (!isCompiled(compiled)) throw new PlainError({ what: `${path} gave nothing that can be imported.` });
  if (compiled.errors.length > 0)
    throw new PlainError({
      what: `${path} is not right:\n${stripVTControlCharacters(compiled.errors.join("\n"))}`,
    });
  const names = Object.keys(compiled.functions);
  const name = wanted ?? (names.length === 1 ? names[0] : undefined);
  const script = name === undefined ? undefined : compiled.functions[name]?.script;
  if (name === undefined || script === undefined)
    throw usageError(
      wanted === undefined ? `${path} has ${names.length} functions.` : `${path} has no function ${wanted}.`,
      `Choose one with --function: ${names.join(", ")}.`,
    );
  return { name, air: script };
}

function excerpt(text: string, { line, column }: { readonly line: number; readonly column: number }): string {
  const shown = text.split(/\r?\n/u)[line - 1] ?? "";
  return `${String(line).padStart(5)} │ ${shown}\n      │ ${" ".repeat(Math.max(0, column - 1))}↑`;
}

function lower(path: string, name: string, air: string, bound: ReadonlyMap<string, Callee>): Plan {
  try {
    return importAir(air, name, (service, fn) => bound.get(`${service}.${fn}`));
  } catch (error) {
    if (error instanceof PlanError)
      throw new PlainError({ what: problemLines({ ok: false, path, problems: error.problems }).join("\n") });
    if (!(error instanceof AirError)) throw error;
    throw new PlainError({
      what: `${path} does not become a plan.\n\n  ${error.message}\n${excerpt(air, error)}`,
      advice:
        "docs/air.md lists what of AIR is supported; --bind FILE says which function each service's function is.",
      cause: error,
    });
  }
}

const PLANS: ReadonlySet<string> = new Set([".yaml", ".yml", ".json", ".ts", ".mts", ".js", ".mjs"]);

/** @throws PlainError for what is a plan already */
function requireProgram(path: string): void {
  if (!PLANS.has(extname(path).toLowerCase())) return;
  throw usageError(
    `${path} is no program in AIR or Aqua: import makes plans of those two.`,
    `A plan in TypeScript, JSON or YAML is taken as it is: npx tabmesh plan check ${path}. docs/air.md says what of AIR is supported.`,
  );
}

/** Writes a program in AIR or Aqua as a plan. */
export async function importPlan(path: string, flags: ImportFlags): Promise<Exit> {
  requireProgram(path);
  const bound = await bindingsOf(flags.bind);
  const kind = extname(path).toLowerCase();
  const plain = basename(path, extname(path)).replaceAll(/[^A-Za-z0-9_-]+/gu, "-");
  const { name, air } =
    kind === ".aqua"
      ? await compileAqua(path, flags.function)
      : { name: plain, air: await readFile(path, "utf8") };
  const plan = lower(path, flags.name ?? name, air, bound);
  const problems = checkPlan(plan);
  if (problems.length > 0)
    throw new PlainError({ what: problemLines({ ok: false, path, problems }).join("\n") });
  const text = await printPlan(
    plan,
    flags.out !== undefined && extname(flags.out) === ".json" ? "json" : "yaml",
  );
  if (flags.out === undefined) await writeAll(process.stdout, text);
  else {
    await writeFile(flags.out, text);
    await writeAll(process.stderr, printable(`${flags.out}: the plan ${plan.name}, ${planNote(plan)}.\n`));
  }
  return EXIT.ok;
}
