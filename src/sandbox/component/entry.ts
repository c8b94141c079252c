import { FailureError } from "../../protocol/failure.ts";
import type { ComponentFunction, ComponentPlan } from "./link/plan.ts";
import type { FunctionType, ValueType } from "./types/value-type.ts";

/** How a task's entry is called. */
export type Entry =
  /** A command: standard input in, standard output out. */
  | { readonly kind: "command"; readonly callee: ComponentFunction }
  /** Arguments and result as JSON. */
  | { readonly kind: "json"; readonly callee: ComponentFunction }
  /** The input is the only argument, the output the result, both `list<u8>` as they are. */
  | { readonly kind: "raw"; readonly callee: ComponentFunction };

/** Before the name of an entry: bytes in and out as they are. No name in WIT can begin so. */
const RAW_PREFIX = "raw+";

const COMMAND = /^wasi:cli\/run@0\.2\.\d+#run$/u;

/**
 * The exported function that an entry names: "name", or "interface#name", where the interface's version may be left out.
 * "" is the usual one: `wasi:cli/run` where that is exported, otherwise the only function there is.
 *
 * @throws FailureError `export-missing` when there is none, or it cannot be called from outside
 */
export function findEntry(plan: ComponentPlan, name: string): Entry {
  const raw = name.startsWith(RAW_PREFIX);
  const [found, callee] = find(plan.exports, raw ? name.slice(RAW_PREFIX.length) : name);
  if (COMMAND.test(found)) return { kind: "command", callee };
  const types = [...callee.type.parameters.map(({ type }) => type), callee.type.result];
  if (types.some((type) => type !== undefined && holdsHandle(type)))
    throw new FailureError(
      "export-missing",
      `${found} takes or returns a resource, which cannot leave the component`,
    );
  if (!raw) return { kind: "json", callee };
  if (!passesBytes(callee.type))
    throw new FailureError("export-missing", `${found} does not take and return one list<u8> each`);
  return { kind: "raw", callee };
}

function find(
  exports: ReadonlyMap<string, ComponentFunction>,
  wanted: string,
): readonly [string, ComponentFunction] {
  const exact = exports.get(wanted);
  if (exact !== undefined) return [wanted, exact];
  const matches = [...exports].filter(([name]) => matchesEntry(name, wanted, exports.size));
  const [match] = matches;
  if (match !== undefined && matches.length === 1) return match;
  const names = [...exports.keys()].slice(0, 10).join(", ");
  const what = wanted === "" ? "the entry must be named" : `there is no exported function ${wanted}`;
  throw new FailureError("export-missing", `${what}; exported are: ${names === "" ? "none" : names}`);
}

function matchesEntry(name: string, wanted: string, count: number): boolean {
  if (wanted === "") return count === 1 || COMMAND.test(name);
  return name.replace(/@[^#]*#/u, "#") === wanted;
}

function passesBytes({ parameters, result }: FunctionType): boolean {
  return parameters.length === 1 && isBytes(parameters[0]?.type) && isBytes(result);
}

function isBytes(type: ValueType | undefined): boolean {
  return type?.kind === "list" && type.element.kind === "u8";
}

/** Types share parts, so those seen are not looked at again. */
function holdsHandle(type: ValueType, seen: Set<ValueType> = new Set()): boolean {
  if (seen.has(type)) return false;
  seen.add(type);
  if (type.kind === "own" || type.kind === "borrow") return true;
  if (type.kind === "list") return holdsHandle(type.element, seen);
  const parts = "fields" in type ? type.fields : "cases" in type ? type.cases : [];
  return parts.some((part) => part.type !== undefined && holdsHandle(part.type, seen));
}
