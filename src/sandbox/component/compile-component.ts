import { FailureError } from "../../protocol/failure.ts";
import type { ModuleShape } from "../decode/module-shape.ts";
import { maximumPages, meterModule } from "../meter.ts";
import type { ComponentShape } from "./decode/component-shape.ts";
import { decodeComponent } from "./decode/decode-component.ts";
import { type CoreModuleFacts, linkComponent } from "./link/link-component.ts";
import type { ComponentPlan } from "./link/plan.ts";
import { type GaugeGlobal, shareGauges } from "./run/share-gauges.ts";

/** A core module of a component, ready to be instantiated any number of times. */
export interface CompiledCoreModule extends CoreModuleFacts {
  readonly module: WebAssembly.Module;
  readonly gauges: readonly GaugeGlobal[];
  readonly ownGlobals: WebAssembly.Module | undefined;
  readonly importedGlobals: readonly { readonly module: string; readonly name: string }[];
  readonly memory: CoreMemory | undefined;
}

/** The memory that a module defines, or the import that stands for it. */
export type CoreMemory =
  | { readonly imported: false; readonly minimumPages: number; readonly maximumPages: number }
  | { readonly imported: true; readonly module: string; readonly name: string };

/** A component ready to run any number of times. */
export interface CompiledComponent {
  /** As it was, from which the precise form is made when a task needs it. */
  readonly source: Uint8Array<ArrayBuffer>;
  readonly plan: ComponentPlan;
  /** By the offset of the core module in the file. */
  readonly modules: ReadonlyMap<number, CompiledCoreModule>;
  /** Size of the metered core modules: what holding it costs, roughly. */
  readonly meteredBytes: number;
  /** Of all memories together. */
  readonly minimumPages: number;
}

/** Rewrites a core module so that it counts its cost; see meterModule. */
type Meter = (bytes: Uint8Array) => { readonly bytes: Uint8Array; readonly shape: ModuleShape };

/**
 * Checks, meters, compiles and links a component. Core modules are metered one by one, like any other; see shareGauges
 * for how they come to count together.
 *
 * @param meter the form of the rewriter to use
 * @throws FailureError `invalid-module`, `import-refused`
 */
export async function compileComponent(
  bytes: Uint8Array<ArrayBuffer>,
  meter: Meter = (core) => meterModule(core),
): Promise<CompiledComponent> {
  const shape = decodeComponent(bytes);
  const metered = new Map<number, { shared: ReturnType<typeof shareGauges>; shape: ModuleShape }>();
  for (const { start, end } of coreModulesOf(shape)) {
    const original = bytes.slice(start, end);
    const rewritten = meter(original);
    if (!WebAssembly.validate(original))
      throw new FailureError(
        "invalid-module",
        `the engine's type check of the core module at byte ${start} failed`,
      );
    metered.set(start, { shared: shareGauges(rewritten.bytes), shape: rewritten.shape });
  }
  // Imports are looked at before the engine compiles anything: that is what takes long.
  const facts = new Map(Array.from(metered, ([start, each]) => [start, factsOf(each.shape)]));
  const plan = linkComponent(shape, facts);
  const modules = new Map(
    await Promise.all(
      Array.from(
        metered,
        async ([start, each]) => [start, await compileCore(each.shared, each.shape)] as const,
      ),
    ),
  );
  let meteredBytes = 0;
  for (const { shared } of metered.values()) meteredBytes += shared.bytes.length;
  return { source: bytes, plan, modules, meteredBytes, minimumPages: minimumPagesOf(plan, modules) };
}

const PRECISE = new WeakMap<CompiledComponent, Promise<CompiledComponent>>();

/** The same component in the precise form, made when first asked for and held as long as the fast one. */
export function preciseComponent(compiled: CompiledComponent): Promise<CompiledComponent> {
  const known = PRECISE.get(compiled);
  if (known !== undefined) return known;
  const made = compileComponent(compiled.source, (bytes) => meterModule(bytes, { form: "precise" }));
  PRECISE.set(compiled, made);
  return made;
}

function* coreModulesOf(shape: ComponentShape): Generator<{ readonly start: number; readonly end: number }> {
  for (const definition of shape.definitions) {
    if (definition.kind === "core-module") yield definition;
    if (definition.kind === "component") yield* coreModulesOf(definition.component);
  }
}

function factsOf(shape: ModuleShape): CoreModuleFacts {
  return {
    imports: shape.imports.map(({ module, name, kind }) => ({ module, name, kind })),
    exports: new Map(shape.exports.map(({ name, kind }) => [name, kind])),
  };
}

async function compileCore(
  shared: ReturnType<typeof shareGauges>,
  shape: ModuleShape,
): Promise<CompiledCoreModule> {
  const { gauges, importedGlobals, ownGlobals } = shared;
  return {
    ...factsOf(shape),
    module: await compile(shared.bytes),
    gauges,
    importedGlobals,
    ownGlobals: ownGlobals === undefined ? undefined : await compile(ownGlobals),
    memory: memoryOf(shape),
  };
}

async function compile(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw new FailureError("invalid-module", `the engine refuses a metered core module: ${error.message}`, {
      cause: error,
    });
  }
}

function memoryOf(shape: ModuleShape): CoreMemory | undefined {
  const { memory } = shape;
  if (memory === undefined) return undefined;
  const { minimumPages } = memory;
  if (!memory.imported) return { imported: false, minimumPages, maximumPages: maximumPages(shape) };
  const found = shape.imports.find(({ kind }) => kind === "memory");
  return found === undefined ? undefined : { imported: true, module: found.module, name: found.name };
}

function minimumPagesOf(plan: ComponentPlan, modules: ReadonlyMap<number, CompiledCoreModule>): number {
  let pages = 0;
  for (const { module } of plan.instances) {
    const memory = modules.get(module)?.memory;
    if (memory?.imported === false) pages += memory.minimumPages;
  }
  return pages;
}
