import { isCid } from "../../protocol/cid.ts";
import { isFailureCode } from "../../protocol/failure-code.ts";
import type { Abi } from "../task.ts";
import { type Feature, FEATURES } from "./features.ts";
import type { InspectedImport, Inspection, Reason } from "./inspect-module.ts";
import type { InterfaceFit } from "./interfaces.ts";
import type {
  ModuleOutline,
  OutlineExport,
  OutlineImport,
  OutlineKind,
  OutlineLimits,
} from "./module-outline.ts";

/**
 * An inspection as the owner of a thread reads it. What is in it comes from a stranger's file, so texts are cut and lists
 * have an end; what has another shape is no inspection at all.
 */

/** Names in a module may have any length; more of one is not shown to anybody. */
const MAX_TEXT = 2_000;
/** Imports, exports, reasons: a toolchain's largest programs have some hundreds. */
const MAX_LISTED = 10_000;

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}

function oneOf<const T extends string>(value: unknown, known: readonly T[]): T | undefined {
  return known.find((each) => each === value);
}

function readText(value: unknown): string | undefined {
  return typeof value === "string" ? value.slice(0, MAX_TEXT) : undefined;
}

function readList<T>(value: unknown, read: (item: unknown) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const all: T[] = [];
  for (const each of value.slice(0, MAX_LISTED)) {
    const item = read(each);
    if (item === undefined) return undefined;
    all.push(item);
  }
  return all;
}

const ABIS: readonly Abi[] = ["wasi-p1", "bytes-1", "component-1"];
const OUTLINE_KINDS: readonly OutlineKind[] = [
  "function",
  "table",
  "memory",
  "global",
  "tag",
  "instance",
  "component",
  "type",
];

function readAbi(value: unknown): Abi | undefined {
  return oneOf(value, ABIS);
}

function readFeature(value: unknown): Feature | undefined {
  return oneOf(value, FEATURES);
}

function readReason(value: unknown): Reason | undefined {
  if (!isRecord(value)) return undefined;
  const { code } = value;
  const [name, detail] = [readText(value["name"]), readText(value["detail"])];
  return typeof code === "number" && isFailureCode(code) && name !== undefined && detail !== undefined
    ? { code, name, detail }
    : undefined;
}

function readExport(value: unknown): OutlineExport | undefined {
  if (!isRecord(value)) return undefined;
  const [name, type] = [readText(value["name"]), readText(value["type"])];
  const kind = oneOf(value["kind"], OUTLINE_KINDS);
  return name === undefined || type === undefined || kind === undefined ? undefined : { name, type, kind };
}

function readImport(value: unknown): OutlineImport | undefined {
  const named = readExport(value);
  const module = isRecord(value) ? readText(value["module"]) : undefined;
  return named === undefined || module === undefined ? undefined : { module, ...named };
}

function readInspectedImport(value: unknown): InspectedImport | undefined {
  const each = readImport(value);
  const abis = isRecord(value) ? readList(value["abis"], readAbi) : undefined;
  return each === undefined || abis === undefined ? undefined : { ...each, abis };
}

function readLimits(value: unknown): OutlineLimits | undefined {
  if (!isRecord(value)) return undefined;
  const { imported, minimum, maximum } = value;
  if (typeof imported !== "boolean" || !isCount(minimum)) return undefined;
  return { imported, minimum, ...(isCount(maximum) ? { maximum } : {}) };
}

function readFit(value: unknown): InterfaceFit | undefined {
  if (!isRecord(value)) return undefined;
  const { fits } = value;
  const abi = readAbi(value["abi"]);
  const importProblems = readList(value["importProblems"], readText);
  const exportProblems = readList(value["exportProblems"], readText);
  return abi === undefined ||
    typeof fits !== "boolean" ||
    importProblems === undefined ||
    exportProblems === undefined
    ? undefined
    : { abi, fits, importProblems, exportProblems };
}

function readOutline(value: unknown): ModuleOutline | undefined {
  if (!isRecord(value)) return undefined;
  const imports = readList(value["imports"], readImport);
  const exports = readList(value["exports"], readExport);
  const memories = readList(value["memories"], readLimits);
  const tables = readList(value["tables"], readLimits);
  const features = readList(value["features"], readFeature);
  if (imports === undefined || exports === undefined || features === undefined) return undefined;
  if (memories === undefined || tables === undefined) return undefined;
  const { functions, importedFunctions, globals, codeBytes, dataBytes, customBytes } = value;
  const { hasStart, hasNames, isComplete, coreModules } = value;
  if (!isCount(functions) || !isCount(importedFunctions) || !isCount(globals)) return undefined;
  if (!isCount(codeBytes) || !isCount(dataBytes) || !isCount(customBytes)) return undefined;
  if (typeof hasStart !== "boolean" || typeof hasNames !== "boolean" || typeof isComplete !== "boolean")
    return undefined;
  const counts = { functions, importedFunctions, globals, codeBytes, dataBytes, customBytes };
  const core = isCount(coreModules) ? { coreModules } : {};
  return { imports, exports, memories, tables, features, ...counts, hasStart, hasNames, isComplete, ...core };
}

/** @returns undefined for what is no inspection. */
export function readInspection(value: unknown): Inspection | undefined {
  if (!isRecord(value)) return undefined;
  const { cid, bytes, meteredBytes } = value;
  const kind = oneOf(value["kind"], ["module", "component", "unknown"]);
  const verdict = oneOf(value["verdict"], ["accepted", "refused"]);
  const reasons = readList(value["reasons"], readReason);
  const outline = readOutline(value["outline"]);
  const imports = readList(value["imports"], readInspectedImport);
  const interfaces = readList(value["interfaces"], readFit);
  if (kind === undefined || verdict === undefined || reasons === undefined) return undefined;
  if (outline === undefined || imports === undefined || interfaces === undefined) return undefined;
  if (typeof cid !== "string" || !isCid(cid) || !isCount(bytes)) return undefined;
  const metered = isCount(meteredBytes) ? { meteredBytes } : {};
  return { cid, bytes, kind, verdict, reasons, outline, imports, interfaces, ...metered };
}
