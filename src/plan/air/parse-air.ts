import { AirError, type AirInstruction, type AirPath, type AirPosition, type AirValue } from "./air-tree.ts";
import { type AirToken, readTokens } from "./read-tokens.ts";

/** Nested brackets at most: more is no program that a person or compiler writes. */
const MAX_AIR_DEPTH = 200;

/** Reads one AIR instruction. @throws AirError where it is none, or not of the subset. */
export function parseAir(source: string): AirInstruction {
  const reader = new AirReader(readTokens(source));
  const instruction = reader.instruction(0);
  reader.end();
  return instruction;
}

const NAME = /^[A-Za-z_-][A-Za-z0-9_-]*$/;

class AirReader {
  readonly #tokens: readonly AirToken[];
  #at = 0;

  constructor(tokens: readonly AirToken[]) {
    this.#tokens = tokens;
  }

  end(): void {
    if (this.#peek().kind !== "end")
      throw new AirError(this.#peek(), "one instruction was expected, and here is more");
  }

  instruction(depth: number): AirInstruction {
    const open = this.#expect("open", "an instruction, as in (call …)");
    const position = { line: open.line, column: open.column };
    if (depth > MAX_AIR_DEPTH) throw new AirError(position, `instructions nest deeper than ${MAX_AIR_DEPTH}`);
    const instruction = this.#body(this.#word("the name of an instruction"), position, depth + 1);
    this.#expect("close", "a closing bracket");
    return instruction;
  }

  #body(name: string, position: AirPosition, depth: number): AirInstruction {
    switch (name) {
      case "call":
        return this.#call(position);
      case "seq":
      case "par":
      case "xor":
        return { ...position, kind: name, left: this.instruction(depth), right: this.#rest(depth) };
      case "match":
      case "mismatch":
        return {
          ...position,
          kind: name,
          left: this.#value(),
          right: this.#value(),
          body: this.instruction(depth),
        };
      case "ap":
        return { ...position, kind: "ap", value: this.#value(), out: this.#variable("$") };
      case "new":
        return { ...position, kind: "new", name: this.#variable("$#"), body: this.instruction(depth) };
      case "fail":
        return this.#fail(position);
      case "canon":
        return {
          ...position,
          kind: "canon",
          peer: this.#value(),
          stream: this.#variable("$"),
          out: this.#variable("#"),
        };
      case "fold":
        return this.#fold(position, depth);
      case "next":
        return { ...position, kind: "next", iterator: this.#word("an iterator") };
      case "null":
      case "never":
        return { ...position, kind: name };
      default:
        throw new AirError(position, `"${name}" is no instruction that can be imported`);
    }
  }

  /** The right side of a pair. Some compilers leave an empty one out. */
  #rest(depth: number): AirInstruction {
    const { kind, line, column } = this.#peek();
    return kind === "close" ? { line, column, kind: "null" } : this.instruction(depth);
  }

  #call(position: AirPosition): AirInstruction {
    const peer = this.#value();
    this.#expect("open", "a service and function in brackets");
    const service = this.#value();
    const name = this.#value();
    this.#expect("close", "a closing bracket");
    this.#expect("open-list", "arguments in square brackets");
    const args: AirValue[] = [];
    while (this.#peek().kind !== "close-list") args.push(this.#value());
    this.#expect("close-list", "a closing square bracket");
    const hasOut = this.#peek().kind === "word";
    return {
      ...position,
      kind: "call",
      peer,
      service,
      name,
      args,
      ...(hasOut ? { out: this.#variable("$") } : {}),
    };
  }

  #fail(position: AirPosition): AirInstruction {
    const code = this.#value();
    if (code.kind === "error") return { ...position, kind: "rethrow" };
    if (code.kind !== "constant" || typeof code.value !== "number")
      throw new AirError(code, 'only (fail CODE "message") can be imported, not an error that is passed on');
    const message = this.#value();
    if (message.kind !== "constant" || typeof message.value !== "string")
      throw new AirError(message, "the message of fail is a text");
    return { ...position, kind: "fail", code: code.value, message: message.value };
  }

  #fold(position: AirPosition, depth: number): AirInstruction {
    const over = this.#value("$#");
    const iterator = this.#variable("");
    const body = this.instruction(depth);
    const hasLast = this.#peek().kind === "open";
    return {
      ...position,
      kind: "fold",
      over,
      iterator,
      body,
      ...(hasLast ? { last: this.instruction(depth) } : {}),
    };
  }

  /** A variable of a kind: scalars have no sign before their name, streams "$", fixed lists "#". */
  #variable(signs: string): string {
    const { line, column } = this.#peek();
    const word = this.#word("a variable");
    const bare = signs.includes(word[0] ?? " ") ? word.slice(1) : word;
    if (!NAME.test(bare))
      throw new AirError({ line, column }, `"${word}" is no variable that can stand here`);
    return word;
  }

  #value(signs = "#"): AirValue {
    const token = this.#next();
    const { line, column } = token;
    const position = { line, column };
    if (token.kind === "text") return { ...position, kind: "constant", value: token.text };
    if (token.kind === "open-list") {
      this.#expect("close-list", "an empty list: lists are made by services");
      return { ...position, kind: "constant", value: [] };
    }
    if (token.kind !== "word") throw new AirError(position, "a value was expected here");
    const { text } = token;
    if (text === "true" || text === "false") return { ...position, kind: "constant", value: text === "true" };
    if (/^-?\d+(?:\.\d+)?$/.test(text)) return { ...position, kind: "constant", value: Number(text) };
    if (/^(?::error:|%last_error%)/.test(text)) return { ...position, kind: "error" };
    if (text === "%init_peer_id%") return { ...position, kind: "initiator" };
    return this.#reference(text, position, signs);
  }

  #reference(text: string, position: AirPosition, signs: string): AirValue {
    const [, name = "", lambda] = /^([^.]+?)(?:\.\$(.*)|(\.length))?$/.exec(text) ?? [];
    const bare = signs.includes(name[0] ?? " ") ? name.slice(1) : name;
    if (!NAME.test(bare) || text.endsWith(".length"))
      throw new AirError(position, `"${text}" is no value that can be imported`);
    return {
      ...position,
      kind: "variable",
      name,
      path: lambda === undefined ? [] : pathOf(lambda, position),
    };
  }

  #word(what: string): string {
    const token = this.#next();
    if (token.kind !== "word") throw new AirError(token, `${what} was expected here`);
    return token.text;
  }

  #expect(kind: AirToken["kind"], what: string): AirToken {
    const token = this.#next();
    if (token.kind !== kind) throw new AirError(token, `${what} was expected here`);
    return token;
  }

  #peek(): AirToken {
    const token = this.#tokens[Math.min(this.#at, this.#tokens.length - 1)];
    if (token === undefined) throw new AirError({ line: 1, column: 1 }, "there is nothing");
    return token;
  }

  #next(): AirToken {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }
}

/** `.a.[0].b` as ["a", 0, "b"]. */
function pathOf(lambda: string, position: AirPosition): AirPath {
  const parts = [...lambda.matchAll(/\.(?:\[(\d+)\]|([A-Za-z_][A-Za-z0-9_-]*))!?/g)];
  if (parts.map(([whole]) => whole).join("") !== lambda)
    throw new AirError(position, `".$${lambda}" is no path that can be imported`);
  return parts.map(([, index, name = ""]) => (index === undefined ? name : Number(index)));
}
