import { ByteReader } from "./decode/byte-reader.ts";
import { ByteWriter } from "./decode/byte-writer.ts";
import { decodeModule, SECTION, SECTION_ORDER } from "./decode/decode-module.ts";
import type { ByteRange, ExternalKind, FunctionType, ModuleShape } from "./decode/module-shape.ts";
import { OP } from "./decode/opcodes.ts";
import { TYPE } from "./decode/value-types.ts";
import { FULL_TANK, MAX_MEMORY_PAGES, MAX_TABLE_ENTRIES, STACK_WORDS } from "./limits.ts";
import { BodyEmitter } from "./meter/emit-body.ts";
import { fuelCheckBytes, writeHelper } from "./meter/emit-helper.ts";
import { Layout } from "./meter/layout.ts";
import { BodyScanner } from "./meter/scan-body.ts";

/** Names of what a metered module exports besides its own. */
export const METER_EXPORTS = {
  fuel: "tabmesh:fuel",
  stack: "tabmesh:stack",
  pages: "tabmesh:pages",
  grow: "tabmesh:grow",
  hint: "tabmesh:hint",
  start: "tabmesh:start",
} as const;

export interface MeteredModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of the module as it was. */
  readonly shape: ModuleShape;
}

/**
 * Rewrites a module so that it counts its own cost and behaves alike on every machine: profile 0.
 *
 * Fuel. Every executed instruction costs 1, except `end` and `else`, which cost nothing; a call costs 1 per local of the
 * function called besides; `memory.fill/copy/init` cost 1 per 8 bytes begun, `table.fill/copy/init/grow` 1 per entry,
 * a granted `memory.grow` 8,192 per page. Costs are taken per metered block (see BodyScanner) before the block runs, so the total
 * after a normal end is the sum over executed instructions, and after a trap it includes what was left of the blocks
 * entered: in both cases a function of module and input alone. Running out is looked for at every function's entry, every
 * loop header and every bulk operation; a program that ends with less than nothing left has run out all the same.
 *
 * Stack. A function takes words of 8 bytes from STACK_WORDS while it runs, and traps below zero: FRAME_WORDS, its
 * parameters and locals, the deepest operand stack (where it calls, arguments and results counted once more), twice its
 * results. A v128 takes two words; in a function with vectors (or a module whose types or globals have any) so does
 * every operand and result. A function that calls nothing is not counted up to UNCOUNTED_LEAF_WORDS.
 *
 * Memory and tables get their maxima lowered to the profile's; `memory.grow` obeys the exported global as well. NaN
 * results of arithmetic are replaced by the canonical NaN. The start function is not run by instantiation but exported, so
 * that the host can set the limits first. Nothing of the module is renumbered, and its "name" section stays.
 *
 * @throws FailureError `invalid-module`; nothing else
 */
export function meterModule(bytes: Uint8Array): MeteredModule {
  const shape = decodeModule(bytes);
  const layout = new Layout(shape);
  const code = meteredCode(shape, layout);
  const helperType = layout.helpers.length > 0 ? layout.helperType() : 0;
  const writer = new ByteWriter(bytes.length + code.length + 1024);
  writer.copy(bytes, 0, 8);
  for (const id of SECTION_ORDER) {
    const original = shape.sections.get(id);
    if (id === SECTION.start) continue;
    if (id === SECTION.code) {
      if (code.length > 0) writeSection(writer, id, () => writer.bytes(code));
    } else if (REWRITTEN.has(id))
      writeSection(writer, id, () => rewriteSection(writer, id, shape, layout, helperType));
    else if (original !== undefined)
      writeSection(writer, id, () => writer.copy(bytes, original.start, original.end));
  }
  const names = shape.sections.get(SECTION.custom);
  if (names !== undefined)
    writeSection(writer, SECTION.custom, () => writer.copy(bytes, names.start, names.end));
  return { bytes: writer.finish(), shape };
}

/** The code section's content, with the helpers that it turned out to need; empty when there is no code. */
function meteredCode(shape: ModuleShape, layout: Layout): Uint8Array {
  const total = shape.bodies.reduce((sum, body) => sum + body.end - body.start, 0);
  const bodies = new ByteWriter(total * 2 + 64);
  const scanner = new BodyScanner(shape);
  const emitter = new BodyEmitter(bodies, shape.bytes, layout, fuelCheckBytes(layout.globals.fuel));
  shape.bodies.forEach((body, index) => {
    const plan = scanner.scan(index);
    const type = shape.types[shape.functionTypes[shape.importedFunctions + index] ?? 0];
    if (type !== undefined) emitter.emit(plan, type, body.end);
  });
  for (const helper of layout.helpers) writeHelper(bodies, helper, layout.globals);
  const count = shape.bodies.length + layout.helpers.length;
  if (count === 0) return new Uint8Array(0);
  const content = new ByteWriter(bodies.length + 8);
  content.u32(count);
  content.bytes(bodies.finish());
  return content.finish();
}

/** Sections that change, and are made where they are missing. */
const REWRITTEN: ReadonlySet<number> = new Set([
  SECTION.type,
  SECTION.function,
  SECTION.table,
  SECTION.memory,
  SECTION.global,
  SECTION.export,
]);

function writeSection(writer: ByteWriter, id: number, writeContent: () => void): void {
  writer.u8(id);
  const sized = writer.beginSized();
  writeContent();
  writer.endSized(sized);
}

function rewriteSection(
  writer: ByteWriter,
  id: number,
  shape: ModuleShape,
  layout: Layout,
  helperType: number,
): void {
  const { bytes } = shape;
  const original = shape.sections.get(id);
  switch (id) {
    case SECTION.type:
      extendSection(writer, bytes, original, layout.addedTypes.length);
      layout.addedTypes.forEach((type) => writeType(writer, type));
      return;
    case SECTION.function:
      extendSection(writer, bytes, original, layout.helpers.length);
      layout.helpers.forEach(() => writer.u32(helperType));
      return;
    case SECTION.table:
      return writeTables(writer, shape);
    case SECTION.memory:
      return writeMemory(writer, shape);
    case SECTION.global:
      extendSection(writer, bytes, original, 5);
      return writeGlobals(writer, shape);
    default: {
      const added = addedExports(shape, layout);
      extendSection(writer, bytes, original, added.length);
      added.forEach(([name, kind, index]) => writeExport(writer, name, kind, index));
    }
  }
}

/** A section that is a vector: its items as they were, with a count that is larger by `added`. */
function extendSection(
  writer: ByteWriter,
  bytes: Uint8Array,
  original: ByteRange | undefined,
  added: number,
): void {
  if (original === undefined) return writer.u32(added);
  const reader = new ByteReader(bytes, original.start, original.end);
  writer.u32(reader.u32("number of items") + added);
  writer.copy(bytes, reader.at, original.end);
}

function writeType(writer: ByteWriter, type: FunctionType): void {
  writer.u8(TYPE.function);
  for (const list of [type.parameters, type.results]) {
    writer.u32(list.length);
    writer.bytes(list);
  }
}

function writeTables(writer: ByteWriter, shape: ModuleShape): void {
  const own = shape.tables.filter((table) => !table.imported);
  writer.u32(own.length);
  for (const table of own) {
    writer.bytes([table.elementType, 1]);
    writer.u32(table.minimum);
    writer.u32(Math.min(table.maximum ?? MAX_TABLE_ENTRIES, MAX_TABLE_ENTRIES));
  }
}

function writeMemory(writer: ByteWriter, shape: ModuleShape): void {
  const { memory } = shape;
  if (memory === undefined || memory.imported) return writer.u32(0);
  writer.bytes([1, 1]);
  writer.u32(memory.minimumPages);
  writer.u32(maximumPages(shape));
}

/** The largest size in pages that the module's memory may have: its own maximum within the profile's. */
export function maximumPages(shape: ModuleShape): number {
  return Math.min(shape.memory?.maximumPages ?? MAX_MEMORY_PAGES, MAX_MEMORY_PAGES);
}

/** In the order of AddedGlobals. */
function writeGlobals(writer: ByteWriter, shape: ModuleShape): void {
  const mutable = 1;
  writer.bytes([TYPE.i64, mutable, OP.i64Const]);
  writer.signed(FULL_TANK);
  writer.u8(OP.end);
  for (const value of [STACK_WORDS, maximumPages(shape), 0, 0]) {
    writer.bytes([TYPE.i32, mutable, OP.i32Const]);
    writer.positive(value);
    writer.u8(OP.end);
  }
}

function addedExports(
  shape: ModuleShape,
  layout: Layout,
): readonly (readonly [string, ExternalKind, number])[] {
  const { fuel, stack, pages, grow, hint } = layout.globals;
  return [
    [METER_EXPORTS.fuel, "global", fuel],
    [METER_EXPORTS.stack, "global", stack],
    [METER_EXPORTS.pages, "global", pages],
    [METER_EXPORTS.grow, "global", grow],
    [METER_EXPORTS.hint, "global", hint],
    ...(shape.start === undefined ? [] : [[METER_EXPORTS.start, "function", shape.start] as const]),
  ];
}

const KIND_BYTES: Readonly<Record<ExternalKind, number>> = { function: 0, table: 1, memory: 2, global: 3 };

function writeExport(writer: ByteWriter, name: string, kind: ExternalKind, index: number): void {
  const encoded = new TextEncoder().encode(name);
  writer.u32(encoded.length);
  writer.bytes(encoded);
  writer.u8(KIND_BYTES[kind]);
  writer.u32(index);
}
