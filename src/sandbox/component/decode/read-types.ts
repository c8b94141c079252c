import { type ByteReader, refuseModule } from "../../decode/byte-reader.ts";
import { MAX_ITEMS, MAX_TYPE_NESTING } from "../limits.ts";
import type {
  Declaration,
  ExternType,
  LabelledUse,
  Primitive,
  TypeShape,
  TypeUse,
} from "./component-shape.ts";
import type { DefinitionBudget } from "./definition-budget.ts";
import { readAlias, readExternName } from "./read-names.ts";

const PRIMITIVES: ReadonlyMap<number, Primitive> = new Map([
  [0x7f, "bool"],
  [0x7e, "s8"],
  [0x7d, "u8"],
  [0x7c, "s16"],
  [0x7b, "u16"],
  [0x7a, "s32"],
  [0x79, "u32"],
  [0x78, "s64"],
  [0x77, "u64"],
  [0x76, "f32"],
  [0x75, "f64"],
  [0x74, "char"],
  [0x73, "string"],
]);

/** Types of the component model that need what a deterministic function has no use for. */
const REFUSED: ReadonlyMap<number, string> = new Map([
  [0x67, "lists of fixed length"],
  [0x66, "streams"],
  [0x65, "futures"],
  [0x64, "error contexts"],
  [0x63, "maps"],
  [0x43, "async functions"],
]);

function refuseType(byte: number, at: number): never {
  const what = REFUSED.get(byte);
  return refuseModule(
    what === undefined ? `unknown type 0x${byte.toString(16)}` : `${what} are not supported`,
    at,
  );
}

/** A value type where it is used: one byte below zero names a primitive type, the rest is an index. */
function readUse(reader: ByteReader): TypeUse {
  const at = reader.at;
  const byte = reader.bytes[at] ?? 0;
  if (byte < 0x40 || byte > 0x7f) return readSignedIndex(reader);
  reader.u8("value type");
  return PRIMITIVES.get(byte) ?? refuseType(byte, at);
}

/** An index as a signed LEB128 of 33 bits that is not negative. */
function readSignedIndex(reader: ByteReader): number {
  const at = reader.at;
  let value = 0;
  for (let factor = 1; factor <= 2 ** 28; factor *= 0x80) {
    const byte = reader.u8("type index");
    value += (byte & 0x7f) * factor;
    if (byte >= 0x80) continue;
    if ((byte & 0x40) !== 0 || value > 0xffff_ffff) refuseModule("a type index does not fit 32 bits", at);
    return value;
  }
  return refuseModule("a type index is longer than five bytes", at);
}

function readOptional<T>(reader: ByteReader, what: string, read: () => T): T | undefined {
  const at = reader.at;
  const byte = reader.u8(what);
  if (byte > 1) refuseModule(`unknown form of ${what}`, at);
  return byte === 1 ? read() : undefined;
}

function readList<T>(reader: ByteReader, what: string, least: number, read: () => T): readonly T[] {
  const at = reader.at;
  const count = reader.count(what, Math.min(MAX_ITEMS, reader.end - reader.at));
  if (count < least) refuseModule(`a type without ${what}`, at);
  const items: T[] = [];
  for (let i = 0; i < count; i += 1) items.push(read());
  return items;
}

function readLabelled(reader: ByteReader): LabelledUse {
  return { name: reader.name("label"), type: readUse(reader) };
}

/** Labels are told apart without regard to case, as the component model has it. */
function checkDistinct(names: readonly string[], at: number): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (name === "") refuseModule("an empty label", at);
    const key = name.toLowerCase();
    if (seen.has(key)) refuseModule(`the label ${name} is used twice`, at);
    seen.add(key);
  }
}

export class TypeReader {
  readonly #reader: ByteReader;
  readonly #budget: DefinitionBudget;
  #nesting = 0;

  constructor(reader: ByteReader, budget: DefinitionBudget) {
    this.#reader = reader;
    this.#budget = budget;
  }

  /** One item of a type section. */
  read(): TypeShape {
    const reader = this.#reader;
    const at = reader.at;
    const byte = reader.u8("type");
    const primitive = PRIMITIVES.get(byte);
    if (primitive !== undefined) return { kind: "primitive", primitive };
    switch (byte) {
      case 0x72: {
        const fields = readList(reader, "fields", 1, () => readLabelled(reader));
        return this.#named(fields, at, { kind: "record", fields });
      }
      case 0x71: {
        const cases = readList(reader, "cases", 1, () => this.#readCase());
        return this.#named(cases, at, { kind: "variant", cases });
      }
      case 0x70:
        return { kind: "list", type: readUse(reader) };
      case 0x6f:
        return { kind: "tuple", types: readList(reader, "members of a tuple", 1, () => readUse(reader)) };
      case 0x6e:
        return this.#readNames("flags", 32, at);
      case 0x6d:
        return this.#readNames("enum", MAX_ITEMS, at);
      case 0x6b:
        return { kind: "option", type: readUse(reader) };
      case 0x6a: {
        const ok = readOptional(reader, "ok type of a result", () => readUse(reader));
        return { kind: "result", ok, error: readOptional(reader, "error type", () => readUse(reader)) };
      }
      case 0x69:
        return { kind: "own", type: reader.u32("type of a handle") };
      case 0x68:
        return { kind: "borrow", type: reader.u32("type of a handle") };
      case 0x40:
        return this.#readFunction(at);
      case 0x41:
        return { kind: "component-type", declarations: this.#readDeclarations(at, true) };
      case 0x42:
        return { kind: "instance-type", declarations: this.#readDeclarations(at, false) };
      case 0x3f:
        return this.#readResource(at);
      default:
        return refuseType(byte, at);
    }
  }

  #named(items: readonly { readonly name: string }[], at: number, shape: TypeShape): TypeShape {
    checkDistinct(
      items.map(({ name }) => name),
      at,
    );
    return shape;
  }

  #readNames(kind: "flags" | "enum", most: number, at: number): TypeShape {
    const names = readList(this.#reader, "names", 1, () => this.#reader.name("label"));
    if (names.length > most) refuseModule(`${kind} with ${names.length} names, more than ${most},`, at);
    checkDistinct(names, at);
    return { kind, names };
  }

  #readCase(): { name: string; type: TypeUse | undefined } {
    const reader = this.#reader;
    const name = reader.name("name of a case");
    const type = readOptional(reader, "type of a case", () => readUse(reader));
    const at = reader.at;
    if (reader.u8("end of a case") !== 0) refuseModule("cases that refine others are not supported", at);
    return { name, type };
  }

  #readFunction(at: number): TypeShape {
    const reader = this.#reader;
    const parameters = readList(reader, "parameters", 0, () => readLabelled(reader));
    checkDistinct(
      parameters.map(({ name }) => name),
      at,
    );
    const form = reader.u8("results");
    if (form === 0) return { kind: "func", parameters, result: readUse(reader) };
    if (form !== 1 || reader.u8("named results") !== 0)
      refuseModule("a function with several results is not supported", at);
    return { kind: "func", parameters, result: undefined };
  }

  #readResource(at: number): TypeShape {
    const reader = this.#reader;
    if (reader.u8("representation of a resource") !== 0x7f)
      refuseModule("a resource that is not represented by an i32", at);
    const destructor = readOptional(reader, "destructor", () => reader.u32("destructor"));
    return { kind: "resource", destructor };
  }

  #readDeclarations(at: number, component: boolean): readonly Declaration[] {
    this.#nesting += 1;
    if (this.#nesting > MAX_TYPE_NESTING) refuseModule(`types nested deeper than ${MAX_TYPE_NESTING}`, at);
    const reader = this.#reader;
    const declarations = readList(reader, "declarations", 0, () => this.#readDeclaration(component));
    this.#nesting -= 1;
    return declarations;
  }

  #readDeclaration(component: boolean): Declaration {
    const reader = this.#reader;
    const at = reader.at;
    this.#budget.take(at);
    const byte = reader.u8("declaration");
    if (byte === 1) return { at, kind: "type", type: this.read() };
    if (byte === 2) {
      const alias = readAlias(reader);
      if (alias.kind === "alias-core-export") refuseModule("an alias of a core export within a type", at);
      return { at, ...alias };
    }
    if (byte === 4 || (byte === 3 && component)) {
      const name = readExternName(reader);
      return { at, kind: byte === 4 ? "export-type" : "import-type", name, type: readExternType(reader) };
    }
    return refuseModule(byte === 0 ? "core types are not supported" : `unknown declaration ${byte}`, at);
  }
}

/** The type of an import or export. */
export function readExternType(reader: ByteReader): ExternType {
  const at = reader.at;
  const sort = reader.u8("type of an import or export");
  switch (sort) {
    case 1:
      return { kind: "func", type: reader.u32("type") };
    case 3: {
      const bound = reader.u8("bound of a type");
      if (bound === 0) return { kind: "type-equal", type: reader.u32("type") };
      return bound === 1 ? { kind: "type-resource" } : refuseModule("unknown bound of a type", at);
    }
    case 4:
      return { kind: "component", type: reader.u32("type") };
    case 5:
      return { kind: "instance", type: reader.u32("type") };
    case 0:
      return refuseModule("imports and exports of core modules are not supported", at);
    case 2:
      return refuseModule("values are not supported", at);
    default:
      return refuseModule(`unknown sort ${sort} of import or export`, at);
  }
}
