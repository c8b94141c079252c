import { ByteReader } from "../decode/byte-reader.ts";
import type { ByteWriter } from "../decode/byte-writer.ts";
import { SECTION } from "../decode/decode-module.ts";
import type { ByteRange, ExternalKind, FunctionType, ModuleShape } from "../decode/module-shape.ts";
import { OP } from "../decode/opcodes.ts";
import { TYPE } from "../decode/value-types.ts";
import { MAX_MEMORY_PAGES, MAX_TABLE_ENTRIES, STACK_WORDS } from "../limits.ts";
import type { Layout } from "./layout.ts";

/** Names of what a metered module exports besides its own; a standalone one only the first. */
export const METER_EXPORTS = {
  fuel: "tabmesh:fuel",
  stack: "tabmesh:stack",
  pages: "tabmesh:pages",
  grow: "tabmesh:grow",
  hint: "tabmesh:hint",
  start: "tabmesh:start",
} as const;

/** Sections that change, and are made where they are missing. */
export function rewrittenSections(layout: Layout): ReadonlySet<number> {
  const always = [SECTION.type, SECTION.function, SECTION.global, SECTION.export];
  return new Set(layout.standalone ? always : [...always, SECTION.table, SECTION.memory]);
}

/** The largest size in pages that the module's memory may have: its own maximum within the profile's. */
export function maximumPages(shape: ModuleShape): number {
  return Math.min(shape.memory?.maximumPages ?? MAX_MEMORY_PAGES, MAX_MEMORY_PAGES);
}

type AddedExport = readonly [name: string, kind: ExternalKind, index: number];

const KIND_BYTES: Readonly<Record<ExternalKind, number>> = { function: 0, table: 1, memory: 2, global: 3 };

/** Writes the contents of the sections that metering changes. */
export class SectionWriter {
  readonly #writer: ByteWriter;
  readonly #shape: ModuleShape;
  readonly #layout: Layout;
  readonly #helperType: number;
  readonly #fuel: bigint;

  /** @param fuel initial value of the fuel global */
  constructor(writer: ByteWriter, shape: ModuleShape, layout: Layout, helperType: number, fuel: bigint) {
    this.#writer = writer;
    this.#shape = shape;
    this.#layout = layout;
    this.#helperType = helperType;
    this.#fuel = fuel;
  }

  /** @param id one of `rewrittenSections` */
  write(id: number): void {
    switch (id) {
      case SECTION.type:
        this.#extend(id, this.#layout.addedTypes.length);
        return this.#layout.addedTypes.forEach((type) => this.#type(type));
      case SECTION.function:
        return this.#functions();
      case SECTION.table:
        return this.#tables();
      case SECTION.memory:
        return this.#memory();
      case SECTION.global:
        this.#extend(id, this.#layout.standalone ? 1 : 5);
        return this.#globals();
      default: {
        const added = this.#addedExports();
        this.#extend(id, added.length);
        added.forEach((each) => this.#export(each));
      }
    }
  }

  /** A section that is a vector: its items as they were, with a count that is larger by `added`. */
  #extend(id: number, added: number): void {
    const original: ByteRange | undefined = this.#shape.sections.get(id);
    if (original === undefined) return this.#writer.u32(added);
    const reader = new ByteReader(this.#shape.bytes, original.start, original.end);
    this.#writer.u32(reader.u32("number of items") + added);
    this.#writer.copy(this.#shape.bytes, reader.at, original.end);
  }

  #functions(): void {
    const { fillers, helpers } = this.#layout;
    this.#extend(SECTION.function, helpers.length + fillers.count);
    for (const _ of helpers) this.#writer.u32(this.#helperType);
    for (let filler = 0; filler < fillers.count; filler += 1) this.#writer.u32(fillers.type);
  }

  #type(type: FunctionType): void {
    this.#writer.u8(TYPE.function);
    for (const list of [type.parameters, type.results]) {
      this.#writer.u32(list.length);
      this.#writer.bytes(list);
    }
  }

  #tables(): void {
    const writer = this.#writer;
    const own = this.#shape.tables.filter((table) => !table.imported);
    writer.u32(own.length);
    for (const table of own) {
      writer.bytes([table.elementType, 1]);
      writer.u32(table.minimum);
      writer.u32(Math.min(table.maximum ?? MAX_TABLE_ENTRIES, MAX_TABLE_ENTRIES));
    }
  }

  #memory(): void {
    const writer = this.#writer;
    const { memory } = this.#shape;
    if (memory === undefined || memory.imported) return writer.u32(0);
    writer.bytes([1, 1]);
    writer.u32(memory.minimumPages);
    writer.u32(maximumPages(this.#shape));
  }

  /** In the order of AddedGlobals. */
  #globals(): void {
    const writer = this.#writer;
    const mutable = 1;
    writer.bytes([TYPE.i64, mutable, OP.i64Const]);
    writer.signed(this.#fuel);
    writer.u8(OP.end);
    if (this.#layout.standalone) return;
    for (const value of [STACK_WORDS, maximumPages(this.#shape), 0, 0]) {
      writer.bytes([TYPE.i32, mutable, OP.i32Const]);
      writer.positive(value);
      writer.u8(OP.end);
    }
  }

  #addedExports(): readonly AddedExport[] {
    const { fuel, stack, pages, grow, hint } = this.#layout.globals;
    const { start } = this.#shape;
    if (this.#layout.standalone) return [[METER_EXPORTS.fuel, "global", fuel]];
    return [
      [METER_EXPORTS.fuel, "global", fuel],
      [METER_EXPORTS.stack, "global", stack],
      [METER_EXPORTS.pages, "global", pages],
      [METER_EXPORTS.grow, "global", grow],
      [METER_EXPORTS.hint, "global", hint],
      ...(start === undefined ? [] : [[METER_EXPORTS.start, "function", start] as const]),
    ];
  }

  #export([name, kind, index]: AddedExport): void {
    const encoded = new TextEncoder().encode(name);
    this.#writer.u32(encoded.length);
    this.#writer.bytes(encoded);
    this.#writer.u8(KIND_BYTES[kind]);
    this.#writer.u32(index);
  }
}
