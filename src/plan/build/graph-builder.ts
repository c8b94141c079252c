import { parseJson } from "../json-value.ts";
import { typesOf } from "../types-of.ts";
import type { ValueType } from "../value-type.ts";
import { renamedGraph } from "./renamed.ts";
import { StepBuilder } from "./step-builder.ts";
import type { Graph, NodeId, Plan, PlanNode, SelectNode, Source } from "../plan.ts";
import { PlanError } from "../plan-error.ts";
import { DEFAULT_PARALLEL } from "../shape/plan-shape.ts";
import { joinTypes, typeOfValue } from "../type-relations.ts";
import { baseOf, type NodeOptions } from "./options.ts";
import { Scope, together, type Value } from "./scope.ts";
import type { TypedPlan } from "./typed-plan.ts";
import { t, type Type } from "./types.ts";

/** Why a graph failed, as its fallback is told. */
export interface FailureValue {
  readonly code: number;
  readonly name: string;
  readonly detail: string;
  readonly node: string;
}

const FAILURE: Type<FailureValue> = t.record({ code: t.number, name: t.text, detail: t.text, node: t.text });
export interface MapOptions extends NodeOptions {
  /** Elements at most. */
  readonly max: number;
  /** Elements at a time. */
  readonly parallel?: number;
}

type Inner<T> = (graph: GraphBuilder) => Value<T>;
interface Built {
  readonly graph: Graph;
  readonly sources: Readonly<Record<string, Source>>;
  readonly type: Type<unknown>;
}

/**
 * Puts a graph together. Each method adds a node and gives its value, typed, so that it feeds only where its type fits; values
 * of graphs around may be used inside as they are.
 */
export class GraphBuilder extends StepBuilder {
  /** A graph for each element of a list. */
  map<I, O>(
    id: NodeId,
    over: Value<readonly I[]>,
    options: MapOptions,
    each: (graph: GraphBuilder, item: Value<I>, index: Value<number>) => Value<O>,
  ): Value<readonly O[]> {
    const built = this.#inside((graph, scope) =>
      each(graph, scope.offered("item", elementOf(over)), scope.offered("index", t.number)),
    );
    const node: PlanNode = {
      kind: "map",
      ...baseOf(options),
      over: this.scope.source(over),
      with: built.sources,
      graph: built.graph,
      max: options.max,
      parallel: options.parallel ?? DEFAULT_PARALLEL,
    };
    return this.scope.add(id, node, listType<O>(built));
  }

  /** A map over lists of `size` elements each, whose results are one list again: fewer and larger steps. */
  mapChunks<I, O>(
    id: NodeId,
    over: Value<readonly I[]>,
    options: MapOptions & { readonly size: number },
    each: (graph: GraphBuilder, chunk: Value<readonly I[]>, index: Value<number>) => Value<readonly O[]>,
  ): Value<readonly O[]> {
    const chunks: Type<readonly (readonly I[])[]> = { valueType: { type: "list", of: over.valueType } };
    const cut = this.expr(`${id}-cut`, chunks, `chunk(list, ${options.size})`, { list: over });
    const max = Math.ceil(options.max / options.size);
    const parts = this.map(id, cut, { ...options, max }, each);
    return this.expr(`${id}-whole`, elementOf(parts), "flatten(parts)", { parts });
  }

  /** From left to right over a list. */
  reduce<I, A>(
    id: NodeId,
    over: Value<readonly I[]>,
    initial: Value<A>,
    options: NodeOptions & { readonly max: number; readonly type?: Type<A> },
    each: (graph: GraphBuilder, accumulated: Value<A>, item: Value<I>, index: Value<number>) => Value<A>,
  ): Value<A> {
    const type: Type<A> = options.type ?? initial;
    const built = this.#inside((graph, scope) =>
      each(
        graph,
        scope.offered("accumulated", type),
        scope.offered("item", elementOf(over)),
        scope.offered("index", t.number),
      ),
    );
    const node: PlanNode = {
      kind: "reduce",
      ...baseOf(options),
      over: this.scope.source(over),
      initial: this.scope.source(initial),
      with: built.sources,
      graph: built.graph,
      max: options.max,
    };
    return this.scope.add(id, node, type);
  }

  /** One of two graphs. */
  branch<A, B>(
    id: NodeId,
    condition: Value<boolean>,
    then: Inner<A>,
    otherwise: Inner<B>,
    options: NodeOptions = {},
  ): Value<A | B> {
    const [yes, no] = [this.#inside(then), this.#inside(otherwise)];
    const node: PlanNode = {
      kind: "branch",
      ...baseOf(options),
      condition: this.scope.source(condition),
      with: together([yes.sources, no.sources]),
      then: yes.graph,
      otherwise: no.graph,
    };
    return this.scope.add(id, node, both<A | B>(yes, no));
  }

  /** The first of several alternatives to end, or the result that `k` of them agree on. The others are cancelled. */
  select<T>(
    id: NodeId,
    of: readonly Inner<T>[],
    options: NodeOptions & { readonly rule?: SelectNode["rule"]; readonly k?: number } = {},
  ): Value<T> {
    const { rule = "first", k = 1 } = options;
    if (rule === "first" && k > 1)
      throw new PlanError([{ node: id, path: "k", message: "the first several are a list: use firstOf" }]);
    return this.#select<T>(id, of, { ...options, rule, k });
  }

  /** The results of the first `k` alternatives to end. */
  firstOf<T>(id: NodeId, k: number, of: readonly Inner<T>[], options: NodeOptions = {}): Value<readonly T[]> {
    if (k < 2)
      throw new PlanError([{ node: id, path: "k", message: "has to be at least 2; select takes one" }]);
    return this.#select<readonly T[]>(id, of, { ...options, rule: "first", k });
  }

  #select<T>(
    id: NodeId,
    of: readonly Inner<unknown>[],
    options: NodeOptions & Pick<SelectNode, "rule" | "k">,
  ): Value<T> {
    const { rule, k } = options;
    const built = of.map((each) => this.#inside(each));
    const node: PlanNode = {
      kind: "select",
      ...baseOf(options),
      with: together(built.map(({ sources }) => sources)),
      of: built.map(({ graph }) => graph),
      rule,
      k,
    };
    const [first, ...rest] = built.map(({ type }) => type.valueType);
    const valueType = rest.reduce(joinTypes, first ?? { type: "nothing" });
    return this.scope.add<T>(id, node, {
      valueType: rule === "first" && k > 1 ? { type: "list", of: valueType } : valueType,
    });
  }

  /** A graph, and another one where it fails. */
  attempt<A, B>(
    id: NodeId,
    graph: Inner<A>,
    fallback: (graph: GraphBuilder, failure: Value<FailureValue>) => Value<B>,
    options: NodeOptions = {},
  ): Value<A | B> {
    const first = this.#inside(graph);
    const second = this.#inside((inner, scope) => fallback(inner, scope.offered("failure", FAILURE)));
    const node: PlanNode = {
      kind: "attempt",
      ...baseOf(options),
      with: together([first.sources, second.sources]),
      graph: first.graph,
      fallback: second.graph,
    };
    return this.scope.add(id, node, both<A | B>(first, second));
  }

  /** A graph again when it fails for a reason that may pass. */
  retry<T>(
    id: NodeId,
    options: NodeOptions & { readonly attempts: number; readonly backoffMs?: number },
    graph: Inner<T>,
  ): Value<T> {
    const built = this.#inside(graph);
    const node: PlanNode = {
      kind: "retry",
      ...baseOf(options),
      with: built.sources,
      graph: built.graph,
      attempts: options.attempts,
      backoffMs: options.backoffMs ?? 1_000,
    };
    return this.scope.add<T>(id, node, { valueType: built.type.valueType });
  }

  /** A graph that fails when it takes longer than so many milliseconds. */
  timeout<T>(id: NodeId, ms: number, graph: Inner<T>, options: NodeOptions = {}): Value<T> {
    const built = this.#inside(graph);
    const node: PlanNode = {
      kind: "timeout",
      ...baseOf(options),
      with: built.sources,
      graph: built.graph,
      ms,
    };
    return this.scope.add<T>(id, node, { valueType: built.type.valueType });
  }

  /** A graph again and again until it says that it is done. */
  loop<T>(
    id: NodeId,
    initial: Value<T>,
    options: NodeOptions & { readonly max: number; readonly type?: Type<T> },
    turn: (
      graph: GraphBuilder,
      value: Value<T>,
      turn: Value<number>,
    ) => Value<{ readonly done: boolean; readonly value: T }>,
  ): Value<T> {
    const type: Type<T> = options.type ?? initial;
    const built = this.#inside((graph, scope) =>
      turn(graph, scope.offered("value", type), scope.offered("turn", t.number)),
    );
    const node: PlanNode = {
      kind: "loop",
      ...baseOf(options),
      initial: this.scope.source(initial),
      with: built.sources,
      graph: built.graph,
      max: options.max,
    };
    return this.scope.add(id, node, type);
  }

  /** A graph of its own, for order: what is inside has its own names in pictures and records. */
  subplan<T>(id: NodeId, graph: Inner<T>, options: NodeOptions = {}): Value<T> {
    const built = this.#inside(graph);
    const node: PlanNode = { kind: "subplan", ...baseOf(options), with: built.sources, graph: built.graph };
    return this.scope.add<T>(id, node, { valueType: built.type.valueType });
  }

  /**
   * Another plan as one node of this one: its parameters are given, and its result is the node's value. Its nodes get names
   * that begin with the node's own.
   */
  include<P extends object, R>(
    id: NodeId,
    plan: TypedPlan<P, R>,
    params: { readonly [K in keyof P]: Value<P[K]> },
    options: NodeOptions = {},
  ): Value<R> {
    const rename = (inner: NodeId): NodeId => this.scope.ids.take(`${id}-${inner}`);
    const names = new Map([...typesOf(plan).keys()].map((inner) => [inner, rename(inner)]));
    const given = Object.entries<Value<unknown>>(params).map(
      ([name, value]) => [name, this.scope.source(value)] as const,
    );
    const node: PlanNode = {
      kind: "subplan",
      ...baseOf(options),
      with: Object.fromEntries(given),
      graph: renamedGraph(plan.graph, (inner) => names.get(inner) ?? inner),
    };
    return this.scope.add<R>(id, node, { valueType: resultType(plan) });
  }

  #inside(make: (graph: GraphBuilder, scope: Scope) => Value<unknown>): Built {
    const scope = new Scope(this.scope.ids, this.scope);
    const result = make(new GraphBuilder(scope), scope);
    const graph = scope.graph(result);
    return { graph, sources: scope.brought(this.scope), type: { valueType: result.valueType } };
  }
}

function resultType(plan: Plan): ValueType {
  const { params, result } = plan.graph;
  if (result.from === "constant") return typeOfValue(parseJson(result.json));
  const type = result.from === "param" ? params[result.param] : typesOf(plan).get(result.node);
  return type ?? { type: "json" };
}

function elementOf<I>(list: Value<readonly I[]>): Type<I> {
  const { valueType } = list;
  return { valueType: valueType.type === "list" ? valueType.of : { type: "json" } };
}

function listType<O>({ type }: Built): Type<readonly O[]> {
  return { valueType: { type: "list", of: type.valueType } };
}

/** A graph whose result is a node that fails gives nothing, and the other says all. */
function both<T>(a: Built, b: Built): Type<T> {
  if (failsAlways(a.graph)) return { valueType: b.type.valueType };
  if (failsAlways(b.graph)) return { valueType: a.type.valueType };
  return { valueType: joinTypes(a.type.valueType, b.type.valueType) };
}

function failsAlways({ result, nodes }: Graph): boolean {
  return result.from === "node" && nodes[result.node]?.kind === "fail";
}
