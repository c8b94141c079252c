import { refuseModule } from "../../decode/byte-reader.ts";
import type { ComponentShape, Declaration, Sort } from "../decode/component-shape.ts";
import type { ResourceType } from "../types/resource-type.ts";
import type { FunctionType, ValueType } from "../types/value-type.ts";
import type { ComponentFunction, CoreItem } from "./plan.ts";

/** What an index of each sort may stand for. */
export interface Entities {
  "core func": CoreItem;
  "core table": CoreItem;
  "core memory": CoreItem;
  "core global": CoreItem;
  /** Offset of the module in the file. */
  "core module": number;
  "core instance": CoreInstance;
  func: ComponentFunction;
  type: TypeEntity;
  component: ComponentClosure;
  instance: Instance;
}

/** A core instance by its place in the plan, or a bundle of items of others. */
export type CoreInstance = number | ReadonlyMap<string, Entity>;

export type TypeEntity =
  | { readonly kind: "value"; readonly type: ValueType }
  | { readonly kind: "func"; readonly type: FunctionType }
  | { readonly kind: "resource"; readonly resource: ResourceType }
  | {
      readonly kind: "instance" | "component";
      readonly declarations: readonly Declaration[];
      readonly scope: Scope;
    };

/** A component that is not instantiated, with the scope that its outer aliases look into. */
export interface ComponentClosure {
  readonly shape: ComponentShape;
  readonly scope: Scope;
}

export type Entity = { [S in Sort]: { readonly sort: S; readonly value: Entities[S] } }[Sort];

export type Instance = ReadonlyMap<string, Entity>;

/** The index spaces of one component instance, or of one type of an instance. */
export class Scope {
  readonly parent: Scope | undefined;
  /** Number of the component instance in the plan. */
  readonly owner: number;
  readonly #spaces: { [S in Sort]: Entities[S][] } = {
    "core func": [],
    "core table": [],
    "core memory": [],
    "core global": [],
    "core module": [],
    "core instance": [],
    func: [],
    type: [],
    component: [],
    instance: [],
  };

  constructor(parent: Scope | undefined, owner: number) {
    this.parent = parent;
    this.owner = owner;
  }

  add<S extends Sort>(sort: S, value: Entities[S]): void {
    this.#spaces[sort].push(value);
  }

  addEntity(entity: Entity): void {
    switch (entity.sort) {
      case "core module":
        return this.add(entity.sort, entity.value);
      case "core instance":
        return this.add(entity.sort, entity.value);
      case "func":
        return this.add(entity.sort, entity.value);
      case "type":
        return this.add(entity.sort, entity.value);
      case "component":
        return this.add(entity.sort, entity.value);
      case "instance":
        return this.add(entity.sort, entity.value);
      case "core func":
      case "core table":
      case "core memory":
      case "core global":
        return this.add(entity.sort, entity.value);
      default:
        return entity satisfies never;
    }
  }

  /** @throws FailureError `invalid-module` */
  get<S extends Sort>(sort: S, index: number, at: number): Entities[S] {
    const found = this.#spaces[sort][index];
    return found === undefined ? refuseModule(`${sort} ${index} does not exist`, at) : found;
  }

  entity(sort: Sort, index: number, at: number): Entity {
    switch (sort) {
      case "core module":
        return { sort, value: this.get(sort, index, at) };
      case "core instance":
        return { sort, value: this.get(sort, index, at) };
      case "func":
        return { sort, value: this.get(sort, index, at) };
      case "type":
        return { sort, value: this.get(sort, index, at) };
      case "component":
        return { sort, value: this.get(sort, index, at) };
      case "instance":
        return { sort, value: this.get(sort, index, at) };
      case "core func":
      case "core table":
      case "core memory":
      case "core global":
        return { sort, value: this.get(sort, index, at) };
      default:
        return sort satisfies never;
    }
  }

  /** The scope `depth` levels further out; 0 is this one. */
  outer(depth: number, at: number): Scope {
    if (depth === 0) return this;
    const { parent } = this;
    return parent === undefined
      ? refuseModule("an alias looks further out than there are scopes", at)
      : parent.outer(depth - 1, at);
  }
}
