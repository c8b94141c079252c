import { MAX_JSON_DEPTH } from "../limits.ts";
import type { Located, LocatedField, Position } from "../shape/located.ts";
import { refuse } from "../shape/shape.ts";

/** Text of a plan nests a little deeper than the data of its constants. */
const MAX_TEXT_DEPTH: number = 4 * MAX_JSON_DEPTH;

const BLANK = /[ \t\r\n]*/uy;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/uy;
const STRING = /"(?:[^"\\\n]|\\.)*"/uy;
const WORD = /true|false|null/uy;

/** Reads JSON (RFC 8259) and remembers where everything stands. */
class JsonReader {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  #position(): Position {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #fail(message: string): never {
    return refuse({ at: this.#position() }, message);
  }

  #blank(): void {
    BLANK.lastIndex = this.#at;
    const blank = BLANK.exec(this.#text)?.[0] ?? "";
    for (let end = blank.indexOf("\n"); end >= 0; end = blank.indexOf("\n", end + 1)) {
      this.#line += 1;
      this.#lineStart = this.#at + end + 1;
    }
    this.#at += blank.length;
  }

  #takes(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    this.#blank();
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #found(): string {
    const rest = this.#text.slice(this.#at, this.#at + 12).split("\n")[0] ?? "";
    return this.#at >= this.#text.length ? "the text ends" : `there is ${rest}`;
  }

  whole(): Located {
    this.#blank();
    const value = this.#value();
    return this.#at === this.#text.length ? value : this.#fail(`the text should end where ${this.#found()}`);
  }

  #value(): Located {
    const at = this.#position();
    if (this.#text[this.#at] === "{") return { at, value: this.#object() };
    if (this.#text[this.#at] === "[") return { at, value: this.#array() };
    return { at, value: this.#scalar() };
  }

  #scalar(): string | number | boolean | null {
    if (this.#text[this.#at] === '"') return this.#string();
    const word = this.#match(WORD);
    const number = word === undefined ? this.#match(NUMBER) : undefined;
    if (word === undefined && number === undefined) this.#fail(`a value is expected where ${this.#found()}`);
    this.#blank();
    if (number !== undefined) return Number(number);
    return word === "null" ? null : word === "true";
  }

  #string(): string {
    const at = this.#at;
    const quoted = this.#match(STRING);
    if (quoted === undefined) return this.#fail("a text in quotes does not end on its line");
    let text: string;
    try {
      text = String(JSON.parse(quoted));
    } catch {
      this.#at = at;
      return this.#fail("a text in quotes holds a control character or an escape that JSON does not have");
    }
    this.#blank();
    return text;
  }

  #enter(sign: string): void {
    this.#depth += 1;
    if (this.#depth > MAX_TEXT_DEPTH) this.#fail(`nests deeper than ${MAX_TEXT_DEPTH}`);
    this.#takes(sign);
  }

  #array(): readonly Located[] {
    this.#enter("[");
    const items: Located[] = [];
    while (!this.#takes("]")) {
      if (items.length > 0 && !this.#takes(",")) this.#fail(`"," or "]" is expected where ${this.#found()}`);
      items.push(this.#value());
    }
    this.#depth -= 1;
    return items;
  }

  #object(): ReadonlyMap<string, LocatedField> {
    this.#enter("{");
    const fields = new Map<string, LocatedField>();
    while (!this.#takes("}")) {
      if (fields.size > 0 && !this.#takes(",")) this.#fail(`"," or "}" is expected where ${this.#found()}`);
      const at = this.#position();
      if (this.#text[this.#at] !== '"') this.#fail(`a name in quotes is expected where ${this.#found()}`);
      const name = this.#string();
      if (fields.has(name)) refuse({ at }, `the name "${name.slice(0, 64)}" is there twice`);
      if (!this.#takes(":")) this.#fail(`":" is expected where ${this.#found()}`);
      fields.set(name, { at, value: this.#value() });
    }
    this.#depth -= 1;
    return fields;
  }
}

/** @throws PlanError naming line and column. */
export function readJson(text: string): Located {
  return new JsonReader(text).whole();
}
