import { SECTION as DECODED } from "../decode/decode-module.ts";
import { FailureError } from "../../protocol/failure.ts";
import { ByteReader } from "../decode/byte-reader.ts";
import { type Feature, FeatureReader } from "./features.ts";

/** `instance`, `component` and `type` are of components, where an instance is what an interface is called. */
export type OutlineKind =
  | "function"
  | "table"
  | "memory"
  | "global"
  | "tag"
  | "instance"
  | "component"
  | "type";

export interface OutlineImport {
  /** "" in a component, whose imports have one name. */
  readonly module: string;
  readonly name: string;
  readonly kind: OutlineKind;
  /** Of a function, as in "(i32, i64) -> i32", or as in WIT in a component; "" for the rest. */
  readonly type: string;
}

export interface OutlineExport {
  readonly name: string;
  readonly kind: OutlineKind;
  /** As for imports. */
  readonly type: string;
}

/** Limits of a memory in pages, or of a table in entries. */
export interface OutlineLimits {
  readonly imported: boolean;
  readonly minimum: number;
  readonly maximum?: number;
}

/** What a module is made of, also one that the profile refuses. */
export interface ModuleOutline {
  readonly imports: readonly OutlineImport[];
  readonly exports: readonly OutlineExport[];
  readonly memories: readonly OutlineLimits[];
  readonly tables: readonly OutlineLimits[];
  /** Imported ones included. */
  readonly functions: number;
  readonly importedFunctions: number;
  readonly globals: number;
  readonly hasStart: boolean;
  /** Bytes of the sections' contents. */
  readonly codeBytes: number;
  readonly dataBytes: number;
  readonly customBytes: number;
  /** The custom section that names functions is there. */
  readonly hasNames: boolean;
  /** Sorted by name. */
  readonly features: readonly Feature[];
  /** Of a component: how many modules it holds. Sizes, functions, memories and so on are those of all together. */
  readonly coreModules?: number;
  /** False when some of it could not be read: then parts are missing. */
  readonly isComplete: boolean;
}

const HEADER_BYTES = 8;
const KINDS: readonly OutlineKind[] = ["function", "table", "memory", "global", "tag"];
const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
  [0x70, "funcref"],
  [0x6f, "externref"],
  [0x69, "exnref"],
]);
/** The decoder's, and that of exceptions, which it refuses. */
const SECTION = { ...DECODED, tag: 13 } as const;

/** Reads a core module from end to end, as far as it can be read. Judges nothing; throws nothing. */
export function outlineOf(bytes: Uint8Array): ModuleOutline {
  return new OutlineReader(bytes).read();
}

interface TypeText {
  readonly text: string;
  readonly isMultiValue: boolean;
}

class OutlineReader {
  readonly #bytes: Uint8Array;
  readonly #types: TypeText[] = [];
  readonly #functionTypes: number[] = [];
  readonly #imports: OutlineImport[] = [];
  readonly #exports: OutlineExport[] = [];
  readonly #memories: OutlineLimits[] = [];
  readonly #tables: OutlineLimits[] = [];
  readonly #features = new FeatureReader((index) => this.#types[index]?.isMultiValue === true);
  #importedFunctions = 0;
  #globals = 0;
  #hasStart = false;
  #hasNames = false;
  #isComplete = true;
  readonly #sizes = new Map<number, number>();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(): ModuleOutline {
    const reader = new ByteReader(this.#bytes, Math.min(HEADER_BYTES, this.#bytes.length));
    this.#try(() => {
      while (reader.at < reader.end) {
        const id = reader.u8("section id");
        const size = reader.u32("section size");
        const start = reader.at;
        reader.skip(size, "section");
        this.#sizes.set(id, (this.#sizes.get(id) ?? 0) + size);
        this.#try(() => this.#section(id, new ByteReader(this.#bytes, start, start + size)));
      }
    });
    return {
      imports: this.#imports,
      exports: this.#exports,
      memories: this.#memories,
      tables: this.#tables,
      functions: this.#functionTypes.length,
      importedFunctions: this.#importedFunctions,
      globals: this.#globals,
      hasStart: this.#hasStart,
      codeBytes: this.#sizes.get(SECTION.code) ?? 0,
      dataBytes: this.#sizes.get(SECTION.data) ?? 0,
      customBytes: this.#sizes.get(SECTION.custom) ?? 0,
      hasNames: this.#hasNames,
      features: [...this.#features.found].toSorted(),
      isComplete: this.#isComplete,
    };
  }

  #try(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      this.#isComplete = false;
    }
  }

  #section(id: number, reader: ByteReader): void {
    switch (id) {
      case SECTION.custom:
        if (reader.name("name of a custom section") === "name") this.#hasNames = true;
        return;
      case SECTION.type:
        return this.#each(reader, () => this.#type(reader));
      case SECTION.import:
        return this.#each(reader, () => this.#import(reader));
      case SECTION.function:
        return this.#each(reader, () => void this.#functionTypes.push(reader.u32("type")));
      case SECTION.table:
        return this.#each(reader, () => this.#table(reader, false));
      case SECTION.memory:
        return this.#each(reader, () => this.#memory(reader, false));
      case SECTION.global:
        return this.#each(reader, () => this.#global(reader));
      case SECTION.export:
        return this.#each(reader, () => this.#export(reader));
      case SECTION.start:
        this.#hasStart = true;
        return;
      case SECTION.tag:
        this.#features.found.add("exception-handling");
        return;
      case SECTION.code:
        return this.#each(reader, () => this.#body(reader));
      case SECTION.data:
        return this.#each(reader, () => this.#data(reader));
      default:
    }
  }

  #each(reader: ByteReader, read: () => void): void {
    for (let i = reader.u32("number of items"); i > 0; i -= 1) read();
  }

  #type(reader: ByteReader): void {
    if (reader.u8("form of a type") !== 0x60) {
      this.#features.found.add("gc");
      // What follows is not a function type: the rest of the section stays unread.
      this.#isComplete = false;
      reader.at = reader.end;
      return;
    }
    const parameters = this.#typeList(reader);
    const results = this.#typeList(reader);
    const isMultiValue = results.length > 1;
    if (isMultiValue) this.#features.found.add("multi-value");
    const to = results.length === 1 ? (results[0] ?? "") : `(${results.join(", ")})`;
    this.#types.push({
      text: `(${parameters.join(", ")}) -> ${to}`,
      isMultiValue: isMultiValue || parameters.length > 0,
    });
  }

  #typeList(reader: ByteReader): readonly string[] {
    const names: string[] = [];
    this.#each(reader, () => {
      const byte = reader.bytes[reader.at] ?? 0;
      this.#features.valueType(reader);
      names.push(TYPE_NAMES.get(byte) ?? "ref");
    });
    return names;
  }

  #import(reader: ByteReader): void {
    const module = reader.name("module of an import");
    const name = reader.name("name of an import");
    const kind = KINDS[reader.u8("kind of an import")] ?? "function";
    let type = "";
    if (kind === "function") {
      const index = reader.u32("type");
      this.#functionTypes.push(index);
      this.#importedFunctions += 1;
      type = this.#types[index]?.text ?? "";
    } else if (kind === "table") this.#table(reader, true);
    else if (kind === "memory") this.#memory(reader, true);
    else if (kind === "global") this.#globalType(reader, true);
    else this.#tag(reader);
    this.#imports.push({ module, name, kind, type });
  }

  #tag(reader: ByteReader): void {
    this.#features.found.add("exception-handling");
    reader.u8("attribute of a tag");
    reader.u32("type");
  }

  #table(reader: ByteReader, imported: boolean): void {
    if (reader.bytes[reader.at] === 0x40) {
      this.#features.found.add("function-references");
      reader.skip(2, "table with an initial value");
      this.#features.valueType(reader);
      this.#tables.push(this.#limits(reader, imported));
      this.#features.readConstant(reader);
      return;
    }
    if (reader.bytes[reader.at] === 0x70) reader.u8("type of a table");
    else this.#features.valueType(reader);
    this.#tables.push(this.#limits(reader, imported));
    if (this.#tables.length > 1) this.#features.found.add("reference-types");
  }

  #memory(reader: ByteReader, imported: boolean): void {
    this.#memories.push(this.#limits(reader, imported));
    if (this.#memories.length > 1) this.#features.found.add("multi-memory");
  }

  #limits(reader: ByteReader, imported: boolean): OutlineLimits {
    const flags = reader.u8("limits");
    if ((flags & 2) !== 0) this.#features.found.add("threads");
    const is64 = (flags & 4) !== 0;
    if (is64) this.#features.found.add("memory64");
    const minimum = readSize(reader);
    const maximum = (flags & 1) === 0 ? undefined : readSize(reader);
    if ((flags & 8) !== 0) {
      this.#features.found.add("custom-page-sizes");
      reader.u32("page size");
    }
    return { imported, minimum, ...(maximum === undefined ? {} : { maximum }) };
  }

  #globalType(reader: ByteReader, imported: boolean): void {
    this.#features.valueType(reader);
    const isMutable = reader.u8("mutability of a global") === 1;
    this.#globalIsMutable.push(isMutable);
    if (isMutable && imported) this.#features.found.add("mutable-globals");
    this.#globals += 1;
  }

  readonly #globalIsMutable: boolean[] = [];

  #global(reader: ByteReader): void {
    this.#globalType(reader, false);
    this.#constant(reader);
  }

  #constant(reader: ByteReader): void {
    if (this.#features.readConstant(reader)) return;
    this.#isComplete = false;
    reader.at = reader.end;
  }

  #export(reader: ByteReader): void {
    const name = reader.name("name of an export");
    const kind = KINDS[reader.u8("kind of an export")] ?? "function";
    const index = reader.u32("index");
    const type = kind === "function" ? (this.#types[this.#functionTypes[index] ?? -1]?.text ?? "") : "";
    if (kind === "global" && this.#globalIsMutable[index] === true)
      this.#features.found.add("mutable-globals");
    this.#exports.push({ name, kind, type });
  }

  #body(reader: ByteReader): void {
    const size = reader.u32("size of a body");
    const start = reader.at;
    reader.skip(size, "body");
    this.#try(() => {
      if (!this.#features.readBody(new ByteReader(this.#bytes, start, start + size)))
        this.#isComplete = false;
    });
  }

  #data(reader: ByteReader): void {
    const flags = reader.u32("flags of a data segment");
    if (flags === 1) this.#features.found.add("bulk-memory");
    if (flags === 2 && reader.u32("memory") > 0) this.#features.found.add("multi-memory");
    if (flags !== 1) this.#constant(reader);
    reader.skip(reader.u32("size of a data segment"), "data segment");
  }
}

/** An unsigned LEB128 of up to ten bytes; beyond 2^53 it is about right, which is enough to be shown. */
function readSize(reader: ByteReader): number {
  let value = 0;
  for (let factor = 1; ; factor *= 0x80) {
    const byte = reader.u8("limit");
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
  }
}
