import type { ByteReader } from "../decode/byte-reader.ts";

/** Extensions of WebAssembly beyond its first version, as its proposals are called. */
export const FEATURES = [
  "bulk-memory",
  "custom-page-sizes",
  "exception-handling",
  "extended-const",
  "function-references",
  "gc",
  "memory64",
  "multi-memory",
  "multi-value",
  "mutable-globals",
  "reference-types",
  "relaxed-simd",
  "saturating-truncation",
  "sign-extension",
  "simd128",
  "tail-call",
  "threads",
] as const;
export type Feature = (typeof FEATURES)[number];

/** What follows an instruction's byte. */
type Immediates = readonly ("u32" | "u64" | "byte" | "memory" | "block" | "heap")[];

const MORE_MEMORY = 0x40;

/**
 * Reads instructions only as far as it takes to know which extensions they belong to: also those that the profile
 * refuses, so that a module's author sees all of them at once. Judges nothing.
 */
export class FeatureReader {
  readonly found: Set<Feature> = new Set<Feature>();
  /** Types that take values, or return more than one, by index. */
  readonly #isMultiValue: (typeIndex: number) => boolean;

  constructor(isMultiValue: (typeIndex: number) => boolean) {
    this.#isMultiValue = isMultiValue;
  }

  /** Reads up to the reader's end. @returns false at an instruction that nobody knows, where it stops. */
  readBody(reader: ByteReader): boolean {
    const groups = reader.u32("groups of locals");
    for (let i = 0; i < groups; i += 1) {
      reader.u32("number of locals");
      this.valueType(reader);
    }
    return this.readInstructions(reader);
  }

  readInstructions(reader: ByteReader): boolean {
    while (reader.at < reader.end) if (!this.#instruction(reader)) return false;
    return true;
  }

  /** Reads a constant expression and its `end`. @returns as `readBody` */
  readConstant(reader: ByteReader): boolean {
    for (;;) {
      const opcode = reader.bytes[reader.at] ?? 0;
      if (EXTENDED_CONSTANTS.has(opcode)) this.found.add("extended-const");
      if (!this.#instruction(reader)) return false;
      if (opcode === 0x0b) return true;
    }
  }

  valueType(reader: ByteReader): void {
    const byte = reader.u8("value type");
    if (byte === 0x7b) this.found.add("simd128");
    else if (byte === 0x70 || byte === 0x6f) this.found.add("reference-types");
    else if (byte === 0x69) this.found.add("exception-handling");
    else if (byte === 0x63 || byte === 0x64) {
      this.found.add("function-references");
      reader.skipSigned("heap type", 5);
    } else if (byte < 0x7b) this.found.add("gc");
  }

  #instruction(reader: ByteReader): boolean {
    const opcode = reader.u8("body");
    switch (opcode) {
      case 0x0e:
        return this.#branchTable(reader);
      case 0x1c:
        this.found.add("reference-types");
        for (let i = reader.u32("types of a select"); i > 0; i -= 1) this.valueType(reader);
        return true;
      case 0x1f:
        return this.#tryTable(reader);
      case 0x41:
        reader.skipSigned("i32 constant", 5);
        return true;
      case 0x42:
        reader.skipSigned("i64 constant", 10);
        return true;
      case 0x43:
        reader.skip(4, "f32 constant");
        return true;
      case 0x44:
        reader.skip(8, "f64 constant");
        return true;
      case 0xfc:
        return this.#bulk(reader);
      case 0xfd:
        return this.#vector(reader);
      case 0xfe:
        return this.#atomic(reader);
      default:
        return this.#plain(opcode, reader);
    }
  }

  #plain(opcode: number, reader: ByteReader): boolean {
    const feature = PLAIN_FEATURES.get(opcode);
    if (feature !== undefined) this.found.add(feature);
    if (opcode === 0xfb) return false;
    this.#immediates(plainImmediates(opcode), reader, opcode);
    return opcode <= 0xc4 || (opcode >= 0xd0 && opcode <= 0xd6);
  }

  #immediates(list: Immediates, reader: ByteReader, opcode: number): void {
    for (const each of list) {
      if (each === "u32") this.#index(reader, opcode);
      else if (each === "byte") reader.u8("immediate");
      else if (each === "memory") this.#memory(reader);
      else if (each === "block") this.#block(reader);
      else reader.skipSigned("immediate", 10);
    }
  }

  #index(reader: ByteReader, opcode: number): void {
    const index = reader.u32("index");
    if ((opcode === 0x3f || opcode === 0x40) && index > 0) this.found.add("multi-memory");
  }

  #memory(reader: ByteReader): void {
    if ((reader.u32("alignment") & MORE_MEMORY) !== 0) {
      this.found.add("multi-memory");
      reader.u32("memory");
    }
    reader.skipSigned("memory offset", 10);
  }

  #block(reader: ByteReader): void {
    const byte = reader.bytes[reader.at] ?? 0;
    if (byte === 0x40) reader.u8("type of a block");
    else if (byte > 0x40 && byte < 0x80) this.valueType(reader);
    else if (this.#isMultiValue(reader.u32("type of a block"))) this.found.add("multi-value");
  }

  #branchTable(reader: ByteReader): true {
    for (let i = reader.u32("targets"); i >= 0; i -= 1) reader.u32("label");
    return true;
  }

  #tryTable(reader: ByteReader): true {
    this.found.add("exception-handling");
    this.#block(reader);
    for (let i = reader.u32("handlers"); i > 0; i -= 1) {
      if (reader.u8("handler") < 2) reader.u32("tag");
      reader.u32("label");
    }
    return true;
  }

  #bulk(reader: ByteReader): boolean {
    const code = reader.u32("bulk instruction");
    if (code > 17) return false;
    if (code < 8) this.found.add("saturating-truncation");
    else {
      this.found.add(code < 15 ? "bulk-memory" : "reference-types");
      reader.u32("index");
      if (code === 8 || code === 10 || code === 12 || code === 14) reader.u32("index");
    }
    return true;
  }

  #vector(reader: ByteReader): true {
    const code = reader.u32("vector instruction");
    this.found.add(code < 0x100 ? "simd128" : "relaxed-simd");
    const isLaneAccess = code >= 84 && code <= 91;
    if (code <= 11 || isLaneAccess || code === 92 || code === 93) this.#memory(reader);
    if (code === 12 || code === 13) reader.skip(16, "bytes of a vector");
    if ((code >= 21 && code <= 34) || isLaneAccess) reader.u8("lane");
    return true;
  }

  #atomic(reader: ByteReader): true {
    this.found.add("threads");
    if (reader.u32("atomic instruction") === 3) reader.u8("fence");
    else this.#memory(reader);
    return true;
  }
}

/** i32 and i64 add, sub and mul. */
const EXTENDED_CONSTANTS: ReadonlySet<number> = new Set([0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e]);

const INDEX: Immediates = ["u32"];
const NONE: Immediates = [];

function plainImmediates(opcode: number): Immediates {
  if (opcode >= 0x28 && opcode <= 0x3e) return ["memory"];
  if (opcode >= 0x20 && opcode <= 0x26) return INDEX;
  return PLAIN_IMMEDIATES.get(opcode) ?? NONE;
}

const PLAIN_IMMEDIATES: ReadonlyMap<number, Immediates> = new Map<number, Immediates>([
  [0x02, ["block"]],
  [0x03, ["block"]],
  [0x04, ["block"]],
  [0x06, ["block"]],
  [0x11, ["u32", "u32"]],
  [0x13, ["u32", "u32"]],
  [0xd0, ["heap"]],
  ...[0x07, 0x08, 0x09, 0x0c, 0x0d, 0x10, 0x12, 0x14, 0x15, 0x18, 0x3f, 0x40, 0xd2, 0xd5, 0xd6].map(
    (opcode) => [opcode, INDEX] as const,
  ),
]);

const PLAIN_FEATURES: ReadonlyMap<number, Feature> = new Map<number, Feature>([
  ...[0x06, 0x07, 0x08, 0x09, 0x0a, 0x18, 0x19].map((opcode) => [opcode, "exception-handling"] as const),
  ...[0x12, 0x13, 0x15].map((opcode) => [opcode, "tail-call"] as const),
  ...[0x14, 0xd4, 0xd5, 0xd6].map((opcode) => [opcode, "function-references"] as const),
  ...[0x25, 0x26, 0xd0, 0xd1, 0xd2].map((opcode) => [opcode, "reference-types"] as const),
  ...[0xc0, 0xc1, 0xc2, 0xc3, 0xc4].map((opcode) => [opcode, "sign-extension"] as const),
  [0xd3, "gc"],
  [0xfb, "gc"],
]);
