import { parseExpression } from "../expression/parse-expression.ts";
import { TypeMismatch } from "../expression/builtin.ts";
import { typeOfExpression } from "../expression/type-of-expression.ts";
import { canonicalJson, type Value as Data } from "../json-value.ts";
import type { AgentTool, Capability, NodeId, PlanNode } from "../plan.ts";
import { PlanError } from "../plan-error.ts";
import { DEFAULT_EFFECT_LIMITS } from "../shape/plan-shape.ts";
import { joinTypes, typeOfValue, whyNotAssignable } from "../type-relations.ts";
import { microCredits } from "../../protocol/units.ts";
import { baseOf, type NodeOptions, type RemoteOptions, remoteOf, type TypedCallee } from "./options.ts";
import type { Scope, Value } from "./scope.ts";
import { type Json, t, type Type } from "./types.ts";

const SEEN: Type<readonly Seen[]> = t.list(
  t.record({ node: t.text, iteration: t.text, done: t.boolean, value: t.optional(t.json) }),
);

/** One thing that an observe node saw. */
export interface Seen {
  readonly node: string;
  readonly iteration: string;
  readonly done: boolean;
  readonly value: Json | null;
}

/** The nodes of a graph that have no graphs inside. */
export class StepBuilder {
  protected readonly scope: Scope;

  constructor(scope: Scope) {
    this.scope = scope;
  }

  /** A value that is part of the plan. @throws PlanError for bytes, which come in as a parameter. */
  constant<const T extends Json>(value: T): Value<T> {
    const data: Data = value;
    return { valueType: typeOfValue(data), source: { from: "constant", json: canonicalJson(data) } };
  }

  /** One call of a function or model at a peer. @throws PlanError when the input is not of the type that the callee takes */
  call<I, O>(id: NodeId, callee: TypedCallee<I, O>, input: Value<I>, options: RemoteOptions = {}): Value<O> {
    const problem = whyNotAssignable(input.valueType, callee.input.valueType);
    if (problem !== undefined) throw new PlanError([{ node: id, path: "input", message: problem }]);
    const node: PlanNode = {
      kind: "call",
      ...remoteOf(options, callee.limits),
      callee: callee.callee,
      input: this.scope.source(input),
      output: callee.output.valueType,
    };
    return this.scope.add(id, node, callee.output);
  }

  /** Something that cannot be computed again: recorded, signed, and replayed from its record. */
  effect<O>(
    id: NodeId,
    capability: Capability,
    request: Value<Json>,
    output: Type<O>,
    options: RemoteOptions = {},
  ): Value<O> {
    const node: PlanNode = {
      kind: "effect",
      ...remoteOf(options, undefined, DEFAULT_EFFECT_LIMITS),
      capability,
      request: this.scope.source(request),
      output: output.valueType,
    };
    return this.scope.add(id, node, output);
  }

  /** A model, or a function that speaks as one, that chooses tools until it has an answer. */
  agent<I, O>(
    id: NodeId,
    mind: TypedCallee<unknown, unknown>,
    task: Value<I>,
    about: RemoteOptions & {
      readonly tools: readonly AgentTool[];
      readonly maxSteps: number;
      /** Micro-credits. */
      readonly budget: bigint | number;
      readonly output: Type<O>;
    },
  ): Value<O> {
    const node: PlanNode = {
      kind: "agent",
      ...remoteOf(about, mind.limits),
      mind: mind.callee,
      task: this.scope.source(task),
      tools: about.tools,
      maxSteps: about.maxSteps,
      budget: microCredits(about.budget),
      output: about.output.valueType,
    };
    return this.scope.add(id, node, about.output);
  }

  /**
   * A pure expression over other values: `g.expr("title", t.text, "trim(page.title)", { page })`.
   * @throws PlanError when it cannot be read, or its value is not of the type.
   */
  expr<O>(
    id: NodeId,
    output: Type<O>,
    expression: string,
    given: Readonly<Record<string, Value<unknown>>> = {},
    options: NodeOptions = {},
  ): Value<O> {
    const names = Object.entries(given).map(([name, value]) => [name, value.valueType] as const);
    try {
      const parsed = parseExpression(expression);
      const problem = whyNotAssignable(typeOfExpression(parsed, Object.fromEntries(names)), output.valueType);
      if (problem !== undefined) throw new TypeMismatch(problem);
      const sources = Object.entries(given).map(([name, value]) => [name, this.scope.source(value)] as const);
      const node: PlanNode = {
        kind: "expr",
        ...baseOf(options),
        expression: parsed,
        with: Object.fromEntries(sources),
      };
      return this.scope.add(id, node, output);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new PlanError([{ node: id, path: "expression", message: error.message }]);
    }
  }

  /** A value, so many milliseconds later. */
  delay<T>(id: NodeId, value: Value<T>, ms: number, options: NodeOptions = {}): Value<T> {
    const node: PlanNode = { kind: "delay", ...baseOf(options), value: this.scope.source(value), ms };
    return this.scope.add<T>(id, node, { valueType: value.valueType });
  }

  /** What has ended, and how, at a moment: when `atLeast` have, or so many milliseconds have passed. */
  observe(
    id: NodeId,
    of: readonly Value<unknown>[],
    options: NodeOptions & { readonly atLeast: number; readonly ms: number },
  ): Value<readonly Seen[]> {
    const ids = of.flatMap(({ source }) => (source.from === "node" ? [source.node] : []));
    const { atLeast, ms } = options;
    return this.scope.add(id, { kind: "observe", ...baseOf(options), of: ids, atLeast, ms }, SEEN);
  }

  /** Values in the order in which they come, `max` at most. */
  stream<T>(
    id: NodeId,
    of: readonly Value<T>[],
    options: NodeOptions & { readonly max?: number } = {},
  ): Value<readonly T[]> {
    const sources = of.map((value) => this.scope.source(value));
    const [first, ...rest] = of.map(({ valueType }) => valueType);
    const valueType = rest.reduce(joinTypes, first ?? { type: "nothing" });
    const node: PlanNode = { kind: "stream", ...baseOf(options), of: sources, max: options.max ?? of.length };
    return this.scope.add<readonly T[]>(id, node, { valueType: { type: "list", of: valueType } });
  }

  /** Several values as one list: where branches of a fan-out come together. */
  list<T>(id: NodeId, of: readonly Value<T>[], options: NodeOptions = {}): Value<readonly T[]> {
    const [first, ...rest] = of.map(({ valueType }) => valueType);
    const valueType = rest.reduce(joinTypes, first ?? { type: "nothing" });
    const names = of.map((_, place) => `v${place}`);
    const given = Object.fromEntries(of.map((value, place) => [`v${place}`, value]));
    const type: Type<readonly T[]> = { valueType: { type: "list", of: valueType } };
    return this.expr(id, type, `[${names.join(", ")}]`, given, options);
  }

  /** Fails on purpose. */
  fail(id: NodeId, detail: Value<string>, options: NodeOptions = {}): Value<never> {
    const node: PlanNode = { kind: "fail", ...baseOf(options), detail: this.scope.source(detail) };
    return this.scope.add<never>(id, node, { valueType: { type: "nothing" } });
  }
}
