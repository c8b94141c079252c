import { GraphBuilder } from "./build/graph-builder.ts";
import { Ids, Scope, type Value } from "./build/scope.ts";
import type { TypedPlan } from "./build/typed-plan.ts";
import type { FieldTypes, Type, TypeOf } from "./build/types.ts";
import { requireSound } from "./check.ts";
import type { Plan } from "./plan.ts";

export { GraphBuilder } from "./build/graph-builder.ts";
export { apartFrom, besides, capabilityOf, embedderOf, functionOf, writerOf } from "./build/options.ts";
export type { TypedPlan } from "./build/typed-plan.ts";
export type { Value } from "./build/scope.ts";
export { type Json, t, type Type, type TypeOf } from "./build/types.ts";

type ParamValues<F extends FieldTypes> = { readonly [K in keyof F]: Value<TypeOf<F[K]>> };

/** Each name of the types has been given its value by then. */
function isParams<F extends FieldTypes>(made: object, types: F): made is ParamValues<F> {
  return Object.keys(types).every((name) => Object.hasOwn(made, name));
}

/**
 * A plan as a program: the nodes that `build` adds, and the value that it gives back as the result.
 *
 * ```ts
 * plan("shout", { words: t.list(t.text) }, (g, { words }) =>
 *   g.map("each", words, { max: 100 }, (inner, word) => inner.call("loud", loud, word)));
 * ```
 * @throws PlanError naming all that is wrong with it.
 */
export function plan<const F extends FieldTypes, R>(
  name: string,
  params: F,
  build: (graph: GraphBuilder, params: ParamValues<F>) => Value<R>,
): TypedPlan<{ readonly [K in keyof F]: TypeOf<F[K]> }, R> {
  const scope = new Scope(new Ids());
  const values = Object.fromEntries(
    Object.entries<Type<unknown>>(params).map(([param, type]) => [param, scope.param(param, type)]),
  );
  if (!isParams(values, params)) throw new TypeError("a parameter is missing");
  const made: Plan = { v: 1, name, graph: scope.graph(build(new GraphBuilder(scope), values)) };
  requireSound(made);
  return made;
}
