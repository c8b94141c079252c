import type { Graph, NodeId, PlanNode, Source } from "../plan.ts";
import { PlanError } from "../plan-error.ts";
import type { ValueType } from "../value-type.ts";
import type { Type } from "./types.ts";

/** The result of a node, a parameter or a constant: given on to where its type fits. */
export interface Value<T> extends Type<T> {
  readonly source: Source;
  /** The graph that it belongs to; a constant belongs everywhere. */
  readonly scope?: Scope;
}

/** Ids of a whole plan: no two nodes of it have the same. */
export class Ids {
  readonly #ids = new Set<NodeId>();

  take(id: NodeId): NodeId {
    if (this.#ids.has(id))
      throw new PlanError([{ node: id, path: "", message: "there are two nodes of this name in the plan" }]);
    this.#ids.add(id);
    return id;
  }
}

/**
 * A graph while it is put together. Values of graphs around it may be used in it as if they were its own: they come in as
 * parameters, and the node that it is inside of is told to give them.
 */
export class Scope {
  readonly ids: Ids;
  readonly #outer: Scope | undefined;
  readonly #params = new Map<string, ValueType>();
  /** Parameters that the node around it gives where they are asked for. */
  readonly #offered = new Map<string, ValueType>();
  readonly #nodes = new Map<NodeId, PlanNode>();
  /** Names under which values from outside came in. */
  readonly #brought = new Map<string, { readonly name: string; readonly value: Value<unknown> }>();

  constructor(ids: Ids, outer?: Scope) {
    this.ids = ids;
    this.#outer = outer;
  }

  /** A parameter of the graph. */
  param<T>(name: string, type: Type<T>): Value<T> {
    this.#params.set(name, type.valueType);
    return { valueType: type.valueType, source: { from: "param", param: name }, scope: this };
  }

  /** A parameter that is there if it is used. */
  offered<T>(name: string, type: Type<T>): Value<T> {
    this.#offered.set(name, type.valueType);
    return { valueType: type.valueType, source: { from: "param", param: name }, scope: this };
  }

  add<T>(id: NodeId, node: PlanNode, type: Type<T>): Value<T> {
    this.#nodes.set(this.ids.take(id), node);
    return { valueType: type.valueType, source: { from: "node", node: id }, scope: this };
  }

  /** Where a value comes from, seen from in here. @throws PlanError when it belongs to a graph that this one is not inside of. */
  source(value: Value<unknown>): Source {
    const { scope, source } = value;
    if (scope === undefined) return source;
    if (scope === this) return this.#own(source);
    if (!scope.#isAround(this))
      throw new PlanError([
        {
          path: "",
          message: `the value ${nameOf(source)} belongs to another graph, which does not stand around this one`,
        },
      ]);
    const key = `${source.from}:${nameOf(source)}`;
    const known = this.#brought.get(key);
    if (known !== undefined && known.value.scope === scope) return { from: "param", param: known.name };
    const name = this.#freeName(nameOf(source));
    this.#params.set(name, value.valueType);
    this.#brought.set(known === undefined ? key : `${key}:${name}`, { name, value });
    return { from: "param", param: name };
  }

  #own(source: Source): Source {
    const offered = source.from === "param" ? this.#offered.get(source.param) : undefined;
    if (source.from === "param" && offered !== undefined) this.#params.set(source.param, offered);
    return source;
  }

  #isAround(inner: Scope): boolean {
    const outer = inner.#outer;
    return outer !== undefined && (outer === this || this.#isAround(outer));
  }

  #freeName(wanted: string): string {
    const plain = wanted
      .replaceAll(/[^A-Za-z0-9_]/gu, "_")
      .replace(/^(?=[0-9])/u, "_")
      .slice(0, 60);
    let name = plain;
    for (let count = 2; this.#params.has(name) || this.#offered.has(name); count += 1)
      name = `${plain}_${count}`;
    return name;
  }

  /** What the node around it has to give, in that node's own terms. */
  brought(into: Scope): Readonly<Record<string, Source>> {
    const rows = [...this.#brought.values()].map(({ name, value }): [string, Source] => [
      name,
      into.source(value),
    ]);
    return Object.fromEntries(rows);
  }

  /** @param result of the graph */
  graph(result: Value<unknown>): Graph {
    const source = this.source(result);
    return {
      params: Object.fromEntries(this.#params),
      nodes: Object.fromEntries(this.#nodes),
      result: source,
    };
  }
}

function nameOf(source: Source): string {
  if (source.from === "node") return source.node;
  return source.from === "param" ? source.param : "constant";
}

/** Parameters of all graphs of one node; a name that two of them use stands for the same value in both. */
export function together(all: readonly Readonly<Record<string, Source>>[]): Readonly<Record<string, Source>> {
  const sources = new Map<string, Source>();
  for (const each of all)
    for (const [name, source] of Object.entries(each)) {
      const before = sources.get(name);
      if (before !== undefined && JSON.stringify(before) !== JSON.stringify(source))
        throw new PlanError([
          {
            path: `with.${name}`,
            message: "stands for different values in two graphs of one node; name the nodes differently",
          },
        ]);
      sources.set(name, source);
    }
  return Object.fromEntries(sources);
}
