import { ByteReader, refuseModule } from "../../decode/byte-reader.ts";
import { OP } from "../../decode/opcodes.ts";
import { MAX_ENTRIES, MAX_IMPORTS } from "../../limits.ts";

/** A section as it stands in the file: `[start, end)` is its content. */
export interface Section {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/** Sections in the order of the file. The module is known to be valid. */
export function sectionsOf(bytes: Uint8Array): readonly Section[] {
  const sections: Section[] = [];
  const reader = new ByteReader(bytes, 8);
  while (reader.at < bytes.length) {
    const id = reader.u8("section id");
    const size = reader.u32("section size");
    const start = reader.at;
    reader.skip(size, `section ${id}`);
    sections.push({ id, start, end: reader.at });
  }
  return sections;
}

function readerOf(bytes: Uint8Array, sections: readonly Section[], id: number): ByteReader | undefined {
  const section = sections.find((each) => each.id === id);
  return section === undefined ? undefined : new ByteReader(bytes, section.start, section.end);
}

export interface ImportedGlobal {
  readonly module: string;
  readonly name: string;
  /** Value type and mutability, as bytes. */
  readonly type: readonly number[];
}

export function readImportedGlobals(
  bytes: Uint8Array,
  sections: readonly Section[],
): readonly ImportedGlobal[] {
  const reader = readerOf(bytes, sections, 2);
  if (reader === undefined) return [];
  const globals: ImportedGlobal[] = [];
  const count = reader.count("imports", MAX_IMPORTS);
  for (let i = 0; i < count; i += 1) {
    const module = reader.name("module name of an import");
    const name = reader.name("name of an import");
    const at = reader.at;
    const kind = reader.u8("kind of an import");
    if (kind === 0) reader.u32("type");
    else if (kind === 1 || kind === 2) skipLimits(reader, kind === 1);
    else if (kind === 3) globals.push({ module, name, type: [reader.u8("type"), reader.u8("mutability")] });
    else if (kind === 4) {
      reader.skip(1, "attribute of a tag");
      reader.u32("type");
    } else refuseModule(`unknown kind ${kind} of import`, at);
  }
  return globals;
}

function skipLimits(reader: ByteReader, table: boolean): void {
  if (table) reader.u8("type of a table");
  const flags = reader.u8("limits");
  reader.u32("minimum");
  if ((flags & 1) !== 0) reader.u32("maximum");
}

/** A global that the module defines; `[start, end)` is its type, mutability and initial value. */
export interface GlobalEntry {
  readonly start: number;
  readonly end: number;
  /** The initial value when it is one integer constant, else 0. */
  readonly initial: number | bigint;
  readonly refersToFunction: boolean;
}

export function readGlobalEntries(bytes: Uint8Array, sections: readonly Section[]): readonly GlobalEntry[] {
  const reader = readerOf(bytes, sections, 6);
  if (reader === undefined) return [];
  const count = reader.count("globals", MAX_ENTRIES * 2);
  const entries: GlobalEntry[] = [];
  for (let i = 0; i < count; i += 1) {
    const start = reader.at;
    reader.skip(2, "type of a global");
    entries.push({ start, ...readInitial(reader), end: reader.at });
  }
  return entries;
}

function readInitial(reader: ByteReader): Pick<GlobalEntry, "initial" | "refersToFunction"> {
  let initial: number | bigint = 0;
  let refersToFunction = false;
  for (;;) {
    const opcode = reader.u8("constant expression");
    switch (opcode) {
      case OP.end:
        return { initial, refersToFunction };
      case OP.i32Const:
        initial = Number(readSigned(reader));
        break;
      case OP.i64Const:
        initial = readSigned(reader);
        break;
      case OP.f32Const:
        reader.skip(4, "f32 constant");
        break;
      case OP.f64Const:
        reader.skip(8, "f64 constant");
        break;
      case OP.refNull:
      case OP.globalGet:
        reader.u32("operand of a constant");
        break;
      case OP.refFunc:
        reader.u32("function");
        refersToFunction = true;
        break;
      case OP.vectorPrefix:
        reader.u32("vector instruction");
        reader.skip(16, "v128 constant");
        break;
      default:
        // What remains are the additions and multiplications of extended constants, which have no operand in the code.
        break;
    }
  }
}

function readSigned(reader: ByteReader): bigint {
  let value = 0n;
  let shift = 0n;
  for (;;) {
    const byte = reader.u8("constant");
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte < 0x80) return BigInt.asIntN(Number(shift), value);
  }
}
