import { failureKind } from "../../protocol/failure-code.ts";
import type { Sandbox, TaskResult } from "../task.ts";
import { requestFor } from "../wat.contract.ts";
import { OUTPUT_BYTES } from "./generate-program.contract.ts";
import { type Program, writeProgram } from "./program.contract.ts";
import { COUNTED, type FuelRules, type Paid, writeReference } from "./reference.contract.ts";

/** What the reference says that a program does. */
interface Expected {
  /** "done", or the names of failures of which one is right: engines do not tell all traps apart. */
  readonly ends: readonly string[];
  readonly memory: Uint8Array;
  readonly fuel: bigint;
}

/** What V8 says when a module that is not metered traps, and which failures that may stand for. */
const RAW_TRAPS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/by zero/u, ["trap-divide-by-zero"]],
  [/^unreachable/u, ["trap-unreachable", "out-of-memory"]],
  [/divide result unrepresentable/u, ["trap-integer-overflow"]],
  [/float unrepresentable/u, ["trap-invalid-conversion"]],
  [/null function or function signature mismatch/u, ["trap-indirect-call"]],
  [/table index is out of bounds/u, ["trap-indirect-call", "trap-table-bounds"]],
  [/table|element/u, ["trap-table-bounds"]],
  [/memory access out of bounds/u, ["trap-memory-bounds"]],
];

/** Fuel that no generated program comes near. */
const PLENTY = 1n << 40n;

function endOfTrap(error: unknown): readonly string[] {
  if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  return RAW_TRAPS.find(([pattern]) => pattern.test(error.message))?.[1] ?? [error.message];
}

function call(exports: WebAssembly.Exports, name: string, ...args: readonly number[]): void {
  const found = exports[name];
  if (typeof found !== "function") throw new TypeError(`there is no function ${name}`);
  Reflect.apply(found, undefined, args);
}

/** Runs a module that counts for itself, without any sandbox. Its start function was made an export. */
function expectedOf(program: Program, rules: FuelRules, paid: Paid): Expected {
  const starts =
    program.start === undefined ? [] : [{ name: "start", kind: 0, index: program.start } as const];
  const counting = { ...program, start: undefined, exports: [...program.exports, ...starts] };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(writeReference(counting, rules, paid)));
  let ends: readonly string[] = ["done"];
  try {
    if (starts.length > 0) call(exports, "start");
    call(exports, "tabmesh_alloc", 0);
    call(exports, "tabmesh_run", 1024, 0);
  } catch (error) {
    ends = endOfTrap(error);
  }
  const { memory } = exports;
  const counted = exports[COUNTED];
  if (!(memory instanceof WebAssembly.Memory && counted instanceof WebAssembly.Global))
    throw new TypeError("the reference lacks its memory or its counter");
  return { ends, memory: new Uint8Array(memory.buffer, 0, OUTPUT_BYTES), fuel: BigInt(counted.value) };
}

function endOf(result: TaskResult): string {
  return result.kind === "done" ? "done" : failureKind(result.code).name;
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return at;
  return -1;
}

/**
 * Runs a program as its own reference, and in a sandbox with plenty of fuel, with just enough, and with one less.
 * @returns what differs; undefined when nothing does. How it ended is passed to `seen`.
 */
export async function findDifference(
  sandbox: Sandbox,
  program: Program,
  rules: FuelRules,
  seen: (end: string) => void,
): Promise<string | undefined> {
  const expected = expectedOf(program, rules, "blocks");
  const counted = expectedOf(program, rules, "instructions");
  if (expected.ends.includes("done") && counted.fuel !== expected.fuel)
    return `takes ${counted.fuel} fuel by its instructions and ${expected.fuel} by its blocks`;
  await sandbox.forget("f");
  const loaded = await sandbox.load("f", writeProgram(program));
  if (loaded.kind === "failed") return `was refused: ${loaded.detail}`;
  const run = (fuel: bigint): Promise<TaskResult> => {
    const base = requestFor("bytes-1");
    return sandbox.run({ ...base, limits: { ...base.limits, fuel } });
  };
  const result = await run(PLENTY);
  const end = endOf(result);
  seen(end);
  if (!expected.ends.includes(end)) return `ended with ${end} instead of ${expected.ends.join(" or ")}`;
  if (result.kind === "done") {
    const at = firstDifference(expected.memory, result.output);
    if (at >= 0) return `left ${result.output[at]} instead of ${expected.memory[at]} at ${at} of its memory`;
  }
  if (result.fuel !== expected.fuel)
    return `took ${result.fuel} fuel instead of ${expected.fuel} and ended with ${end}`;
  const enough = await run(expected.fuel);
  if (endOf(enough) !== end || enough.fuel !== expected.fuel)
    return `with just enough fuel, ${expected.fuel}, it ended with ${endOf(enough)} and took ${enough.fuel}`;
  if (expected.fuel === 0n) return undefined;
  const short = await run(expected.fuel - 1n);
  if (endOf(short) !== "out-of-fuel" || short.fuel !== expected.fuel - 1n)
    return `with one fuel less than ${expected.fuel} it ended with ${endOf(short)} and took ${short.fuel}`;
  return undefined;
}
