import { canonicalJson, type Value } from "./json-value.ts";
import { call, LIMITS, type MemoryFunction } from "./memory-peers.contract.ts";
import { parseExpression } from "./expression/parse-expression.ts";
import type { Graph, NodeId, Plan, PlanNode, Source } from "./plan.ts";
import { parseType, printType } from "./text/type-text.ts";
import { typeOfValue, whyNotAssignable } from "./type-relations.ts";
import type { ValueType } from "./value-type.ts";
import { writeValue } from "./values.ts";
import { typesOf } from "./types-of.ts";

/** Plans grown by chance whose values have all kinds of types and go wherever they fit. */

const TYPES: readonly ValueType[] = [
  "text",
  "number",
  "boolean",
  "json",
  "bytes",
  "text?",
  "list<text>",
  "list<number?>",
  "list<bytes>",
  "{a: text, b: number?}",
].map(parseType);

/** A value of a type; the same for the same number. */
function sample(type: ValueType, number: number): Value {
  switch (type.type) {
    case "text":
      return number % 5 === 0 ? "" : `t${number}"é`;
    case "number":
      return number / 4;
    case "boolean":
      return number % 2 === 0;
    case "nothing":
      return null;
    case "json":
      return number % 3 === 0 ? null : [number, "é", { a: null }];
    case "bytes":
      return Uint8Array.of(number % 256, 255, 0);
    case "optional":
      return number % 3 === 0 ? null : sample(type.of, number);
    case "list":
      return Array.from({ length: number % 4 }, (_, place) => sample(type.of, number + place));
    case "record":
      return Object.fromEntries(
        Object.entries(type.fields).map(([name, of], place) => [name, sample(of, number + place)]),
      );
    default:
      return type satisfies never;
  }
}

/** One function for each type: what it gives follows from what it is given. */
export const TYPED_FUNCTIONS: Readonly<Record<string, MemoryFunction>> = Object.fromEntries(
  TYPES.map((type) => [
    `make ${printType(type)}`,
    (input: Uint8Array): Uint8Array =>
      writeValue(
        type,
        sample(
          type,
          input.reduce((sum, byte) => (sum * 31 + byte) % 997, 7),
        ),
      ),
  ]),
);

interface There {
  readonly source: Source;
  readonly type: ValueType;
}

class TypedGrowth {
  readonly #numbers: readonly number[];
  #at = 0;
  #ids = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  #below(count: number): number {
    const number = this.#numbers[this.#at % this.#numbers.length] ?? 0;
    this.#at += 1;
    return (number + this.#at * 7) % count;
  }

  #of<T>(of: readonly T[]): T {
    const found = of[this.#below(of.length)];
    if (found === undefined) throw new RangeError("there is nothing to choose from");
    return found;
  }

  #constant(type: ValueType): There {
    const made = sample(type, this.#below(50));
    const value = made instanceof Uint8Array ? "bytes" : made;
    return { source: { from: "constant", json: canonicalJson(value) }, type: typeOfValue(value) };
  }

  /** Something that fits where the type is asked for. */
  #fitting(there: readonly There[], type: ValueType): There {
    const fit = there.filter((each) => whyNotAssignable(each.type, type) === undefined);
    if (fit.length > 0 && this.#below(4) > 0) return this.#of(fit);
    return type.type === "list" && type.of.type === "bytes"
      ? { source: { from: "constant", json: "[]" }, type: { type: "list", of: { type: "json" } } }
      : this.#constant(type);
  }

  /** The type itself, or one that asks for less. */
  #wider(type: ValueType): ValueType {
    const wider = [{ type: "json" } as const, { type: "optional", of: type } as const].filter(
      (each) => whyNotAssignable(type, each) === undefined,
    );
    return this.#below(2) === 0 || wider.length === 0 ? type : this.#of(wider);
  }

  graph(size: number, depth: number, params: Readonly<Record<string, ValueType>>): Graph {
    const there: There[] = Object.entries(params).map(([param, type]) => ({
      source: { from: "param", param },
      type,
    }));
    const nodes: Record<NodeId, PlanNode> = {};
    let last: There = this.#constant(this.#of(TYPES.filter(({ type }) => type !== "list")));
    for (let count = 0; count < size; count += 1) {
      const id = `n${(this.#ids += 1)}`;
      nodes[id] = this.#node(there, depth, Object.keys(nodes));
      const type = typesOf({ v: 1, name: "x", graph: { params, nodes, result: last.source } }).get(id);
      if (type === undefined) {
        delete nodes[id];
        continue;
      }
      last = { source: { from: "node", node: id }, type };
      there.push(last);
    }
    return { params, nodes, result: last.source };
  }

  #inner(depth: number, params: Readonly<Record<string, ValueType>>): Graph {
    return this.graph(1 + this.#below(2), depth - 1, params);
  }

  #expression(there: readonly There[]): PlanNode {
    const [a, b, yes] = [this.#of(there), this.#of(there), this.#fitting(there, { type: "boolean" })];
    const text = this.#of([
      "a",
      "a == b",
      "[a, b]",
      "{x: a, y: [b]}",
      "any(a)",
      "yes ? a : b",
      "a ?? b",
      "print_json(a)",
      "[a] ++ [b]",

      "zip([a], [b])",
    ]);
    const all = { a: a.source, b: b.source, yes: yes.source };
    return { kind: "expr", expression: parseExpression(text), with: all };
  }

  #node(before: readonly There[], depth: number, ids: readonly NodeId[]): PlanNode {
    const there =
      before.length === 0 ? [this.#constant({ type: "text" }), this.#constant({ type: "number" })] : before;
    const x = this.#of(there);
    const given = { with: { x: x.source } };
    const inner = (more: Readonly<Record<string, ValueType>> = {}): Graph =>
      this.#inner(depth, { x: this.#wider(x.type), ...more });
    const list = this.#fitting(
      there,
      this.#of([parseType("list<text>"), parseType("list<number?>"), parseType("list<bytes>")]),
    );
    const element = list.type.type === "list" ? list.type.of : ({ type: "json" } as const);
    switch (this.#below(depth > 0 ? 14 : 5)) {
      case 0: {
        const output = this.#of(TYPES);
        return call(`make ${printType(output)}`, { input: x.source, output, limits: LIMITS });
      }
      case 1:
      case 2:
        return this.#expression(there);
      case 3:
        return { kind: "delay", value: x.source, ms: 0 };
      case 4:
        return ids.length === 0
          ? { kind: "stream", of: [x.source, x.source], max: 2 }
          : { kind: "observe", of: ids.slice(-1), atLeast: 1, ms: 5_000 };
      case 5:
        return { kind: "subplan", ...given, graph: inner() };
      case 6:
        return {
          kind: "map",
          over: list.source,
          ...given,
          graph: inner({ item: this.#wider(element), index: { type: "number" } }),
          max: 8,
          parallel: 2,
        };
      case 7: {
        const kept = this.#of(TYPES);
        const initial = this.#fitting(there, kept);
        const graph = inner({ accumulated: kept, item: this.#wider(element) });
        return {
          kind: "reduce",
          over: list.source,
          initial: initial.source,
          ...given,
          graph: this.#ending(graph, kept),
          max: 8,
        };
      }
      case 8:
        return {
          kind: "branch",
          condition: this.#fitting(there, { type: "boolean" }).source,
          ...given,
          then: inner(),
          otherwise: inner(),
        };
      case 9:
        return { kind: "select", ...given, of: [inner(), inner()], rule: "first", k: 1 + this.#below(2) };
      case 10: {
        const failing: Graph = {
          params: {},
          nodes: {
            [`n${(this.#ids += 1)}`]: { kind: "fail", detail: { from: "constant", json: '"on purpose"' } },
          },
          result: { from: "node", node: `n${this.#ids}` },
        };
        const told = parseType("{code: number, name: text, detail: text, node: text}");
        return {
          kind: "attempt",
          ...given,
          graph: this.#below(2) === 0 ? inner() : failing,
          fallback: inner({ failure: told }),
        };
      }
      case 11:
        return { kind: "retry", ...given, graph: inner(), attempts: 2, backoffMs: 0 };
      case 12: {
        const kept = this.#of([parseType("text"), parseType("number"), parseType("json")]);
        const done = `n${(this.#ids += 1)}`;
        const say: PlanNode = {
          kind: "expr",
          expression: parseExpression("{done: turn >= 1, value: value}"),
          with: { turn: { from: "param", param: "turn" }, value: { from: "param", param: "value" } },
        };
        const graph: Graph = {
          params: { value: kept, turn: { type: "number" } },
          nodes: { [done]: say },
          result: { from: "node", node: done },
        };
        return { kind: "loop", initial: this.#fitting(there, kept).source, with: {}, graph, max: 4 };
      }
      default:
        return { kind: "timeout", ...given, graph: inner(), ms: 60_000 };
    }
  }

  /** A graph that gives a value of the type, whatever it came to. */
  #ending(graph: Graph, type: ValueType): Graph {
    const id = `n${(this.#ids += 1)}`;
    const end = call(`make ${printType(type)}`, { input: graph.result, output: type, limits: LIMITS });
    return { ...graph, nodes: { ...graph.nodes, [id]: end }, result: { from: "node", node: id } };
  }
}

export function typedPlan(numbers: readonly number[]): Plan {
  const growth = new TypedGrowth(numbers);
  const params = { p: parseType("text"), q: parseType("list<text>"), r: parseType("bytes") };
  return { v: 1, name: "typed", graph: growth.graph(3 + (numbers.length % 5), 2, params) };
}

/** The plan's parameters. */
export const TYPED_PARAMS: Readonly<Record<string, Uint8Array>> = {
  p: writeValue({ type: "text" }, "é"),
  q: writeValue(parseType("list<text>"), ["one", "two"]),
  r: Uint8Array.of(0, 255),
};
