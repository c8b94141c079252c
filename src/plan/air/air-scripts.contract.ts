/** Scripts of the supported subset of AIR, made by chance, and services whose answers follow from what they are asked. */

/** A whole number from 0 to below `below`. */
type Draw = (below: number) => number;

/** Numbers that can be had again (splitmix32). */
export function drawFrom(seed: number): Draw {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 0;
  return (below) => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) % below;
  };
}

/** What a service's function answers, by the first letter of its name. */
type Answer = "number" | "list" | "record" | "failure";
const ANSWERS: Readonly<Record<string, Answer>> = { n: "number", l: "list", r: "record", x: "failure" };

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/** The answer to a call: small values, so that some of them are equal. */
export function answerOf(
  name: string,
  args: readonly unknown[],
): { readonly value: unknown } | { readonly failure: string } {
  const draw = drawFrom(hashOf(JSON.stringify(args)) ^ hashOf(name));
  switch (ANSWERS[name[0] ?? ""]) {
    case "list":
      return { value: Array.from({ length: draw(4) }, () => draw(3)) };
    case "record":
      return { value: { a: draw(3), b: [draw(3), { c: "text" }] } };
    case "failure":
      return { failure: `${name} fails` };
    case "number":
    case undefined:
    default:
      return { value: draw(3) };
  }
}

interface Variable {
  readonly name: string;
  readonly kind: "number" | "list" | "record" | "fixed-list";
}

interface Scope {
  readonly variables: readonly Variable[];
  /** A failure here is caught further out, or may be left to end the whole. */
  readonly mayFail: boolean;
  /** In the body of a fold: a stream that is not of its own would be every turn's. */
  readonly isRepeated: boolean;
  readonly depth: number;
}

interface Written {
  readonly text: string;
  readonly sets: readonly Variable[];
}

class ScriptWriter {
  readonly #draw: Draw;
  readonly #peers: readonly string[];
  #count = 0;

  constructor(draw: Draw, peers: readonly string[]) {
    this.#draw = draw;
    this.#peers = peers;
  }

  #one<T>(items: readonly T[], otherwise: T): T {
    return items[this.#draw(Math.max(1, items.length))] ?? otherwise;
  }

  #fresh(letter: string): string {
    this.#count += 1;
    return `${letter}${this.#count}`;
  }

  #peer(): string {
    const peer = this.#one([undefined, ...this.#peers], undefined);
    return peer === undefined ? "%init_peer_id%" : `"${peer}"`;
  }

  #value({ variables }: Scope): string {
    const variable = this.#draw(4) === 0 ? undefined : this.#one(variables, undefined);
    if (variable === undefined) return this.#one(["1", "0", `"one"`, "true", "[]"], "2");
    const { name, kind } = variable;
    if (kind === "record")
      return this.#one([name, `${name}.$.a`, `${name}.$.b.[0]`, `${name}.$.b.[1].c`], name);
    return name;
  }

  #call(scope: Scope, letter: string, out: string): string {
    const args = Array.from({ length: this.#draw(3) }, () => this.#value(scope));
    return `(call ${this.#peer()} ("s" "${this.#fresh(letter)}") [${args.join(" ")}]${out})`;
  }

  #setting(scope: Scope): Written {
    const letter = this.#one(["n", "l", "r"], "n");
    const kind = ({ n: "number", l: "list", r: "record" } as const)[letter] ?? "number";
    const name = this.#fresh(letter);
    return { text: this.#call(scope, letter, ` ${name}`), sets: [{ name, kind }] };
  }

  write(scope: Scope): Written {
    if (scope.depth <= 0)
      return this.#draw(3) === 0 ? { text: this.#call(scope, "n", ""), sets: [] } : this.#setting(scope);
    const inner = { ...scope, depth: scope.depth - 1 };
    switch (this.#draw(12)) {
      case 0:
      case 1:
      case 2:
        return this.#seq(inner);
      case 3:
      case 4:
        return this.#par(inner);
      case 5:
        return this.#xor(inner);
      case 6:
        return this.#match(inner);
      case 7:
        return this.#fold(inner);
      case 8:
        return this.#stream(inner);
      case 9:
        return this.#ap(scope);
      case 10:
        return scope.mayFail ? this.#failing(scope) : this.#setting(scope);
      default:
        return this.#seq(inner);
    }
  }

  #seq(scope: Scope): Written {
    const left = this.write(scope);
    const right = this.write({ ...scope, variables: [...scope.variables, ...left.sets] });
    return { text: `(seq ${left.text} ${right.text})`, sets: [...left.sets, ...right.sets] };
  }

  #par(scope: Scope): Written {
    const inside = { ...scope, mayFail: false };
    const left = this.write(inside);
    if (this.#draw(5) === 0) {
      // A branch that fails harms nobody while the other one does not.
      const failing = this.#failing({ ...scope });
      return { text: `(par ${left.text} ${failing.text})`, sets: left.sets };
    }
    const right = this.write(inside);
    // The interpreter does not bring what both branches have set together, unless they end at one peer: seldom.
    const sets = this.#draw(6) === 0 ? [...left.sets, ...right.sets] : right.sets;
    return { text: `(par ${left.text} ${right.text})`, sets };
  }

  #xor(scope: Scope): Written {
    const left = this.write({ ...scope, mayFail: true });
    const right = this.write({ ...scope });
    if (this.#draw(2) === 0) return { text: `(xor ${left.text} ${right.text})`, sets: [] };
    const name = this.#fresh("n");
    const [one, other] = [left, right].map((side) =>
      this.#call({ ...scope, variables: [...scope.variables, ...side.sets] }, "n", ` ${name}`),
    );
    const text = `(xor (seq ${left.text} ${one}) (seq ${right.text} ${other}))`;
    return { text, sets: [{ name, kind: "number" }] };
  }

  #match(scope: Scope): Written {
    const kind = this.#one(["match", "mismatch"], "match");
    const body = this.write({ ...scope });
    const compared = `(${kind} ${this.#value(scope)} ${this.#one(["1", "0", "2"], "1")} ${body.text})`;
    if (scope.mayFail) return { text: compared, sets: body.sets };
    const other = this.write({ ...scope });
    return { text: `(xor ${compared} ${other.text})`, sets: [] };
  }

  #fold(scope: Scope): Written {
    const lists = scope.variables.filter(({ kind }) => kind === "list" || kind === "fixed-list");
    const list = this.#one(lists, undefined);
    if (list === undefined) return this.#seq(scope);
    const iterator = this.#fresh("i");
    const variables: readonly Variable[] = [...scope.variables, { name: iterator, kind: "number" }];
    const isParallel = this.#draw(2) === 0;
    const body = this.write({ ...scope, variables, isRepeated: true, mayFail: scope.mayFail && !isParallel });
    const next = `(next ${iterator})`;
    const [left, right] = this.#draw(4) === 0 && !isParallel ? [next, body.text] : [body.text, next];
    return {
      text: `(fold ${list.name} ${iterator} (${isParallel ? "par" : "seq"} ${left} ${right}))`,
      sets: [],
    };
  }

  /** A stream of its own, filled in order, fixed, and given to a call. */
  #stream(scope: Scope): Written {
    const stream = `$${this.#fresh("s")}`;
    const fixed = `#${this.#fresh("c")}`;
    const pushes = Array.from({ length: 1 + this.#draw(3) }, () =>
      this.#draw(3) === 0 ? `(ap ${this.#value(scope)} ${stream})` : this.#call(scope, "n", ` ${stream}`),
    );
    const variable: Variable = { name: fixed, kind: "fixed-list" };
    const use = this.#call({ ...scope, variables: [variable] }, "n", "");
    const all = [...pushes, `(canon %init_peer_id% ${stream} ${fixed})`, use];
    const text = all.reduceRight((rest, each) => `(seq ${each} ${rest})`);
    return scope.isRepeated || this.#draw(2) === 0
      ? { text: `(new ${stream} ${text})`, sets: [] }
      : { text, sets: [variable] };
  }

  #ap(scope: Scope): Written {
    const variable = this.#one(scope.variables, undefined);
    if (variable === undefined || variable.kind === "fixed-list") return this.#setting(scope);
    const name = this.#fresh("a");
    return { text: `(ap ${variable.name} ${name})`, sets: [{ name, kind: variable.kind }] };
  }

  #failing(scope: Scope): Written {
    if (this.#draw(2) === 0) return { text: `(fail ${1_000 + this.#draw(3)} "on purpose")`, sets: [] };
    return { text: this.#call(scope, "x", this.#draw(2) === 0 ? ` ${this.#fresh("v")}` : ""), sets: [] };
  }
}

/** A script of the subset. @param peers ids of the peers besides the initiator */
export function airScript(seed: number, peers: readonly string[]): string {
  const draw = drawFrom(seed);
  const writer = new ScriptWriter(draw, peers);
  const first: Scope = { variables: [], mayFail: draw(4) === 0, isRepeated: false, depth: 2 + draw(4) };
  const body = writer.write(first);
  return `(seq ${body.text} (call %init_peer_id% ("s" "n0") ["end"]))`;
}
