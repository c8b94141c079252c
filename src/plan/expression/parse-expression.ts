import type { Expression } from "../expression.ts";
import { canonicalJson } from "../json-value.ts";
import { MAX_EXPRESSION_DEPTH, MAX_NAMES } from "../limits.ts";
import { NAMES } from "../names.ts";
import { BINARY, PREFIX } from "./syntax.ts";

/** An expression that cannot be read: what is wrong, and where in its text. */
export class ExpressionSyntaxError extends RangeError {
  /** UTF-16 units from the beginning. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} (at character ${offset + 1} of the expression)`);
    this.offset = offset;
  }
}

interface Token {
  readonly kind: "number" | "text" | "word" | "sign" | "end";
  readonly text: string;
  readonly at: number;
}

const TOKEN =
  /\s*(?:(?<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_]))|(?<text>"(?:[^"\\\p{Cc}]|\\.)*")|(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<sign>\?\?|\|\||&&|==|!=|<=|>=|\+\+|[<>+\-*/%!?:.,()[\]{}]))/uy;

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; ;) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (found === null) {
      const rest = text.slice(at);
      const start = text.length - rest.trimStart().length;
      if (start < text.length)
        throw new ExpressionSyntaxError(`"${text.slice(start, start + 12)}" means nothing here`, start);
      return [...tokens, { kind: "end", text: "", at: text.length }];
    }
    const { number, text: quoted, word, sign } = found.groups ?? {};
    const part = number ?? quoted ?? word ?? sign ?? "";
    const kind =
      number === undefined
        ? quoted === undefined
          ? word === undefined
            ? "sign"
            : "word"
          : "text"
        : "number";
    at = TOKEN.lastIndex;
    tokens.push({ kind, text: part, at: at - part.length });
  }
}

const CONSTANT_WORDS: ReadonlySet<string> = new Set(["true", "false", "null"]);
const END: Token = { kind: "end", text: "", at: 0 };

/** Reads from left to right, one token ahead. */
class ExpressionReader {
  readonly #tokens: readonly Token[];
  #place = 0;
  #depth = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  get #token(): Token {
    return this.#tokens[this.#place] ?? END;
  }

  #is(sign: string): boolean {
    return this.#token.kind === "sign" && this.#token.text === sign;
  }

  #takes(sign: string): boolean {
    if (!this.#is(sign)) return false;
    this.#place += 1;
    return true;
  }

  #fail(message: string): never {
    throw new ExpressionSyntaxError(message, this.#token.at);
  }

  #found(): string {
    return this.#token.kind === "end" ? "the expression ends" : `there is "${this.#token.text}"`;
  }

  #expect(sign: string): void {
    if (!this.#takes(sign)) this.#fail(`"${sign}" is expected where ${this.#found()}`);
  }

  whole(): Expression {
    const expression = this.#ternary();
    return this.#token.kind === "end"
      ? expression
      : this.#fail(`an operator is expected where ${this.#found()}`);
  }

  /** A guard of the reader's own stack; how deep the result may be is for its shape to say. */
  #enter(): void {
    this.#depth += 1;
    if (this.#depth > 2 * MAX_EXPRESSION_DEPTH) this.#fail(`nests deeper than ${MAX_EXPRESSION_DEPTH}`);
  }

  #ternary(): Expression {
    this.#enter();
    const condition = this.#binary(1);
    let made = condition;
    if (this.#takes("?")) {
      const then = this.#ternary();
      this.#expect(":");
      made = { op: "if", condition, then, otherwise: this.#ternary() };
    }
    this.#depth -= 1;
    return made;
  }

  #binary(least: number): Expression {
    let left = this.#unary();
    for (;;) {
      const { kind, text } = this.#token;
      const strength = kind === "sign" ? BINARY.get(text) : undefined;
      if (strength === undefined || strength < least) return left;
      this.#place += 1;
      left = { op: "call", name: text, args: [left, this.#binary(strength + 1)] };
    }
  }

  #unary(): Expression {
    const { kind, text } = this.#token;
    const name = kind === "sign" ? PREFIX.get(text) : undefined;
    if (name === undefined) return this.#postfix(this.#primary());
    this.#place += 1;
    if (text === "-" && this.#token.kind === "number") return this.#postfix(this.#number("-"));
    this.#enter();
    const of = this.#unary();
    this.#depth -= 1;
    return { op: "call", name, args: [of] };
  }

  #postfix(start: Expression): Expression {
    let of = start;
    for (;;) {
      if (this.#takes(".")) of = { op: "field", of, name: this.#word("a field's name") };
      else if (this.#takes("[")) {
        const index = this.#ternary();
        this.#expect("]");
        of = { op: "item", of, index };
      } else return of;
    }
  }

  #word(what: string): string {
    const { kind, text } = this.#token;
    if (kind !== "word" || !NAMES.pattern.test(text))
      this.#fail(`${what} is expected where ${this.#found()}`);
    this.#place += 1;
    return text;
  }

  #number(sign: "" | "-"): Expression {
    const value = Number(sign + this.#token.text);
    if (!Number.isFinite(value)) this.#fail(`${this.#token.text} is too large for a number`);
    this.#place += 1;
    return { op: "constant", json: canonicalJson(value) };
  }

  #quoted(): string {
    try {
      const text = String(JSON.parse(this.#token.text));
      if (!text.isWellFormed()) this.#fail("a text holds half a character");
      this.#place += 1;
      return text;
    } catch (error) {
      if (error instanceof ExpressionSyntaxError) throw error;
      return this.#fail(`${this.#token.text} is no text as JSON has it`);
    }
  }

  #primary(): Expression {
    const { kind, text } = this.#token;
    if (kind === "number") return this.#number("");
    if (kind === "text") return { op: "constant", json: canonicalJson(this.#quoted()) };
    if (kind === "word") return this.#named();
    if (this.#takes("(")) {
      const inner = this.#ternary();
      this.#expect(")");
      return inner;
    }
    if (this.#takes("[")) return { op: "list", items: this.#items("]") };
    if (this.#takes("{")) return { op: "record", fields: this.#fields() };
    return this.#fail(
      text === "" ? "a value is missing at the end" : `a value is expected where ${this.#found()}`,
    );
  }

  #named(): Expression {
    const { text } = this.#token;
    if (CONSTANT_WORDS.has(text)) {
      this.#place += 1;
      return { op: "constant", json: text };
    }
    const name = this.#word("a name");
    return this.#takes("(") ? { op: "call", name, args: this.#items(")") } : { op: "name", name };
  }

  #items(end: string): readonly Expression[] {
    const items: Expression[] = [];
    while (!this.#takes(end)) {
      if (items.length > 0 && !this.#takes(","))
        this.#fail(`"," or "${end}" is expected where ${this.#found()}`);
      if (this.#takes(end)) break;
      items.push(this.#ternary());
    }
    return items;
  }

  #fields(): Readonly<Record<string, Expression>> {
    const fields: [string, Expression][] = [];
    while (!this.#takes("}")) {
      if (fields.length > 0) {
        this.#expect(",");
        if (this.#takes("}")) break;
      }
      if (fields.length >= MAX_NAMES) this.#fail(`a record has more than ${MAX_NAMES} fields`);
      const name = this.#token.kind === "text" ? this.#quoted() : this.#word("a field's name");
      if (name === "__proto__" || name.length > 64)
        this.#fail("a field has a name of 64 characters at most, and not __proto__");
      if (fields.some(([before]) => before === name)) this.#fail(`the field "${name}" is there twice`);
      this.#expect(":");
      fields.push([name, this.#ternary()]);
    }
    return Object.fromEntries(fields);
  }
}

/** @throws ExpressionSyntaxError */
export function parseExpression(text: string): Expression {
  return new ExpressionReader(text).whole();
}
