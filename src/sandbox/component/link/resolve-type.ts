import { refuseModule } from "../../decode/byte-reader.ts";
import type { TypeShape, TypeUse } from "../decode/component-shape.ts";
import {
  flagsType,
  type FunctionType,
  handleType,
  listType,
  optionType,
  primitiveType,
  recordType,
  resultType,
  type ValueType,
  variantType,
} from "../types/value-type.ts";
import type { ResourceType } from "../types/resource-type.ts";
import type { Scope, TypeEntity } from "./scope.ts";

/**
 * The type that a definition means where it stands. Types refer only to what was defined before them, so this ends.
 * @throws FailureError `invalid-module`
 */
export function resolveType(shape: TypeShape, scope: Scope, at: number): TypeEntity {
  switch (shape.kind) {
    case "func":
      return { kind: "func", type: resolveFunction(shape.parameters, shape.result, scope, at) };
    case "instance-type":
      return { kind: "instance", declarations: shape.declarations, scope };
    case "component-type":
      return { kind: "component", declarations: shape.declarations, scope };
    case "resource":
      return { kind: "resource", resource: ownResource(shape.destructor, scope, at) };
    case "primitive":
    case "record":
    case "tuple":
    case "variant":
    case "enum":
    case "flags":
    case "list":
    case "option":
    case "result":
    case "own":
    case "borrow":
      return { kind: "value", type: resolveValue(shape, scope, at) };
    default:
      return shape satisfies never;
  }
}

function ownResource(destructor: number | undefined, scope: Scope, at: number): ResourceType {
  const item = destructor === undefined ? undefined : scope.get("core func", destructor, at);
  return {
    owner: "guest",
    name: `resource of component ${scope.owner}`,
    instance: scope.owner,
    destructor: item,
  };
}

function resolveFunction(
  parameters: readonly { readonly name: string; readonly type: TypeUse }[],
  result: TypeUse | undefined,
  scope: Scope,
  at: number,
): FunctionType {
  return {
    parameters: parameters.map(({ name, type }) => ({ name, type: resolveUse(type, scope, at) })),
    result: result === undefined ? undefined : resolveUse(result, scope, at),
  };
}

type ValueShape = Exclude<
  TypeShape,
  { readonly kind: "func" | "instance-type" | "component-type" | "resource" }
>;

function resolveValue(shape: ValueShape, scope: Scope, at: number): ValueType {
  const use = (type: TypeUse): ValueType => resolveUse(type, scope, at);
  const optional = (type: TypeUse | undefined): ValueType | undefined =>
    type === undefined ? undefined : use(type);
  switch (shape.kind) {
    case "primitive":
      return primitiveType(shape.primitive);
    case "record":
      return recordType(
        "record",
        shape.fields.map(({ name, type }) => ({ name, type: use(type) })),
      );
    case "tuple":
      return recordType(
        "tuple",
        shape.types.map((type, i) => ({ name: String(i), type: use(type) })),
      );
    case "variant":
      return variantType(
        "variant",
        shape.cases.map(({ name, type }) => ({ name, type: optional(type) })),
      );
    case "enum":
      return variantType(
        "enum",
        shape.names.map((name) => ({ name, type: undefined })),
      );
    case "list":
      return listType(use(shape.type));
    case "option":
      return optionType(use(shape.type));
    case "result":
      return resultType(optional(shape.ok), optional(shape.error));
    case "flags":
      return flagsType(shape.names);
    case "own":
    case "borrow":
      return handleType(shape.kind, resolveResource(scope, shape.type, at));
    default:
      return shape satisfies never;
  }
}

export function resolveUse(use: TypeUse, scope: Scope, at: number): ValueType {
  if (typeof use !== "number") return primitiveType(use);
  const found = scope.get("type", use, at);
  return found.kind === "value" ? found.type : refuseModule(`type ${use} is not a value type`, at);
}

export function resolveResource(scope: Scope, index: number, at: number): ResourceType {
  const found = scope.get("type", index, at);
  return found.kind === "resource" ? found.resource : refuseModule(`type ${index} is not a resource`, at);
}

export function resolveFunctionType(scope: Scope, index: number, at: number): FunctionType {
  const found = scope.get("type", index, at);
  return found.kind === "func" ? found.type : refuseModule(`type ${index} is not a function type`, at);
}
