import { FailureError } from "../../../protocol/failure.ts";
import { refuseModule } from "../../decode/byte-reader.ts";
import type { Declaration, ExternType } from "../decode/component-shape.ts";
import type { HostInterface } from "../host/host-interface.ts";
import { hostInterface } from "../host/interfaces.ts";
import { printFunctionType } from "../types/print-type.ts";
import type { LinkBudget } from "./link-budget.ts";
import { resolveFunctionType, resolveType } from "./resolve-type.ts";
import { type Entity, type Instance, Scope, type TypeEntity } from "./scope.ts";

/**
 * What the root component imports, from the host's list and nothing else: deny by default, before anything runs.
 * Interfaces that only define types, none of which is a resource, need no host and are let through.
 *
 * @throws FailureError `import-refused` naming the import
 */
export function importEntity(
  name: string,
  type: ExternType,
  scope: Scope,
  at: number,
  budget: LinkBudget,
): Entity {
  if (type.kind === "type-equal") return { sort: "type", value: scope.get("type", type.type, at) };
  if (type.kind !== "instance") throw new FailureError("import-refused", name);
  const found = scope.get("type", type.type, at);
  if (found.kind !== "instance") return refuseModule(`type ${type.type} is not an instance type`, at);
  const importing = new Importing(name, new Scope(found.scope, scope.owner), budget);
  return { sort: "instance", value: importing.read(found.declarations) };
}

/** Follows the declarations of an imported instance and puts the host's things in their places. */
class Importing {
  readonly #name: string;
  readonly #scope: Scope;
  readonly #host: HostInterface | undefined;
  readonly #budget: LinkBudget;
  readonly #exports = new Map<string, Entity>();

  constructor(name: string, scope: Scope, budget: LinkBudget) {
    this.#name = name;
    this.#scope = scope;
    this.#host = hostInterface(name);
    this.#budget = budget;
  }

  read(declarations: readonly Declaration[]): Instance {
    for (const declaration of declarations) {
      this.#budget.take(declaration.at);
      this.#declare(declaration);
    }
    return this.#exports;
  }

  #declare(declaration: Declaration): void {
    const scope = this.#scope;
    const { at } = declaration;
    switch (declaration.kind) {
      case "type": {
        if (declaration.type.kind === "resource") return refuseModule("a resource within a type", at);
        return scope.add("type", resolveType(declaration.type, scope, at));
      }
      case "alias-outer":
        if (declaration.sort !== "type")
          return refuseModule("an outer alias within a type that is of no type", at);
        return scope.add("type", scope.outer(declaration.depth, at).get("type", declaration.index, at));
      case "alias-export": {
        const entity = scope.get("instance", declaration.instance, at).get(declaration.name);
        if (entity?.sort !== declaration.sort)
          return refuseModule(`there is no ${declaration.sort} ${declaration.name}`, at);
        return scope.addEntity(entity);
      }
      case "export-type":
        return this.#export(declaration.name, declaration.type, at);
      case "import-type":
        return refuseModule("an import within the type of an instance", at);
      default:
        return declaration satisfies never;
    }
  }

  #export(name: string, type: ExternType, at: number): void {
    const entity = this.#exported(name, type, at);
    this.#scope.addEntity(entity);
    this.#exports.set(name, entity);
  }

  #exported(name: string, type: ExternType, at: number): Entity {
    switch (type.kind) {
      case "type-equal":
        return { sort: "type", value: this.#scope.get("type", type.type, at) };
      case "type-resource":
        return { sort: "type", value: this.#resource(name) };
      case "func":
        return this.#function(name, type.type, at);
      case "component":
      case "instance":
        return this.#refuse(name);
      default:
        return type satisfies never;
    }
  }

  #refuse(name: string, reason = ""): never {
    throw new FailureError("import-refused", `${this.#name}#${name}${reason}`);
  }

  #resource(name: string): TypeEntity {
    const resource = this.#host?.resources.get(name);
    return resource === undefined ? this.#refuse(name) : { kind: "resource", resource };
  }

  #function(name: string, typeIndex: number, at: number): Entity {
    const wanted = resolveFunctionType(this.#scope, typeIndex, at);
    const found = this.#host?.functions.get(name);
    if (found === undefined) return this.#refuse(name);
    const printed = printFunctionType(wanted);
    if (printed !== found.signature)
      return this.#refuse(name, ` has the type ${printed}, not ${found.signature}`);
    const value = { kind: "host", type: wanted, name: `${this.#name}#${name}`, run: found.run } as const;
    return { sort: "func", value };
  }
}
