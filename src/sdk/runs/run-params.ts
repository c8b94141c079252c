import type { Value } from "../../plan/json-value.ts";
import { parseJson } from "../../plan/json-value.ts";
import { typesOf } from "../../plan/check.ts";
import type { Plan } from "../../plan/plan.ts";
import { argsBytes } from "../../plan/runner/inputs.ts";
import type { ValueType } from "../../plan/value-type.ts";
import { readValue, writeValue } from "../../plan/values.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { PlanParams } from "../plan-run.ts";

/** The bytes of a plan's parameters. */
export type ParamBytes = Readonly<Record<string, Uint8Array>>;

/** @throws FailureError `malformed` naming the parameter that is missing, not of its type, or unknown to the plan */
export function paramBytes({ graph }: Plan, given: PlanParams): ParamBytes {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(graph.params, name))
      throw new FailureError("malformed", `the plan has no parameter ${name}`);
  return Object.fromEntries(
    Object.entries(graph.params).map(([name, type]) => [name, bytesOf(name, type, given[name])]),
  );
}

function bytesOf(name: string, type: ValueType, given: unknown): Uint8Array {
  if (given === undefined && type.type !== "optional")
    throw new FailureError("malformed", `the parameter ${name} is not given`);
  try {
    if (given instanceof Uint8Array) {
      readValue(type, given);
      return given;
    }
    return writeValue(type, jsonOf(given ?? null));
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    throw new FailureError("malformed", `the parameter ${name}: ${error.detail}`, { cause: error });
  }
}

/** What a program gives as plain values, bytes inside of lists and records included. @throws FailureError `malformed` */
function jsonOf(given: unknown): Value {
  if (given === null || typeof given === "boolean" || typeof given === "string") return given;
  if (typeof given === "number") {
    if (Number.isFinite(given)) return given;
    throw new FailureError("malformed", `${given} is no number of JSON`);
  }
  if (given instanceof Uint8Array) return given;
  if (Array.isArray(given)) return given.map((each: unknown) => jsonOf(each));
  if (typeof given === "object") {
    const rows = Object.entries(given).filter(([, each]) => each !== undefined);
    return Object.fromEntries(rows.map(([name, each]) => [name, jsonOf(each)]));
  }
  throw new FailureError("malformed", `a ${typeof given} is no value`);
}

/** What a run names by CID: canonical JSON of {name: CID of the value}. */
export function encodeParams(params: ParamBytes): Uint8Array {
  return argsBytes(new Map(Object.entries(params).map(([name, bytes]) => [name, cidOf(RAW, bytes)])));
}

/** The type of a plan's result. */
export function resultType(plan: Plan): ValueType {
  const { result, params } = plan.graph;
  switch (result.from) {
    case "node":
      return typesOf(plan).get(result.node) ?? { type: "json" };
    case "param":
      return params[result.param] ?? { type: "json" };
    case "constant":
      return typeof parseJson(result.json) === "string" ? { type: "text" } : { type: "json" };
    default:
      return result satisfies never;
  }
}
