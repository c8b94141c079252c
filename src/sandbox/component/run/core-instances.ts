import { FailureError } from "../../../protocol/failure.ts";
import { GuestMemory } from "../../guest-memory.ts";
import { METER_EXPORTS } from "../../meter.ts";
import { PAGE_BYTES, STACK_WORDS } from "../../limits.ts";
import { tankOf } from "../../outcome.ts";
import type { TaskLimits } from "../../task.ts";
import type { CompiledComponent, CompiledCoreModule } from "../compile-component.ts";
import type { CoreItem, CoreStep, Trampoline } from "../link/plan.ts";
import type { CoreValue } from "./lift.ts";
import { type GaugeGlobal, GAUGES, OWN_GLOBALS } from "./share-gauges.ts";

/** Makes a function that core modules import. */
export type MakeTrampoline = (trampoline: Trampoline) => (...args: CoreValue[]) => CoreValue | undefined;

export type CoreFunction = (...args: readonly CoreValue[]) => unknown;

const DEFAULT_GAUGES: readonly GaugeGlobal[] = [
  { name: METER_EXPORTS.fuel, initial: 0n },
  { name: METER_EXPORTS.stack, initial: STACK_WORDS },
  { name: METER_EXPORTS.pages, initial: 0 },
  { name: METER_EXPORTS.grow, initial: 0 },
  { name: METER_EXPORTS.hint, initial: 0 },
];

/** The core instances of one task: made in the order of the plan, each with its limits set before any of it runs. */
export class CoreInstances {
  /** Shared by all core instances, by the names of METER_EXPORTS. */
  readonly gauges: Record<string, WebAssembly.Global> = {};
  readonly #compiled: CompiledComponent;
  readonly #limits: TaskLimits;
  readonly #exports: WebAssembly.Exports[] = [];
  readonly #imports: WebAssembly.Imports[] = [];
  readonly #trampolines: ((...args: CoreValue[]) => CoreValue | undefined)[];
  readonly #memories = new Map<WebAssembly.Memory, GuestMemory>();
  /** By the core instance that defines the memory; -1 for instances without one. */
  readonly #pages = new Map<number, WebAssembly.Global>();

  constructor(compiled: CompiledComponent, limits: TaskLimits, makeTrampoline: MakeTrampoline) {
    this.#compiled = compiled;
    this.#limits = limits;
    this.#trampolines = compiled.plan.trampolines.map(makeTrampoline);
    // The same in every metered module; a component without any has nothing to count but the host's work.
    const first = this.#moduleOf(compiled.plan.instances[0])?.gauges ?? DEFAULT_GAUGES;
    for (const { name, initial } of first)
      this.gauges[name] = newGauge(name === METER_EXPORTS.fuel ? tankOf(limits) : initial);
  }

  /** All linear memories together, bytes. */
  get memoryBytes(): number {
    let bytes = 0;
    for (const [index, exports] of this.#exports.entries()) {
      const memory = this.#moduleOf(this.#compiled.plan.instances[index])?.memory;
      if (memory?.imported !== false) continue;
      const found = Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
      bytes += found?.buffer.byteLength ?? memory.minimumPages * PAGE_BYTES;
    }
    return bytes;
  }

  #moduleOf(step: CoreStep | undefined): CompiledCoreModule | undefined {
    return step === undefined ? undefined : this.#compiled.modules.get(step.module);
  }

  /**
   * Makes all instances and runs their start functions.
   * @throws FailureError `out-of-memory`, `no-memory`, `invalid-module`; and whatever a start function ends with
   */
  start(): void {
    const pages = Math.floor(this.#limits.memoryBytes / PAGE_BYTES);
    const { minimumPages, plan } = this.#compiled;
    if (minimumPages > pages)
      throw new FailureError(
        "out-of-memory",
        `it starts with ${minimumPages * PAGE_BYTES} bytes, the limit is ${this.#limits.memoryBytes}`,
      );
    const memories = plan.instances.filter((step) => this.#moduleOf(step)?.memory?.imported === false).length;
    // Several memories share what is above their minima in equal parts: which of them grows first must not matter.
    const share = Math.floor((pages - minimumPages) / Math.max(1, memories));
    for (const step of plan.instances) this.#make(step, share);
  }

  #make(step: CoreStep, share: number): void {
    const module = this.#moduleOf(step);
    if (module === undefined) throw new TypeError("the plan names a module that was not compiled");
    const index = this.#exports.length;
    const imports = this.#importsFor(step);
    imports[GAUGES] = Object.fromEntries(
      module.gauges.map(({ name, initial }) => [name, this.#gauge(name, initial, module, index, share)]),
    );
    if (module.ownGlobals !== undefined)
      imports[OWN_GLOBALS] = newInstance(module.ownGlobals, imports).exports;
    this.#imports.push(imports);
    const { exports } = newInstance(module.module, imports);
    this.#exports.push(exports);
    const start = exports[METER_EXPORTS.start];
    if (typeof start !== "function") return;
    const stack = this.gauges[METER_EXPORTS.stack];
    if (stack !== undefined) stack.value = STACK_WORDS;
    start();
  }

  #importsFor(step: CoreStep): Record<string, WebAssembly.ModuleImports> {
    const imports: Record<string, WebAssembly.ModuleImports> = Object.create(null);
    for (const [module, items] of step.imports) {
      const group: WebAssembly.ModuleImports = Object.create(null);
      for (const [name, item] of items) group[name] = this.resolve(item);
      imports[module] = group;
    }
    return imports;
  }

  #gauge(
    name: string,
    initial: number | bigint,
    module: CompiledCoreModule,
    index: number,
    share: number,
  ): WebAssembly.Global {
    if (name === METER_EXPORTS.pages) return this.#pagesOf(module, index, initial, share);
    const known = this.gauges[name];
    if (known !== undefined) return known;
    const made = newGauge(initial);
    this.gauges[name] = made;
    return made;
  }

  /** What bounds the growth of the memory that this instance uses, whoever defines it. */
  #pagesOf(
    module: CompiledCoreModule,
    index: number,
    initial: number | bigint,
    share: number,
  ): WebAssembly.Global {
    const owner = this.#memoryOwner(module, index);
    const known = this.#pages.get(owner);
    if (known !== undefined) return known;
    const made = newGauge(initial);
    const memory = module.memory;
    if (memory?.imported === false) made.value = Math.min(memory.maximumPages, memory.minimumPages + share);
    this.#pages.set(owner, made);
    return made;
  }

  #memoryOwner(module: CompiledCoreModule, index: number): number {
    const { memory } = module;
    if (memory === undefined) return -1;
    if (!memory.imported) return index;
    const item = this.#compiled.plan.instances[index]?.imports.get(memory.module)?.get(memory.name);
    if (item?.from !== "instance") return -1;
    const owner = this.#moduleOf(this.#compiled.plan.instances[item.instance]);
    return owner === undefined ? -1 : this.#memoryOwner(owner, item.instance);
  }

  resolve(item: CoreItem): WebAssembly.ExportValue {
    const found =
      item.from === "trampoline"
        ? this.#trampolines[item.trampoline]
        : this.#exports[item.instance]?.[item.name];
    if (found === undefined)
      throw new FailureError("invalid-module", "a component calls a core instance before it is made");
    return found;
  }

  /** @throws FailureError `invalid-module` */
  function(item: CoreItem): CoreFunction {
    const found = this.resolve(item);
    if (typeof found !== "function") throw new TypeError("a core function is none");
    return (...args) => Reflect.apply(found, undefined, args);
  }

  /** @param outside throws what an access out of bounds means */
  memory(item: CoreItem, outside: () => never): GuestMemory {
    const found = this.resolve(item);
    if (!(found instanceof WebAssembly.Memory)) throw new TypeError("a core memory is none");
    const known = this.#memories.get(found);
    if (known !== undefined) return known;
    const made = new GuestMemory(found, outside);
    this.#memories.set(found, made);
    return made;
  }
}

function newGauge(initial: number | bigint): WebAssembly.Global {
  return typeof initial === "bigint"
    ? new WebAssembly.Global({ value: "i64", mutable: true }, initial)
    : new WebAssembly.Global({ value: "i32", mutable: true }, initial);
}

function newInstance(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance {
  try {
    return new WebAssembly.Instance(module, imports);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError)
      throw new FailureError("trap-memory-bounds", "a segment does not fit where it belongs", {
        cause: error,
      });
    if (error instanceof WebAssembly.LinkError)
      throw new FailureError("invalid-module", `core modules do not fit together: ${error.message}`, {
        cause: error,
      });
    throw new FailureError("no-memory", "this machine could not allocate the component's memory", {
      cause: error,
    });
  }
}
