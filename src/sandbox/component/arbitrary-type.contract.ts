/* oxlint-disable typescript/switch-exhaustiveness-check -- what has no case of its own is treated alike */
import fc from "fast-check";
import type { Primitive } from "./decode/component-shape.ts";
import {
  flagsType,
  listType,
  optionType,
  primitiveType,
  recordType,
  resultType,
  type ValueType,
  variantType,
} from "./types/value-type.ts";
import { bare, type Value } from "./values/value.ts";

const PRIMITIVES: readonly Primitive[] = [
  "bool",
  "s8",
  "u8",
  "s16",
  "u16",
  "s32",
  "u32",
  "s64",
  "u64",
  "f32",
  "f64",
  "char",
  "string",
];

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${LETTERS[i % 26]}${LETTERS[Math.floor(i / 26)]}`);
}

function named(types: readonly ValueType[]): { name: string; type: ValueType }[] {
  const all = names(types.length);
  return types.map((type, i) => ({ name: all[i] ?? "", type }));
}

/** Any type that a function may have, up to `depth` deep. */
export function arbitraryType(depth: number): fc.Arbitrary<ValueType> {
  const primitive = fc.constantFrom(...PRIMITIVES).map((kind): ValueType => primitiveType(kind));
  if (depth === 0) return primitive;
  const inner = arbitraryType(depth - 1);
  const optional = fc.option(inner, { nil: undefined });
  const several = fc.array(inner, { minLength: 1, maxLength: 4 });
  return fc.oneof(
    primitive,
    inner.map((type): ValueType => listType(type)),
    several.map((types): ValueType => recordType("record", named(types))),
    several.map((types): ValueType =>
      recordType(
        "tuple",
        types.map((type, i) => ({ name: String(i), type })),
      ),
    ),
    fc.array(optional, { minLength: 1, maxLength: 5 }).map((types): ValueType => {
      const all = names(types.length);
      return variantType(
        "variant",
        types.map((type, i) => ({ name: all[i] ?? "", type })),
      );
    }),
    fc.constantFrom(1, 3, 256, 257).map((count): ValueType =>
      variantType(
        "enum",
        names(count).map((name) => ({ name, type: undefined })),
      ),
    ),
    inner.map((type): ValueType => optionType(type)),
    fc.tuple(optional, optional).map(([ok, error]): ValueType => resultType(ok, error)),
    fc.constantFrom(1, 8, 9, 16, 17, 32).map((count): ValueType => flagsType(names(count))),
  );
}

/** Any value of a type. */
export function arbitraryValue(type: ValueType): fc.Arbitrary<Value> {
  switch (type.kind) {
    case "bool":
      return fc.boolean();
    case "s8":
      return fc.integer({ min: -128, max: 127 });
    case "u8":
      return fc.integer({ min: 0, max: 255 });
    case "s16":
      return fc.integer({ min: -32_768, max: 32_767 });
    case "u16":
      return fc.integer({ min: 0, max: 65_535 });
    case "s32":
      return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    case "u32":
      return fc.integer({ min: 0, max: 2 ** 32 - 1 });
    case "s64":
      return fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
    case "u64":
      return fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    case "f32":
      return fc.float();
    case "f64":
      return fc.double();
    case "char":
      return fc.string({ unit: "binary", minLength: 1, maxLength: 1 });
    case "string":
      return fc.string({ unit: "binary", maxLength: 12 });
    case "list":
      if (type.element.kind === "u8") return fc.uint8Array({ maxLength: 20 });
      return fc.array(arbitraryValue(type.element), { maxLength: 4 });
    case "record":
    case "tuple":
      return fc.tuple(...type.fields.map((field) => arbitraryValue(field.type)));
    case "variant":
    case "enum":
    case "option":
    case "result":
      return fc.nat({ max: type.cases.length - 1 }).chain((tag): fc.Arbitrary<Value> => {
        const payload = type.cases[tag]?.type;
        if (payload === undefined) return fc.constant(bare(tag));
        return arbitraryValue(payload).map((value) => ({ tag, payload: value }));
      });
    case "flags":
      return fc.integer({ min: 0, max: 2 ** type.names.length - 1 });
    default:
      throw new TypeError("handles have no value of their own");
  }
}
