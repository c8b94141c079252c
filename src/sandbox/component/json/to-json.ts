import { FailureError } from "../../../protocol/failure.ts";
import type { Field, ValueType, VariantType } from "../types/value-type.ts";
import {
  asArray,
  asBigint,
  asBytes,
  asCase,
  asNumber,
  asString,
  mismatch,
  type Value,
} from "../values/value.ts";
import { encodeBase64 } from "./base64.ts";

/**
 * A value as JSON: compact, in the order of its type, the same bytes on every machine. docs/components.md has the table
 * of types.
 *
 * @param mostBytes of the JSON, when nothing in it needs more than one byte
 * @throws FailureError `output-too-large`
 */
export function toJson(type: ValueType | undefined, value: Value | undefined, mostBytes: number): string {
  if (type === undefined) return "null";
  const writer = new JsonWriter(mostBytes);
  writer.value(type, value);
  return writer.finish();
}

class JsonWriter {
  readonly #mostBytes: number;
  #parts: string[] = [];
  #length = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  finish(): string {
    return this.#parts.join("");
  }

  #add(text: string): void {
    this.#length += text.length;
    if (this.#length > this.#mostBytes)
      throw new FailureError("output-too-large", `more than ${this.#mostBytes} bytes of output`);
    this.#parts.push(text);
  }

  value(type: ValueType, value: Value | undefined): void {
    switch (type.kind) {
      case "s8":
      case "u8":
      case "s16":
      case "u16":
      case "s32":
      case "u32":
        return this.#add(String(asNumber(value)));
      case "bool":
        return this.#add(value === true ? "true" : "false");
      case "s64":
      case "u64":
        return this.#add(`"${asBigint(value)}"`);
      case "f32":
      case "f64":
        return this.#add(floatText(asNumber(value)));
      case "char":
      case "string":
        return this.#add(JSON.stringify(asString(value)));
      case "list":
        if (type.element.kind === "u8") return this.#add(`"${encodeBase64(asBytes(value))}"`);
        return this.#sequence(asArray(value), () => type.element);
      case "tuple":
        return this.#sequence(asArray(value), (i) => memberOf(type.fields, i).type);
      case "record":
        return this.#record(type.fields, asArray(value));
      case "variant":
      case "enum":
      case "result":
        return this.#case(type, value);
      case "option":
        return this.#option(type, value);
      case "flags": {
        const bits = asNumber(value);
        return this.#add(JSON.stringify(type.names.filter((_, i) => ((bits >>> i) & 1) === 1)));
      }
      case "own":
      case "borrow":
        return mismatch("value that JSON can hold");
      default:
        return type satisfies never;
    }
  }

  #sequence(values: readonly Value[], typeAt: (i: number) => ValueType): void {
    this.#add("[");
    for (const [i, value] of values.entries()) {
      if (i > 0) this.#add(",");
      this.value(typeAt(i), value);
    }
    this.#add("]");
  }

  #record(fields: readonly Field[], values: readonly Value[]): void {
    for (const [i, { name, type }] of fields.entries()) {
      this.#add(`${i === 0 ? "{" : ","}${JSON.stringify(name)}:`);
      this.value(type, values[i]);
    }
    this.#add("}");
  }

  /** A case that carries nothing is its name, except in a result. */
  #case(type: VariantType, value: Value | undefined): void {
    const { tag, payload } = asCase(value);
    const found = type.cases[tag] ?? mismatch("case");
    if (found.type === undefined && type.kind !== "result") return this.#add(JSON.stringify(found.name));
    this.#add(`{${JSON.stringify(found.name)}:`);
    if (found.type === undefined) this.#add("null");
    else this.value(found.type, payload);
    this.#add("}");
  }

  /** None is null. An option within an option is told apart by an object around what is there. */
  #option(type: VariantType, value: Value | undefined): void {
    const { tag, payload } = asCase(value);
    const inner = type.cases[1]?.type ?? mismatch("option");
    if (tag === 0) return this.#add("null");
    if (inner.kind !== "option") return this.value(inner, payload);
    this.#add('{"some":');
    this.value(inner, payload);
    this.#add("}");
  }
}

function memberOf(fields: readonly Field[], i: number): Field {
  return fields[i] ?? mismatch("tuple");
}

/** The shortest decimal that reads back as the same number; what JSON has no number for is a string. */
function floatText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  return Number.isNaN(value) ? '"NaN"' : value > 0 ? '"Infinity"' : '"-Infinity"';
}
