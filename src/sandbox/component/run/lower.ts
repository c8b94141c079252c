import { MAX_FLAT_PARAMETERS, MAX_LIST_BYTES } from "../limits.ts";
import {
  type CoreType,
  type HandleType,
  type RecordType,
  recordType,
  type ValueType,
  type VariantType,
} from "../types/value-type.ts";
import {
  asArray,
  asBigint,
  asBytes,
  asCase,
  asNumber,
  asResource,
  asString,
  mismatch,
  type Value,
} from "../values/value.ts";
import { type CoreValue, oneNaN } from "./lift.ts";
import { refuseValue, type Side } from "./side.ts";
import { lowerString } from "./strings.ts";

const BITS = new DataView(new ArrayBuffer(8));

/** Bits of a float, with one NaN for all. */
function f32Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0_0000;
  BITS.setFloat32(0, value, true);
  return BITS.getUint32(0, true);
}

function f64Bits(value: number): bigint {
  if (Number.isNaN(value)) return 0x7ff8_0000_0000_0000n;
  BITS.setFloat64(0, value, true);
  return BITS.getBigUint64(0, true);
}

/** The values of a call as core values; through memory that the component gives when there are too many. */
export function lowerValues(
  side: Side,
  types: readonly ValueType[],
  values: readonly Value[],
): readonly CoreValue[] {
  const count = types.reduce((sum, type) => sum + type.flat.length, 0);
  if (count > MAX_FLAT_PARAMETERS) {
    const area = tupleOf(types);
    const pointer = side.allocate(area.alignment, area.size);
    storeArea(side, area, values, pointer);
    return [pointer];
  }
  const flat: CoreValue[] = [];
  for (const [i, type] of types.entries()) lowerFlat(side, type, memberOf(values, i), flat);
  return flat;
}

/** Writes a result to where the caller wants it. */
export function storeResult(side: Side, type: ValueType, value: Value, pointer: number): void {
  side.checkRange(pointer, type.size, type.alignment);
  storeArea(side, tupleOf([type]), [value], pointer);
}

function tupleOf(types: readonly ValueType[]): RecordType {
  return recordType(
    "tuple",
    types.map((type, i) => ({ name: String(i), type })),
  );
}

function storeArea(side: Side, area: RecordType, values: readonly Value[], pointer: number): void {
  side.move(area.size, area.fields.length, false);
  for (const [i, { type, offset }] of area.fields.entries())
    store(side, type, memberOf(values, i), pointer + offset);
}

function memberOf(values: readonly Value[], i: number): Value {
  return values[i] ?? mismatch("record");
}

/** Writes a value to memory that is known to have room for it. */
function store(side: Side, type: ValueType, value: Value, at: number): void {
  const { memory } = side;
  switch (type.kind) {
    case "bool":
      return memory.setU8(at, value === true ? 1 : 0);
    case "u8":
    case "s8":
      return memory.setU8(at, asNumber(value));
    case "u16":
    case "s16":
      return memory.setU16(at, asNumber(value));
    case "u32":
    case "s32":
      return memory.setU32(at, asNumber(value));
    case "u64":
    case "s64":
      return memory.setU64(at, asBigint(value));
    case "f32":
      return memory.setU32(at, f32Bits(asNumber(value)));
    case "f64":
      return memory.setU64(at, f64Bits(asNumber(value)));
    case "char":
      return memory.setU32(at, codePoint(value));
    case "string":
      return storePair(side, at, lowerString(side, asString(value)));
    case "list":
      return storePair(side, at, lowerList(side, type.element, value));
    case "record":
    case "tuple": {
      const members = asArray(value);
      for (const [i, field] of type.fields.entries())
        store(side, field.type, memberOf(members, i), at + field.offset);
      return;
    }
    case "variant":
    case "enum":
    case "option":
    case "result":
      return storeCase(side, type, value, at);
    case "flags":
      return storeUnsigned(side, at, type.size, asNumber(value));
    case "own":
    case "borrow":
      return memory.setU32(at, lowerHandle(side, type, value));
    default:
      return type satisfies never;
  }
}

function codePoint(value: Value): number {
  return asString(value).codePointAt(0) ?? mismatch("char");
}

function storePair(side: Side, at: number, [pointer, length]: readonly [number, number]): void {
  side.memory.setU32(at, pointer);
  side.memory.setU32(at + 4, length);
}

function storeUnsigned(side: Side, at: number, bytes: number, value: number): void {
  if (bytes === 1) side.memory.setU8(at, value);
  else if (bytes === 2) side.memory.setU16(at, value);
  else side.memory.setU32(at, value);
}

function storeCase(side: Side, type: VariantType, value: Value, at: number): void {
  const { tag, payload } = asCase(value);
  storeUnsigned(side, at, type.tagBytes, tag);
  const payloadType = type.cases[tag]?.type;
  if (payloadType !== undefined)
    store(side, payloadType, payload ?? mismatch("case"), at + type.payloadOffset);
}

function lowerList(side: Side, element: ValueType, value: Value): readonly [pointer: number, length: number] {
  if (element.kind === "u8") {
    const bytes = asBytes(value);
    checkLength(bytes.length);
    side.move(bytes.length, 1, true);
    const pointer = side.allocate(1, bytes.length);
    side.memory.slice(pointer, bytes.length).set(bytes);
    return [pointer, bytes.length];
  }
  const items = asArray(value);
  const size = items.length * element.size;
  checkLength(size);
  side.move(size, items.length, false);
  const pointer = side.allocate(element.alignment, size);
  for (const [i, item] of items.entries()) store(side, element, item, pointer + i * element.size);
  return [pointer, items.length];
}

function checkLength(bytes: number): void {
  if (bytes > MAX_LIST_BYTES) refuseValue(`a list of ${bytes} bytes`);
}

/** A borrowed handle is the callee's only for the call; a component is given its own resources as they are. */
function lowerHandle(side: Side, type: HandleType, value: Value): number {
  const { representation } = asResource(value);
  const { handles, owner } = side.ports;
  if (type.kind === "own")
    return handles.add({ type: type.resource, representation, lender: undefined, lends: 0 });
  if (
    type.resource.owner === "guest" &&
    type.resource.instance === owner &&
    typeof representation === "number"
  )
    return representation;
  side.scope.borrows += 1;
  return handles.add({ type: type.resource, representation, lender: side.scope, lends: 0 });
}

export function lowerFlat(side: Side, type: ValueType, value: Value, flat: CoreValue[]): void {
  switch (type.kind) {
    case "bool":
      flat.push(value === true ? 1 : 0);
      return;
    case "u64":
    case "s64":
      flat.push(asBigint(value));
      return;
    case "f32":
    case "f64":
      flat.push(oneNaN(asNumber(value)));
      return;
    case "char":
      flat.push(codePoint(value));
      return;
    case "string":
      flat.push(...lowerString(side, asString(value)));
      return;
    case "list":
      flat.push(...lowerList(side, type.element, value));
      return;
    case "record":
    case "tuple": {
      const members = asArray(value);
      for (const [i, field] of type.fields.entries()) lowerFlat(side, field.type, memberOf(members, i), flat);
      return;
    }
    case "variant":
    case "enum":
    case "option":
    case "result":
      return lowerFlatCase(side, type, value, flat);
    case "own":
    case "borrow":
      flat.push(lowerHandle(side, type, value));
      return;
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
    case "flags":
      flat.push(asNumber(value));
      return;
    default:
      return type satisfies never;
  }
}

function lowerFlatCase(side: Side, type: VariantType, value: Value, flat: CoreValue[]): void {
  const { tag, payload } = asCase(value);
  const payloadType = type.cases[tag]?.type;
  const lowered: CoreValue[] = [];
  if (payloadType !== undefined) lowerFlat(side, payloadType, payload ?? mismatch("case"), lowered);
  flat.push(tag);
  for (const [i, want] of type.flat.slice(1).entries()) {
    const have = payloadType?.flat[i];
    const each = lowered[i];
    if (have === undefined || each === undefined) flat.push(want === "i64" ? 0n : 0);
    else flat.push(widen(each, have, want));
  }
}

/** A core value in the type that all cases share. */
function widen(value: CoreValue, have: CoreType, want: CoreType): CoreValue {
  if (have === want) return value;
  if (have === "f64") return f64Bits(Number(value));
  const bits = have === "f32" ? f32Bits(Number(value)) : Number(value) >>> 0;
  return want === "i64" ? BigInt(bits) : bits;
}
