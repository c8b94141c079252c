import { FailureError } from "../../../protocol/failure.ts";
import type { Primitive } from "../decode/component-shape.ts";
import { MAX_FLAT_PARAMETERS, MAX_TYPE_BYTES, MAX_TYPE_DEPTH } from "../limits.ts";
import type { ResourceType } from "./resource-type.ts";

/** Types as core WebAssembly passes them. */
export type CoreType = "i32" | "i64" | "f32" | "f64";

/** How values of a type lie in memory and how they are passed flat: sections of the Canonical ABI of these names. */
interface Layout {
  /** Bytes. */
  readonly size: number;
  /** Bytes: 1, 2, 4 or 8. */
  readonly alignment: number;
  /** Cut off after one more than may be passed: beyond that values go through memory anyway. */
  readonly flat: readonly CoreType[];
  /** How deep it is built of other types; 1 for a primitive one. */
  readonly depth: number;
}

export interface Field {
  readonly name: string;
  readonly type: ValueType;
  /** Bytes from the beginning. */
  readonly offset: number;
}

export interface CaseType {
  readonly name: string;
  readonly type: ValueType | undefined;
}

export interface PrimitiveType extends Layout {
  readonly kind: Primitive;
}

export interface ListType extends Layout {
  readonly kind: "list";
  readonly element: ValueType;
}

/** Members of a tuple are named by their place. */
export interface RecordType extends Layout {
  readonly kind: "record" | "tuple";
  readonly fields: readonly Field[];
}

/** `option` has the cases none and some, `result` ok and error, an `enum` only cases that carry nothing. */
export interface VariantType extends Layout {
  readonly kind: "variant" | "enum" | "option" | "result";
  readonly cases: readonly CaseType[];
  /** Bytes: 1, 2 or 4. */
  readonly tagBytes: number;
  readonly payloadOffset: number;
}

export interface FlagsType extends Layout {
  readonly kind: "flags";
  readonly names: readonly string[];
}

export interface HandleType extends Layout {
  readonly kind: "own" | "borrow";
  readonly resource: ResourceType;
}

export type ValueType = PrimitiveType | ListType | RecordType | VariantType | FlagsType | HandleType;

export interface FunctionType {
  readonly parameters: readonly { readonly name: string; readonly type: ValueType }[];
  readonly result: ValueType | undefined;
}

const PRIMITIVE_BYTES: Readonly<Record<Primitive, readonly [number, number, readonly CoreType[]]>> = {
  bool: [1, 1, ["i32"]],
  s8: [1, 1, ["i32"]],
  u8: [1, 1, ["i32"]],
  s16: [2, 2, ["i32"]],
  u16: [2, 2, ["i32"]],
  s32: [4, 4, ["i32"]],
  u32: [4, 4, ["i32"]],
  s64: [8, 8, ["i64"]],
  u64: [8, 8, ["i64"]],
  f32: [4, 4, ["f32"]],
  f64: [8, 8, ["f64"]],
  char: [4, 4, ["i32"]],
  string: [8, 4, ["i32", "i32"]],
};

export function primitiveType(kind: Primitive): PrimitiveType {
  const [size, alignment, flat] = PRIMITIVE_BYTES[kind];
  return { kind, size, alignment, flat, depth: 1 };
}

export function align(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

function checked<T extends Layout>(type: T): T {
  if (type.depth > MAX_TYPE_DEPTH)
    throw new FailureError("invalid-module", `a type is built deeper than ${MAX_TYPE_DEPTH} of other types`);
  if (type.size > MAX_TYPE_BYTES)
    throw new FailureError("invalid-module", `values of a type take more than ${MAX_TYPE_BYTES} bytes`);
  return type;
}

function deepest(types: readonly (ValueType | undefined)[]): number {
  return types.reduce((most, type) => Math.max(most, type?.depth ?? 0), 0) + 1;
}

function cut(flat: readonly CoreType[]): readonly CoreType[] {
  return flat.slice(0, MAX_FLAT_PARAMETERS + 1);
}

export function listType(element: ValueType): ListType {
  return checked({
    kind: "list",
    element,
    size: 8,
    alignment: 4,
    flat: ["i32", "i32"],
    depth: element.depth + 1,
  });
}

export function recordType(
  kind: "record" | "tuple",
  members: readonly { readonly name: string; readonly type: ValueType }[],
): RecordType {
  const fields: Field[] = [];
  let flat: readonly CoreType[] = [];
  let size = 0;
  let alignment = 1;
  for (const { name, type } of members) {
    const offset = align(size, type.alignment);
    fields.push({ name, type, offset });
    size = offset + type.size;
    alignment = Math.max(alignment, type.alignment);
    flat = cut([...flat, ...type.flat]);
  }
  const depth = deepest(members.map(({ type }) => type));
  return checked({ kind, fields, size: align(size, alignment), alignment, flat, depth });
}

function tagBytesFor(cases: number): number {
  if (cases <= 256) return 1;
  return cases <= 65_536 ? 2 : 4;
}

/** The core type in which values of both travel. */
function join(a: CoreType, b: CoreType): CoreType {
  if (a === b) return a;
  return (a === "i32" && b === "f32") || (a === "f32" && b === "i32") ? "i32" : "i64";
}

export function variantType(kind: VariantType["kind"], cases: readonly CaseType[]): VariantType {
  const tagBytes = tagBytesFor(cases.length);
  const payload: CoreType[] = [];
  let alignment = 1;
  let largest = 0;
  for (const { type } of cases) {
    if (type === undefined) continue;
    alignment = Math.max(alignment, type.alignment);
    largest = Math.max(largest, type.size);
    for (const [i, each] of type.flat.entries()) {
      const before = payload[i];
      payload[i] = before === undefined ? each : join(before, each);
    }
  }
  const payloadOffset = align(tagBytes, alignment);
  const whole = Math.max(alignment, tagBytes);
  return checked({
    kind,
    cases,
    tagBytes,
    payloadOffset,
    size: align(payloadOffset + largest, whole),
    alignment: whole,
    flat: cut(["i32", ...payload]),
    depth: deepest(cases.map(({ type }) => type)),
  });
}

export function optionType(type: ValueType): VariantType {
  return variantType("option", [
    { name: "none", type: undefined },
    { name: "some", type },
  ]);
}

export function resultType(ok: ValueType | undefined, error: ValueType | undefined): VariantType {
  return variantType("result", [
    { name: "ok", type: ok },
    { name: "error", type: error },
  ]);
}

export function flagsType(names: readonly string[]): FlagsType {
  const size = names.length <= 8 ? 1 : names.length <= 16 ? 2 : 4;
  return { kind: "flags", names, size, alignment: size, flat: ["i32"], depth: 1 };
}

export function handleType(kind: "own" | "borrow", resource: ResourceType): HandleType {
  return { kind, resource, size: 4, alignment: 4, flat: ["i32"], depth: 1 };
}
