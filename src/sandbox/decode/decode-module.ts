import { MAX_BLOB_BYTES } from "../../protocol/limits.ts";
import { ByteReader, refuseModule } from "./byte-reader.ts";
import { readBodies, readData, readDataCount, readElements } from "./decode-contents.ts";
import {
  readExports,
  readFunctions,
  readGlobals,
  readImports,
  readMemories,
  readStart,
  readTables,
  readTypes,
} from "./decode-declarations.ts";
import type { ByteRange, ModuleShape, ShapeDraft } from "./module-shape.ts";

/** Section ids in the order the file must have them (12, data count, stands before 10, code). */
export const SECTION_ORDER: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/**
 * Reads the structure of a core WASM module within hard limits: section order and sizes, counts, indices, constant
 * expressions, body bounds. Allocates in proportion to the file only. Instructions in bodies are not looked at (that is
 * the scanner's work) and types are not checked (the engine does that before anything runs).
 *
 * @throws FailureError `invalid-module` with what is wrong and where; nothing else
 */
export function decodeModule(bytes: Uint8Array): ModuleShape {
  if (bytes.length > MAX_BLOB_BYTES)
    refuseModule(`the module has ${bytes.length} bytes, more than ${MAX_BLOB_BYTES},`, 0);
  readHeader(bytes);
  const sections = readSections(bytes);
  const draft = emptyDraft();
  for (const id of SECTION_ORDER) {
    const range = sections.get(id);
    if (range === undefined) continue;
    const reader = new ByteReader(bytes, range.start, range.end);
    readSection(id, reader, draft);
    reader.finish(`section ${id}`);
  }
  if (draft.bodies.length !== draft.functionTypes.length - draft.importedFunctions)
    refuseModule("the number of functions and of bodies differ", bytes.length);
  return { bytes, sections, ...draft };
}

function emptyDraft(): ShapeDraft {
  return {
    types: [],
    imports: [],
    functionTypes: new Uint32Array(0),
    importedFunctions: 0,
    tables: [],
    memory: undefined,
    globals: 0,
    namesVectors: false,
    exports: [],
    start: undefined,
    elementSegments: 0,
    dataSegments: 0,
    bodies: [],
  };
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const VERSION = [1, 0, 0, 0];
const COMPONENT = [0x0d, 0, 1, 0];

function readHeader(bytes: Uint8Array): void {
  const has = (expected: readonly number[], at: number): boolean =>
    expected.every((byte, i) => bytes[at + i] === byte);
  if (!has(MAGIC, 0)) refuseModule("this is not a WASM file: the magic number is missing", 0);
  if (has(COMPONENT, 4)) refuseModule("this is a component; profile 1 runs core modules", 4);
  if (!has(VERSION, 4)) refuseModule("unknown version", 4);
}

/** Finds every section and checks order, uniqueness and size. Of custom sections only "name" is kept. */
function readSections(bytes: Uint8Array): Map<number, ByteRange> {
  const sections = new Map<number, ByteRange>();
  const reader = new ByteReader(bytes, 8);
  let place = -1;
  while (reader.at < bytes.length) {
    const at = reader.at;
    const id = reader.u8("section id");
    const size = reader.u32("section size");
    const start = reader.at;
    reader.skip(size, `section ${id}`);
    const range = { start, end: reader.at };
    if (id === SECTION.custom) {
      if (customName(bytes, range) === "name") sections.set(SECTION.custom, range);
      continue;
    }
    const next = SECTION_ORDER.indexOf(id);
    if (id === 13) refuseModule("exceptions: tag section", at);
    if (next < 0) refuseModule(`unknown section ${id}`, at);
    if (next <= place) refuseModule(`section ${id} is repeated or out of order`, at);
    place = next;
    sections.set(id, range);
  }
  return sections;
}

function customName(bytes: Uint8Array, range: ByteRange): string {
  return new ByteReader(bytes, range.start, range.end).name("name of a custom section");
}

function readSection(id: number, reader: ByteReader, draft: ShapeDraft): void {
  switch (id) {
    case SECTION.type:
      return readTypes(reader, draft);
    case SECTION.import:
      return readImports(reader, draft);
    case SECTION.function:
      return readFunctions(reader, draft);
    case SECTION.table:
      return readTables(reader, draft);
    case SECTION.memory:
      return readMemories(reader, draft);
    case SECTION.global:
      return readGlobals(reader, draft);
    case SECTION.export:
      return readExports(reader, draft);
    case SECTION.start:
      return readStart(reader, draft);
    case SECTION.element:
      return readElements(reader, draft);
    case SECTION.dataCount:
      return readDataCount(reader);
    case SECTION.code:
      return readBodies(reader, draft);
    default:
      return readData(reader, draft);
  }
}
