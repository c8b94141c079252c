/** What the sandbox knows of a module once its sections are read. Indices are those of the file; bytes stay in the file. */
export interface ModuleShape {
  readonly bytes: Uint8Array;
  /** Known sections by id (1 to 12) and the custom section "name" (id 0). Ranges are of the content, without id and size. */
  readonly sections: ReadonlyMap<number, ByteRange>;
  readonly types: readonly FunctionType[];
  readonly imports: readonly ModuleImport[];
  /** Type index of every function, imported ones first. */
  readonly functionTypes: Uint32Array;
  readonly importedFunctions: number;
  readonly tables: readonly TableType[];
  /** Absent when the module has no memory. */
  readonly memory: MemoryType | undefined;
  /** Globals, imported ones included. */
  readonly globals: number;
  /** Whether a function's or global's type has a v128. */
  readonly namesVectors: boolean;
  readonly exports: readonly ModuleExport[];
  /** Index of the start function, if there is one. */
  readonly start: number | undefined;
  readonly elementSegments: number;
  readonly dataSegments: number;
  /** One per function that is not imported. */
  readonly bodies: readonly ByteRange[];
}

/** What is filled in while the sections are read, in their order. */
export interface ShapeDraft {
  types: FunctionType[];
  imports: ModuleImport[];
  functionTypes: Uint32Array;
  importedFunctions: number;
  tables: TableType[];
  memory: MemoryType | undefined;
  globals: number;
  namesVectors: boolean;
  exports: ModuleExport[];
  start: number | undefined;
  elementSegments: number;
  dataSegments: number;
  bodies: ByteRange[];
}

/** Offsets in the file: `[start, end)`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Value types as their bytes in the file: 0x7f i32, 0x7e i64, 0x7d f32, 0x7c f64, 0x7b v128, 0x70 funcref, 0x6f externref. */
export interface FunctionType {
  readonly parameters: Uint8Array;
  readonly results: Uint8Array;
}

export type ExternalKind = "function" | "table" | "memory" | "global";

interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternalKind;
  /** Of a function; -1 for the rest. */
  readonly typeIndex: number;
}

interface ModuleExport {
  readonly name: string;
  readonly kind: ExternalKind;
  readonly index: number;
}

interface MemoryType {
  readonly imported: boolean;
  readonly minimumPages: number;
  readonly maximumPages: number | undefined;
}

interface TableType {
  readonly imported: boolean;
  readonly elementType: number;
  readonly minimum: number;
  readonly maximum: number | undefined;
}

const TYPE_LETTERS: ReadonlyMap<number, string> = new Map([
  [0x7f, "i"],
  [0x7e, "I"],
  [0x7d, "f"],
  [0x7c, "F"],
  [0x7b, "v"],
  [0x70, "r"],
  [0x6f, "r"],
]);

function lettersOf(types: Uint8Array): string {
  return Array.from(types, (byte) => TYPE_LETTERS.get(byte) ?? "?").join("");
}

/** A function type in letters: `i` i32, `I` i64, `f` f32, `F` f64, `v` v128, `r` reference; parameters, colon, results. */
export function signatureOf(type: FunctionType): string {
  return `${lettersOf(type.parameters)}:${lettersOf(type.results)}`;
}
