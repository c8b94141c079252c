import { MAX_BLOB_BYTES } from "../../../protocol/limits.ts";
import { ByteReader, refuseModule } from "../../decode/byte-reader.ts";
import { MAX_COMPONENT_DEPTH, MAX_ITEMS } from "../limits.ts";
import type { ComponentShape, Definition, NamedItem } from "./component-shape.ts";
import { DefinitionBudget } from "./definition-budget.ts";
import { readCanon } from "./read-canon.ts";
import { readAlias, readCoreSort, readExternName, readSortIndex } from "./read-names.ts";
import { readExternType, TypeReader } from "./read-types.ts";

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const VERSION = [0x0d, 0x00];
const LAYER = [0x01, 0x00];
const HEADER = [...MAGIC, ...VERSION, ...LAYER];

/** Whether the bytes begin as a component does; core modules and anything else do not. */
export function isComponent(bytes: Uint8Array): boolean {
  return HEADER.every((byte, i) => bytes[i] === byte);
}

/**
 * Reads the structure of a component within hard limits. Indices are not looked up (that is the linker's work); core
 * modules within are given as ranges and not looked into.
 *
 * @throws FailureError `invalid-module` with what is wrong and where; nothing else
 */
export function decodeComponent(bytes: Uint8Array): ComponentShape {
  if (bytes.length > MAX_BLOB_BYTES)
    refuseModule(`the component has ${bytes.length} bytes, more than ${MAX_BLOB_BYTES},`, 0);
  return readComponent(new ByteReader(bytes), 0, new DefinitionBudget());
}

function readComponent(reader: ByteReader, depth: number, budget: DefinitionBudget): ComponentShape {
  const start = reader.at;
  if (depth > MAX_COMPONENT_DEPTH)
    refuseModule(`components nested deeper than ${MAX_COMPONENT_DEPTH}`, start);
  for (const expected of HEADER)
    if (reader.u8("header of a component") !== expected)
      refuseModule("this is not a component of the version that is supported", start);
  const definitions: Definition[] = [];
  while (reader.at < reader.end) {
    const at = reader.at;
    const id = reader.u8("section id");
    const size = reader.u32("section size");
    const begin = reader.at;
    reader.skip(size, `section ${id}`);
    const section = new ByteReader(reader.bytes, begin, reader.at);
    readSection(id, at, section, definitions, depth, budget);
    section.finish(`section ${id}`);
  }
  return { definitions };
}

function readSection(
  id: number,
  at: number,
  reader: ByteReader,
  definitions: Definition[],
  depth: number,
  budget: DefinitionBudget,
): void {
  switch (id) {
    case 0:
      reader.skip(reader.end - reader.at, "custom section");
      return;
    case 1:
      budget.takeModule(at);
      definitions.push({ at, kind: "core-module", start: reader.at, end: reader.end });
      reader.skip(reader.end - reader.at, "core module");
      return;
    case 3:
      return refuseModule("core types are not supported", at);
    case 4:
      budget.take(at);
      definitions.push({ at, kind: "component", component: readComponent(reader, depth + 1, budget) });
      return;
    case 9:
      return refuseModule("start functions of components are not supported", at);
    case 12:
      return refuseModule("values are not supported", at);
    default:
      return readVector(id, at, reader, definitions, budget);
  }
}

function readVector(
  id: number,
  sectionAt: number,
  reader: ByteReader,
  definitions: Definition[],
  budget: DefinitionBudget,
): void {
  const readItem = itemReader(id, sectionAt, reader, budget);
  const count = reader.count("definitions", reader.end - reader.at);
  for (let i = 0; i < count; i += 1) {
    budget.take(reader.at);
    definitions.push(readItem());
  }
}

function itemReader(
  id: number,
  sectionAt: number,
  reader: ByteReader,
  budget: DefinitionBudget,
): () => Definition {
  switch (id) {
    case 2:
      return () => readCoreInstance(reader);
    case 5:
      return () => readInstance(reader);
    case 6:
      return () => ({ at: reader.at, ...readAlias(reader) });
    case 7: {
      const types = new TypeReader(reader, budget);
      return () => ({ at: reader.at, kind: "type", type: types.read() });
    }
    case 8:
      return () => ({ at: reader.at, ...readCanon(reader) });
    case 10:
      return () => ({
        at: reader.at,
        kind: "import",
        name: readExternName(reader),
        type: readExternType(reader),
      });
    case 11:
      return () => readExport(reader);
    default:
      return refuseModule(`unknown section ${id}`, sectionAt);
  }
}

function readItems<T>(reader: ByteReader, what: string, read: () => T): readonly T[] {
  const count = reader.count(what, Math.min(MAX_ITEMS, reader.end - reader.at));
  const items: T[] = [];
  for (let i = 0; i < count; i += 1) items.push(read());
  return items;
}

function checkNames<T extends { readonly name: string }>(items: readonly T[], at: number): readonly T[] {
  if (new Set(items.map(({ name }) => name)).size !== items.length) refuseModule("a name is used twice", at);
  return items;
}

function readCoreInstance(reader: ByteReader): Definition {
  const at = reader.at;
  const form = reader.u8("core instance");
  if (form === 0) {
    const module = reader.u32("core module");
    const args = readItems(reader, "arguments", () => readCoreArgument(reader));
    return { at, kind: "core-instance", module, args: checkNames(args, at) };
  }
  if (form !== 1) refuseModule("unknown form of a core instance", at);
  const exports = readItems(reader, "exports", (): NamedItem => {
    const name = reader.name("name of an export");
    return { name, sort: readCoreSort(reader), index: reader.u32("index") };
  });
  return { at, kind: "core-inline-instance", exports: checkNames(exports, at) };
}

function readCoreArgument(reader: ByteReader): { name: string; instance: number } {
  const name = reader.name("name of an argument");
  const at = reader.at;
  if (reader.u8("sort of an argument") !== 0x12) refuseModule("an argument that is not a core instance", at);
  return { name, instance: reader.u32("core instance") };
}

function readInstance(reader: ByteReader): Definition {
  const at = reader.at;
  const form = reader.u8("instance");
  if (form === 0) {
    const component = reader.u32("component");
    const args = readItems(reader, "arguments", (): NamedItem => ({
      name: reader.name("name of an argument"),
      ...readSortIndex(reader),
    }));
    return { at, kind: "instance", component, args: checkNames(args, at) };
  }
  if (form !== 1) refuseModule("unknown form of an instance", at);
  const exports = readItems(reader, "exports", (): NamedItem => ({
    name: readExternName(reader),
    ...readSortIndex(reader),
  }));
  return { at, kind: "inline-instance", exports: checkNames(exports, at) };
}

/** What type an export claims to have is of no consequence here: it has the one it was defined with. */
function readExport(reader: ByteReader): Definition {
  const at = reader.at;
  const name = readExternName(reader);
  const item = readSortIndex(reader);
  const ascribed = reader.u8("type of an export");
  if (ascribed > 1) refuseModule("unknown form of an export's type", at);
  if (ascribed === 1) readExternType(reader);
  return { at, kind: "export", name, item };
}
