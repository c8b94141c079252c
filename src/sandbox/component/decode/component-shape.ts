/** A component as its file says it, before any index is looked up. Definitions stand in the order of the file. */
export interface ComponentShape {
  readonly definitions: readonly Definition[];
}

export type Sort =
  | "core func"
  | "core table"
  | "core memory"
  | "core global"
  | "core module"
  | "core instance"
  | "func"
  | "type"
  | "component"
  | "instance";

export interface SortIndex {
  readonly sort: Sort;
  readonly index: number;
}

export interface NamedItem extends SortIndex {
  readonly name: string;
}

/** `at` is the byte of the file where it begins, for errors. */
export type Definition = { readonly at: number } & (
  | { readonly kind: "core-module"; readonly start: number; readonly end: number }
  | {
      readonly kind: "core-instance";
      readonly module: number;
      readonly args: readonly { readonly name: string; readonly instance: number }[];
    }
  | { readonly kind: "core-inline-instance"; readonly exports: readonly NamedItem[] }
  | { readonly kind: "component"; readonly component: ComponentShape }
  | { readonly kind: "instance"; readonly component: number; readonly args: readonly NamedItem[] }
  | { readonly kind: "inline-instance"; readonly exports: readonly NamedItem[] }
  | AliasDefinition
  | {
      readonly kind: "alias-core-export";
      readonly sort: Sort;
      readonly instance: number;
      readonly name: string;
    }
  | TypeDefinition
  | {
      readonly kind: "lift";
      readonly coreFunc: number;
      readonly options: CanonOptions;
      readonly type: number;
    }
  | { readonly kind: "lower"; readonly func: number; readonly options: CanonOptions }
  | { readonly kind: "resource-new" | "resource-drop" | "resource-rep"; readonly type: number }
  | { readonly kind: "import"; readonly name: string; readonly type: ExternType }
  | { readonly kind: "export"; readonly name: string; readonly item: SortIndex }
);

type AliasDefinition =
  | {
      readonly kind: "alias-export";
      readonly sort: Sort;
      readonly instance: number;
      readonly name: string;
    }
  | { readonly kind: "alias-outer"; readonly sort: Sort; readonly depth: number; readonly index: number };

interface TypeDefinition {
  readonly kind: "type";
  readonly type: TypeShape;
}

/** What a type of an instance or a component is made of. */
export type Declaration = { readonly at: number } & (
  | AliasDefinition
  | TypeDefinition
  | { readonly kind: "import-type" | "export-type"; readonly name: string; readonly type: ExternType }
);

export type ExternType =
  | { readonly kind: "func" | "component" | "instance" | "type-equal"; readonly type: number }
  | { readonly kind: "type-resource" };

export interface CanonOptions {
  readonly encoding: "utf8" | "utf16" | "latin1+utf16";
  /** Indices of a core memory and of core functions. */
  readonly memory: number | undefined;
  readonly realloc: number | undefined;
  readonly postReturn: number | undefined;
}

export type Primitive =
  | "bool"
  | "s8"
  | "u8"
  | "s16"
  | "u16"
  | "s32"
  | "u32"
  | "s64"
  | "u64"
  | "f32"
  | "f64"
  | "char"
  | "string";

/** A value type where it is used: by name or by index. */
export type TypeUse = Primitive | number;

export interface LabelledUse {
  readonly name: string;
  readonly type: TypeUse;
}

export type TypeShape =
  | { readonly kind: "primitive"; readonly primitive: Primitive }
  | { readonly kind: "record"; readonly fields: readonly LabelledUse[] }
  | {
      readonly kind: "variant";
      readonly cases: readonly { readonly name: string; readonly type: TypeUse | undefined }[];
    }
  | { readonly kind: "list" | "option"; readonly type: TypeUse }
  | { readonly kind: "tuple"; readonly types: readonly TypeUse[] }
  | { readonly kind: "flags" | "enum"; readonly names: readonly string[] }
  | { readonly kind: "result"; readonly ok: TypeUse | undefined; readonly error: TypeUse | undefined }
  | { readonly kind: "own" | "borrow"; readonly type: number }
  | {
      readonly kind: "func";
      readonly parameters: readonly LabelledUse[];
      readonly result: TypeUse | undefined;
    }
  | { readonly kind: "instance-type" | "component-type"; readonly declarations: readonly Declaration[] }
  | { readonly kind: "resource"; readonly destructor: number | undefined };
