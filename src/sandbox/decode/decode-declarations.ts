import {
  MAX_ENTRIES,
  MAX_FUNCTIONS,
  MAX_IMPORTS,
  MAX_MEMORY_PAGES,
  MAX_PARAMETERS,
  MAX_TABLE_ENTRIES,
  MAX_TABLES,
  MAX_TYPES,
} from "../limits.ts";
import { type ByteReader, refuseModule } from "./byte-reader.ts";
import { readConstant } from "./constant.ts";
import type { ExternalKind, ShapeDraft } from "./module-shape.ts";
import { readLimits, readReferenceType, readValueType, TYPE } from "./value-types.ts";

export function readTypes(reader: ByteReader, draft: ShapeDraft): void {
  const count = reader.count("types", MAX_TYPES);
  for (let i = 0; i < count; i += 1) {
    const at = reader.at;
    const form = reader.u8("form of a type");
    if (form !== TYPE.function) refuseModule(`type form 0x${form.toString(16)} is not part of profile 1`, at);
    const parameters = readTypeList(reader, "parameters", draft);
    draft.types.push({ parameters, results: readTypeList(reader, "results", draft) });
  }
}

function readTypeList(reader: ByteReader, what: string, draft: ShapeDraft): Uint8Array {
  const count = reader.count(what, MAX_PARAMETERS);
  const start = reader.at;
  for (let i = 0; i < count; i += 1)
    if (readValueType(reader, "value type") === TYPE.v128) draft.namesVectors = true;
  return reader.bytes.subarray(start, reader.at);
}

export function readImports(reader: ByteReader, draft: ShapeDraft): void {
  const count = reader.count("imports", MAX_IMPORTS);
  const functionTypes: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const module = reader.name("module name of an import");
    const name = reader.name("name of an import");
    const kind = readKind(reader);
    let typeIndex = -1;
    if (kind === "function") {
      typeIndex = reader.index("type", draft.types.length);
      functionTypes.push(typeIndex);
    } else if (kind === "table") readTable(reader, draft, true);
    else if (kind === "memory") readMemory(reader, draft, true);
    else {
      readGlobalType(reader, draft);
      draft.globals += 1;
    }
    draft.imports.push({ module, name, kind, typeIndex });
  }
  draft.functionTypes = Uint32Array.from(functionTypes);
  draft.importedFunctions = functionTypes.length;
}

const KINDS: readonly ExternalKind[] = ["function", "table", "memory", "global"];

function readKind(reader: ByteReader): ExternalKind {
  const at = reader.at;
  const byte = reader.u8("kind of an import or export");
  if (byte === 4) refuseModule("exceptions: tag", at);
  return KINDS[byte] ?? refuseModule(`unknown kind ${byte} of import or export`, at);
}

export function readFunctions(reader: ByteReader, draft: ShapeDraft): void {
  const count = reader.count("functions", MAX_FUNCTIONS - draft.importedFunctions);
  const all = new Uint32Array(draft.importedFunctions + count);
  all.set(draft.functionTypes);
  for (let i = 0; i < count; i += 1)
    all[draft.importedFunctions + i] = reader.index("type", draft.types.length);
  draft.functionTypes = all;
}

export function readTables(reader: ByteReader, draft: ShapeDraft): void {
  const count = reader.count("tables", MAX_TABLES);
  for (let i = 0; i < count; i += 1) readTable(reader, draft, false);
}

function readTable(reader: ByteReader, draft: ShapeDraft, imported: boolean): void {
  const at = reader.at;
  const elementType = readReferenceType(reader, "type of a table");
  const { minimum, maximum } = readLimits(reader, "a table");
  draft.tables.push({ imported, elementType, minimum, maximum });
  if (draft.tables.length > MAX_TABLES) refuseModule(`more than ${MAX_TABLES} tables`, at);
  const total = draft.tables.reduce((sum, table) => sum + table.minimum, 0);
  if (total > MAX_TABLE_ENTRIES)
    refuseModule(`tables with ${total} entries, more than ${MAX_TABLE_ENTRIES},`, at);
}

export function readMemories(reader: ByteReader, draft: ShapeDraft): void {
  const count = reader.count("memories", 1);
  for (let i = 0; i < count; i += 1) readMemory(reader, draft, false);
}

function readMemory(reader: ByteReader, draft: ShapeDraft, imported: boolean): void {
  const at = reader.at;
  const { minimum, maximum } = readLimits(reader, "a memory");
  if (draft.memory !== undefined) refuseModule("several memories are not part of profile 1", at);
  if (minimum > MAX_MEMORY_PAGES)
    refuseModule(`a memory of ${minimum} pages, more than ${MAX_MEMORY_PAGES},`, at);
  if (maximum !== undefined && maximum > 65_536) refuseModule("a memory's maximum above 65,536 pages", at);
  draft.memory = { imported, minimumPages: minimum, maximumPages: maximum };
}

function readGlobalType(reader: ByteReader, draft: ShapeDraft): void {
  if (readValueType(reader, "type of a global") === TYPE.v128) draft.namesVectors = true;
  const at = reader.at;
  if (reader.u8("mutability of a global") > 1) refuseModule("unknown mutability of a global", at);
}

export function readGlobals(reader: ByteReader, draft: ShapeDraft): void {
  const count = reader.count("globals", MAX_ENTRIES);
  for (let i = 0; i < count; i += 1) {
    readGlobalType(reader, draft);
    readConstant(reader, draft);
    draft.globals += 1;
  }
}

/** Exports beginning so are the rewriter's own, unless they name a function of an interface, "tabmesh:x/y#z". */
const RESERVED_PREFIX = "tabmesh:";

export function readExports(reader: ByteReader, draft: ShapeDraft): void {
  const count = reader.count("exports", MAX_ENTRIES);
  const names = new Set<string>();
  for (let i = 0; i < count; i += 1) {
    const at = reader.at;
    const name = reader.name("name of an export");
    if (names.has(name)) refuseModule("an export name is used twice", at);
    if (name.startsWith(RESERVED_PREFIX) && !name.includes("/"))
      refuseModule(`an export uses the reserved prefix ${RESERVED_PREFIX}`, at);
    names.add(name);
    const kind = readKind(reader);
    draft.exports.push({ name, kind, index: reader.index(kind, sizeOf(kind, draft)) });
  }
}

function sizeOf(kind: ExternalKind, draft: ShapeDraft): number {
  switch (kind) {
    case "function":
      return draft.functionTypes.length;
    case "table":
      return draft.tables.length;
    case "memory":
      return draft.memory === undefined ? 0 : 1;
    case "global":
      return draft.globals;
    default:
      return kind satisfies never;
  }
}

export function readStart(reader: ByteReader, draft: ShapeDraft): void {
  const at = reader.at;
  const start = reader.index("start function", draft.functionTypes.length);
  const type = draft.types[draft.functionTypes[start] ?? 0];
  if (type === undefined || type.parameters.length + type.results.length > 0)
    refuseModule("the start function takes or returns values", at);
  draft.start = start;
}
