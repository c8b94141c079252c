import { MAX_FLAT_PARAMETERS, MAX_LIST_BYTES } from "../limits.ts";
import { type CoreType, recordType, type ValueType, type VariantType } from "../types/value-type.ts";
import { type Case, Resource, type Value } from "../values/value.ts";
import { refuseValue, type Side } from "./side.ts";
import { liftString } from "./strings.ts";

/** A value as core functions pass it: i32 and floats as number, i64 as bigint. */
export type CoreValue = number | bigint;

const BITS = new DataView(new ArrayBuffer(8));

function f32Of(bits: number): number {
  BITS.setUint32(0, bits >>> 0, true);
  return BITS.getFloat32(0, true);
}

function f64Of(bits: bigint): number {
  BITS.setBigUint64(0, BigInt.asUintN(64, bits), true);
  return BITS.getFloat64(0, true);
}

/** One NaN for all: which bits a NaN has must not depend on the engine. */
export function oneNaN(value: number): number {
  return Number.isNaN(value) ? Number.NaN : value;
}

function checkChar(code: number): string {
  if (code >= 0x11_0000 || (code >= 0xd800 && code <= 0xdfff))
    return refuseValue(`a char that is no Unicode scalar value: ${code}`);
  return String.fromCodePoint(code);
}

/** Reads the values of a call that were passed flat, or through memory when there are too many for that. */
export function liftValues(
  side: Side,
  types: readonly ValueType[],
  flat: readonly CoreValue[],
  mostFlat: number = MAX_FLAT_PARAMETERS,
): readonly Value[] {
  const count = types.reduce((sum, type) => sum + type.flat.length, 0);
  const source = new FlatReader(flat);
  if (count <= mostFlat) return types.map((type) => liftFlat(side, type, source));
  const pointer = source.i32() >>> 0;
  const area = recordType(
    "tuple",
    types.map((type, i) => ({ name: String(i), type })),
  );
  side.checkRange(pointer, area.size, area.alignment);
  side.move(area.size, types.length, false);
  return area.fields.map(({ type, offset }) => load(side, type, pointer + offset));
}

/** Reads a value from memory that is known to lie within it. */
export function load(side: Side, type: ValueType, at: number): Value {
  const { memory } = side;
  switch (type.kind) {
    case "bool":
      return memory.getU8(at) !== 0;
    case "u8":
      return memory.getU8(at);
    case "s8":
      return (memory.getU8(at) << 24) >> 24;
    case "u16":
      return memory.getU16(at);
    case "s16":
      return (memory.getU16(at) << 16) >> 16;
    case "u32":
      return memory.getU32(at);
    case "s32":
      return memory.getU32(at) | 0;
    case "u64":
      return memory.getU64(at);
    case "s64":
      return BigInt.asIntN(64, memory.getU64(at));
    case "f32":
      return oneNaN(f32Of(memory.getU32(at)));
    case "f64":
      return oneNaN(f64Of(memory.getU64(at)));
    case "char":
      return checkChar(memory.getU32(at));
    case "string":
      return liftString(side, memory.getU32(at), memory.getU32(at + 4));
    case "list":
      return liftList(side, type.element, memory.getU32(at), memory.getU32(at + 4));
    case "record":
    case "tuple":
      side.move(0, type.fields.length, true);
      return type.fields.map((field) => load(side, field.type, at + field.offset));
    case "variant":
    case "enum":
    case "option":
    case "result":
      return loadCase(side, type, at);
    case "flags":
      return maskFlags(loadUnsigned(side, at, type.size), type.names.length);
    case "own":
    case "borrow":
      return liftHandle(side, type, memory.getU32(at));
    default:
      return type satisfies never;
  }
}

function loadUnsigned(side: Side, at: number, bytes: number): number {
  if (bytes === 1) return side.memory.getU8(at);
  return bytes === 2 ? side.memory.getU16(at) : side.memory.getU32(at);
}

function maskFlags(bits: number, names: number): number {
  return names >= 32 ? bits >>> 0 : bits & (2 ** names - 1);
}

function caseTypeOf(type: VariantType, tag: number): ValueType | undefined {
  const found = type.cases[tag];
  return found === undefined ? refuseValue(`case ${tag} of a type with ${type.cases.length}`) : found.type;
}

function loadCase(side: Side, type: VariantType, at: number): Case {
  const tag = loadUnsigned(side, at, type.tagBytes);
  const payload = caseTypeOf(type, tag);
  side.move(0, 1, true);
  return { tag, payload: payload === undefined ? undefined : load(side, payload, at + type.payloadOffset) };
}

function liftList(side: Side, element: ValueType, pointer: number, length: number): Value {
  const bytes = length * element.size;
  if (bytes > MAX_LIST_BYTES) refuseValue(`a list of ${bytes} bytes`);
  side.checkRange(pointer, bytes, element.alignment);
  if (element.kind === "u8") {
    side.move(bytes, 1, true);
    return side.memory.slice(pointer, bytes).slice();
  }
  side.move(bytes, length, false);
  const values: Value[] = [];
  for (let i = 0; i < length; i += 1) values.push(load(side, element, pointer + i * element.size));
  return values;
}

function liftHandle(
  side: Side,
  type: Extract<ValueType, { readonly kind: "own" | "borrow" }>,
  index: number,
): Resource {
  const { handles } = side.ports;
  side.move(0, 1, true);
  if (type.kind === "own") {
    const handle = handles.get(index, type.resource);
    if (handle.lender !== undefined) refuseValue("a borrowed handle as its own");
    handles.remove(index, type.resource);
    return new Resource(type.resource, handle.representation);
  }
  const handle = handles.get(index, type.resource);
  handle.lends += 1;
  side.lent.push(handle);
  return new Resource(type.resource, handle.representation);
}

/** Core values one after the other. */
class FlatReader {
  readonly #values: readonly CoreValue[];
  #at = 0;

  constructor(values: readonly CoreValue[]) {
    this.#values = values;
  }

  i32(): number {
    return Number(this.next());
  }

  i64(): bigint {
    return BigInt(this.next());
  }

  next(): CoreValue {
    const value = this.#values[this.#at];
    if (value === undefined) throw new TypeError("a core function got fewer values than its type says");
    this.#at += 1;
    return value;
  }
}

function liftFlat(side: Side, type: ValueType, source: FlatReader): Value {
  switch (type.kind) {
    case "bool":
      return source.i32() !== 0;
    case "u8":
      return source.i32() & 0xff;
    case "s8":
      return (source.i32() << 24) >> 24;
    case "u16":
      return source.i32() & 0xffff;
    case "s16":
      return (source.i32() << 16) >> 16;
    case "u32":
      return source.i32() >>> 0;
    case "s32":
      return source.i32() | 0;
    case "u64":
      return BigInt.asUintN(64, source.i64());
    case "s64":
      return BigInt.asIntN(64, source.i64());
    case "f32":
    case "f64":
      return oneNaN(source.i32());
    case "char":
      return checkChar(source.i32() >>> 0);
    case "string":
      return liftString(side, source.i32() >>> 0, source.i32() >>> 0);
    case "list":
      return liftList(side, type.element, source.i32() >>> 0, source.i32() >>> 0);
    case "record":
    case "tuple":
      return type.fields.map((field) => liftFlat(side, field.type, source));
    case "variant":
    case "enum":
    case "option":
    case "result":
      return liftFlatCase(side, type, source);
    case "flags":
      return maskFlags(source.i32() >>> 0, type.names.length);
    case "own":
    case "borrow":
      return liftHandle(side, type, source.i32() >>> 0);
    default:
      return type satisfies never;
  }
}

/** All cases share the same core values; one that another case made wider is narrowed first. */
function liftFlatCase(side: Side, type: VariantType, source: FlatReader): Case {
  const tag = source.i32() >>> 0;
  const payload = caseTypeOf(type, tag);
  const wanted = payload?.flat ?? [];
  const values: CoreValue[] = [];
  for (const [i, have] of type.flat.slice(1).entries()) {
    const value = source.next();
    const want = wanted[i];
    if (want !== undefined) values.push(narrow(value, have, want));
  }
  if (payload === undefined) return { tag, payload: undefined };
  return { tag, payload: liftFlat(side, payload, new FlatReader(values)) };
}

function narrow(value: CoreValue, have: CoreType, want: CoreType): CoreValue {
  if (have === want) return value;
  if (want === "f64") return f64Of(BigInt(value));
  const low = typeof value === "bigint" ? Number(BigInt.asIntN(32, value)) : value;
  return want === "f32" ? f32Of(low) : low;
}
