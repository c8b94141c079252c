import { refuseModule } from "../../decode/byte-reader.ts";
import type { ExternalKind } from "../../decode/module-shape.ts";
import type { CanonOptions, ComponentShape, Definition, NamedItem, Sort } from "../decode/component-shape.ts";
import { MAX_COMPONENT_DEPTH, MAX_CORE_INSTANCES } from "../limits.ts";
import { importEntity } from "./import-instance.ts";
import { LinkBudget } from "./link-budget.ts";
import type {
  ComponentFunction,
  ComponentPlan,
  CoreItem,
  CoreStep,
  ResolvedOptions,
  Trampoline,
} from "./plan.ts";
import { resolveFunctionType, resolveResource, resolveType } from "./resolve-type.ts";
import { type CoreInstance, type Entity, type Instance, Scope } from "./scope.ts";

/** What the linker must know of a core module. */
export interface CoreModuleFacts {
  readonly imports: readonly {
    readonly module: string;
    readonly name: string;
    readonly kind: ExternalKind;
  }[];
  readonly exports: ReadonlyMap<string, ExternalKind>;
}

/**
 * Looks up every index of a component and says what is to be done to instantiate it.
 *
 * @param modules by the offset of the core module in the file
 * @throws FailureError `invalid-module`, `import-refused`
 */
export function linkComponent(
  shape: ComponentShape,
  modules: ReadonlyMap<number, CoreModuleFacts>,
): ComponentPlan {
  const linker = new Linker(modules);
  const root = linker.instantiate(shape, undefined, undefined, 0);
  return { ...linker.plan(), exports: functionsOf(root) };
}

/** Exported functions by name; those of an exported interface as "interface#name". */
function functionsOf(root: Instance): ReadonlyMap<string, ComponentFunction> {
  const functions = new Map<string, ComponentFunction>();
  for (const [name, entity] of root) {
    if (entity.sort === "func") functions.set(name, entity.value);
    if (entity.sort !== "instance") continue;
    for (const [inner, member] of entity.value)
      if (member.sort === "func") functions.set(`${name}#${inner}`, member.value);
  }
  return functions;
}

const CORE_SORTS: Readonly<Record<ExternalKind, "core func" | "core table" | "core memory" | "core global">> =
  {
    function: "core func",
    table: "core table",
    memory: "core memory",
    global: "core global",
  };

/** What makes core items, or functions from them. */
type CoreDefinition = Extract<
  Definition,
  {
    readonly kind:
      | "core-module"
      | "core-instance"
      | "core-inline-instance"
      | "alias-core-export"
      | "lift"
      | "lower"
      | "resource-new"
      | "resource-drop"
      | "resource-rep";
  }
>;

class Linker {
  readonly #modules: ReadonlyMap<number, CoreModuleFacts>;
  readonly #budget = new LinkBudget();
  readonly #steps: CoreStep[] = [];
  readonly #trampolines: Trampoline[] = [];
  #componentInstances = 0;

  constructor(modules: ReadonlyMap<number, CoreModuleFacts>) {
    this.#modules = modules;
  }

  plan(): Omit<ComponentPlan, "exports"> {
    return {
      instances: this.#steps,
      trampolines: this.#trampolines,
      componentInstances: this.#componentInstances,
    };
  }

  /** @param args what is imported, by name; undefined for the root, which imports from the host */
  instantiate(
    shape: ComponentShape,
    parent: Scope | undefined,
    args: Instance | undefined,
    depth: number,
  ): Instance {
    const scope = new Scope(parent, this.#componentInstances);
    this.#componentInstances += 1;
    const exports = new Map<string, Entity>();
    for (const definition of shape.definitions) {
      this.#budget.take(definition.at);
      if (depth > MAX_COMPONENT_DEPTH)
        refuseModule("components instantiate each other too deep", definition.at);
      this.#define(definition, scope, args, exports, depth);
    }
    return exports;
  }

  #define(
    definition: Definition,
    scope: Scope,
    args: Instance | undefined,
    exports: Map<string, Entity>,
    depth: number,
  ): void {
    const { at } = definition;
    switch (definition.kind) {
      case "import":
        return scope.addEntity(
          args === undefined
            ? importEntity(definition.name, definition.type, scope, at, this.#budget)
            : (args.get(definition.name) ?? refuseModule(`the import ${definition.name} is not given`, at)),
        );
      case "export": {
        const entity = scope.entity(definition.item.sort, definition.item.index, at);
        if (exports.has(definition.name)) refuseModule(`${definition.name} is exported twice`, at);
        exports.set(definition.name, entity);
        return scope.addEntity(entity);
      }
      case "component":
        return scope.add("component", { shape: definition.component, scope });
      case "instance": {
        const { shape, scope: outer } = scope.get("component", definition.component, at);
        const given = this.#named(definition.args, scope, at);
        return scope.add("instance", this.instantiate(shape, outer, given, depth + 1));
      }
      case "inline-instance":
        return scope.add("instance", this.#named(definition.exports, scope, at));
      case "type":
        return scope.add("type", resolveType(definition.type, scope, at));
      case "alias-export": {
        const entity = scope.get("instance", definition.instance, at).get(definition.name);
        return scope.addEntity(this.#ofSort(entity, definition.sort, definition.name, at));
      }
      case "alias-outer":
        return scope.addEntity(
          scope.outer(definition.depth, at).entity(outerSort(definition.sort, at), definition.index, at),
        );
      case "core-module":
      case "core-instance":
      case "core-inline-instance":
      case "alias-core-export":
      case "lift":
      case "lower":
      case "resource-new":
      case "resource-drop":
      case "resource-rep":
        return this.#defineCore(definition, scope);
      default:
        return definition satisfies never;
    }
  }

  #defineCore(definition: CoreDefinition, scope: Scope): void {
    const { at } = definition;
    switch (definition.kind) {
      case "core-module":
        return scope.add("core module", definition.start);
      case "core-instance":
        return scope.add("core instance", this.#step(definition, scope));
      case "core-inline-instance":
        return scope.add("core instance", this.#named(definition.exports, scope, at));
      case "alias-core-export": {
        const instance = scope.get("core instance", definition.instance, at);
        const entity = this.#coreExport(instance, definition.name);
        return scope.addEntity(this.#ofSort(entity, definition.sort, definition.name, at));
      }
      case "lift": {
        const type = resolveFunctionType(scope, definition.type, at);
        const core = scope.get("core func", definition.coreFunc, at);
        const options = resolveOptions(definition.options, scope, at);
        return scope.add("func", { kind: "lifted", type, core, options, owner: scope.owner });
      }
      case "lower": {
        const callee = scope.get("func", definition.func, at);
        const options = resolveOptions(definition.options, scope, at);
        return this.#trampoline({ kind: "lower", callee, options, owner: scope.owner }, scope);
      }
      case "resource-new":
      case "resource-drop":
      case "resource-rep": {
        const resource = resolveResource(scope, definition.type, at);
        const own = resource.owner === "guest" && resource.instance === scope.owner;
        if (definition.kind !== "resource-drop" && !own)
          refuseModule("only the component that defines a resource makes and opens it", at);
        return this.#trampoline({ kind: definition.kind, resource, owner: scope.owner }, scope);
      }
      default:
        return definition satisfies never;
    }
  }

  #trampoline(trampoline: Trampoline, scope: Scope): void {
    const index = this.#trampolines.push(trampoline) - 1;
    scope.add("core func", { from: "trampoline", trampoline: index });
  }

  #named(items: readonly NamedItem[], scope: Scope, at: number): Map<string, Entity> {
    return new Map(items.map(({ name, sort, index }) => [name, scope.entity(sort, index, at)]));
  }

  #ofSort(entity: Entity | undefined, sort: Sort, name: string, at: number): Entity {
    return entity?.sort === sort ? entity : refuseModule(`there is no ${sort} ${name}`, at);
  }

  #coreExport(instance: CoreInstance, name: string): Entity | undefined {
    if (typeof instance !== "number") return instance.get(name);
    const module = this.#steps[instance]?.module;
    const kind = module === undefined ? undefined : this.#modules.get(module)?.exports.get(name);
    return kind === undefined
      ? undefined
      : { sort: CORE_SORTS[kind], value: { from: "instance", instance, name } };
  }

  #step(definition: Extract<Definition, { readonly kind: "core-instance" }>, scope: Scope): number {
    const { at } = definition;
    const module = scope.get("core module", definition.module, at);
    const facts = this.#modules.get(module) ?? refuseModule("a core module was not compiled", at);
    const given = new Map(
      definition.args.map(({ name, instance }) => [name, scope.get("core instance", instance, at)]),
    );
    const imports = new Map<string, Map<string, CoreItem>>();
    for (const wanted of facts.imports) {
      this.#budget.take(at);
      const instance = given.get(wanted.module);
      const entity = instance === undefined ? undefined : this.#coreExport(instance, wanted.name);
      const item = coreItem(entity, CORE_SORTS[wanted.kind]);
      if (item === undefined)
        return refuseModule(`a core module imports ${wanted.module}.${wanted.name}, which is not given`, at);
      const group = imports.get(wanted.module) ?? new Map<string, CoreItem>();
      imports.set(wanted.module, group.set(wanted.name, item));
    }
    if (this.#steps.length >= MAX_CORE_INSTANCES)
      refuseModule(`more than ${MAX_CORE_INSTANCES} core instances`, at);
    return this.#steps.push({ module, imports }) - 1;
  }
}

function outerSort(sort: Sort, at: number): Sort {
  if (sort === "type" || sort === "component" || sort === "core module") return sort;
  return refuseModule(`an outer alias of a ${sort}`, at);
}

function isCoreItem(entity: Entity): entity is Extract<Entity, { readonly value: CoreItem }> {
  return Object.values(CORE_SORTS).some((sort) => sort === entity.sort);
}

function coreItem(entity: Entity | undefined, sort: Sort): CoreItem | undefined {
  return entity?.sort === sort && isCoreItem(entity) ? entity.value : undefined;
}

function resolveOptions(options: CanonOptions, scope: Scope, at: number): ResolvedOptions {
  const item = (sort: "core memory" | "core func", index: number | undefined): CoreItem | undefined =>
    index === undefined ? undefined : scope.get(sort, index, at);
  return {
    encoding: options.encoding,
    memory: item("core memory", options.memory),
    realloc: item("core func", options.realloc),
    postReturn: item("core func", options.postReturn),
  };
}
