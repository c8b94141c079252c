import { MAX_TYPE_DEPTH } from "../limits.ts";
import { byKey, FIELD_NAMES, NAMES } from "../names.ts";
import type { ValueType } from "../value-type.ts";

const PLAIN = ["bytes", "text", "boolean", "number", "nothing", "json"] as const;

/** A type as people write it: "list<text>", "{title: text, score: number}", "number?". The inverse of parseType. */
export function printType(type: ValueType): string {
  switch (type.type) {
    case "bytes":
    case "text":
    case "boolean":
    case "number":
    case "nothing":
    case "json":
      return type.type;
    case "list":
      return `list<${printType(type.of)}>`;
    case "optional":
      return `${printType(type.of)}?`;
    case "record":
      return `{${Object.keys(type.fields)
        .toSorted(byKey)
        .map((name) => `${printName(name)}: ${printType(type.fields[name] ?? { type: "nothing" })}`)
        .join(", ")}}`;
    default:
      return type satisfies never;
  }
}

/** A field's name, in quotes where it is no plain word. */
function printName(name: string): string {
  return NAMES.pattern.test(name) ? name : JSON.stringify(name);
}

const TOKEN = /\s*(?:([A-Za-z_][A-Za-z0-9_]*)|("(?:[^"\\]|\\.)*")|([<>{}:,?]))/uy;

/** Reads a type from left to right, one token ahead. */
class TypeReader {
  readonly #text: string;
  #at = 0;
  #token = "";

  constructor(text: string) {
    this.#text = text;
    this.#next();
  }

  #next(): string {
    const before = this.#token;
    TOKEN.lastIndex = this.#at;
    const found = TOKEN.exec(this.#text);
    if (found === null) {
      if (this.#text.slice(this.#at).trim() !== "") this.#fail();
      this.#token = "";
    } else {
      this.#token = found[1] ?? found[2] ?? found[3] ?? "";
      this.#at = TOKEN.lastIndex;
    }
    return before;
  }

  #fail(): never {
    throw new RangeError(
      `"${this.#text}" is not a type: it is one of ${PLAIN.join(", ")}, list<…>, {name: …}, or one of them with "?" behind it`,
    );
  }

  #expect(token: string): void {
    if (this.#next() !== token) this.#fail();
  }

  whole(): ValueType {
    const type = this.#type(1);
    return this.#token === "" ? type : this.#fail();
  }

  #type(depth: number): ValueType {
    if (depth > MAX_TYPE_DEPTH) throw new RangeError(`a type nests deeper than ${MAX_TYPE_DEPTH}`);
    let type = this.#simple(depth);
    while (this.#token === "?") {
      this.#next();
      type = { type: "optional", of: type };
    }
    return type;
  }

  #simple(depth: number): ValueType {
    const token = this.#next();
    if (token === "{") return this.#record(depth);
    if (token === "list") {
      this.#expect("<");
      const of = this.#type(depth + 1);
      this.#expect(">");
      return { type: "list", of };
    }
    const word = PLAIN.find((each) => each === token);
    return word === undefined ? this.#fail() : { type: word };
  }

  #record(depth: number): ValueType {
    const fields: [string, ValueType][] = [];
    while (this.#token !== "}") {
      const token = this.#next();
      const name = token.startsWith('"') ? String(JSON.parse(token)) : token;
      if (!/^["A-Za-z_]/u.test(token) || !FIELD_NAMES.pattern.test(name)) this.#fail();
      if (fields.some(([before]) => before === name))
        throw new RangeError(`a type names the field "${name}" twice`);
      this.#expect(":");
      fields.push([name, this.#type(depth + 1)]);
      if (this.#token === "}") break;
      this.#expect(",");
    }
    this.#next();
    return { type: "record", fields: Object.fromEntries(fields) };
  }
}

/** @throws RangeError saying what a type looks like. */
export function parseType(text: string): ValueType {
  return new TypeReader(text).whole();
}
