import { FailureError } from "../../protocol/failure.ts";
import type { ComponentShape, Definition } from "../component/decode/component-shape.ts";
import { decodeComponent } from "../component/decode/decode-component.ts";
import { findEntry } from "../component/entry.ts";
import { hostInterface } from "../component/host/interfaces.ts";
import type { ComponentPlan } from "../component/link/plan.ts";
import { printFunctionType } from "../component/types/print-type.ts";
import type { Abi } from "../task.ts";
import type { InterfaceFit } from "./interfaces.ts";
import { type ModuleOutline, outlineOf, type OutlineImport, type OutlineKind } from "./module-outline.ts";

const COMPONENT_ABI: Abi = "component-1";

interface InspectedComponent {
  readonly outline: ModuleOutline;
  readonly imports: readonly (OutlineImport & { readonly abis: readonly Abi[] })[];
}

/** Reads a component and the modules in it, as far as they can be read. @param plan absent when it is refused */
export function inspectComponent(bytes: Uint8Array, plan: ComponentPlan | undefined): InspectedComponent {
  const shape = shapeOf(bytes);
  const modules = Array.from(modulesOf(shape), ({ start, end }) => outlineOf(bytes.slice(start, end)));
  const imports = shape.definitions.flatMap((each) => importOf(each) ?? []);
  const exports = Array.from(plan?.exports ?? [], ([name, { type }]) => {
    return { name, kind: "function" as const, type: printFunctionType(type) };
  });
  const isComplete = shape.definitions.length > 0 && modules.every((each) => each.isComplete);
  return { outline: { ...together(modules), imports, exports, isComplete }, imports };
}

/** How the component and its interface go together. */
export function componentFit(
  imports: InspectedComponent["imports"],
  plan: ComponentPlan | undefined,
  entry: string,
): InterfaceFit {
  const importProblems = imports.filter(({ abis }) => abis.length === 0).map(({ name }) => name);
  const exportProblems = plan === undefined ? [] : exportProblemsOf(plan, entry);
  const fits = plan !== undefined && importProblems.length + exportProblems.length === 0;
  return { abi: COMPONENT_ABI, fits, importProblems, exportProblems };
}

/** Which of several functions is called is for the job to say. */
function exportProblemsOf(plan: ComponentPlan, entry: string): readonly string[] {
  if (entry === "" && plan.exports.size > 1) return [];
  try {
    findEntry(plan, entry);
    return [];
  } catch (error) {
    if (error instanceof FailureError) return [error.detail];
    throw error;
  }
}

function shapeOf(bytes: Uint8Array): ComponentShape {
  try {
    return decodeComponent(bytes);
  } catch (error) {
    if (error instanceof FailureError) return { definitions: [] };
    throw error;
  }
}

function* modulesOf({
  definitions,
}: ComponentShape): Generator<{ readonly start: number; readonly end: number }> {
  for (const definition of definitions) {
    if (definition.kind === "core-module") yield definition;
    if (definition.kind === "component") yield* modulesOf(definition.component);
  }
}

const KINDS: Readonly<Record<string, OutlineKind>> = {
  func: "function",
  instance: "instance",
  component: "component",
};

function importOf(definition: Definition): InspectedComponent["imports"][number] | undefined {
  if (definition.kind !== "import") return undefined;
  const { name, type } = definition;
  const kind = KINDS[type.kind] ?? "type";
  const offered = kind === "type" || (kind === "instance" && hostInterface(name) !== undefined);
  return { module: "", name, kind, type: "", abis: offered ? [COMPONENT_ABI] : [] };
}

function sum(modules: readonly ModuleOutline[], of: (module: ModuleOutline) => number): number {
  return modules.reduce((total, module) => total + of(module), 0);
}

function together(
  modules: readonly ModuleOutline[],
): Omit<ModuleOutline, "imports" | "exports" | "isComplete"> {
  return {
    memories: modules.flatMap(({ memories }) => memories.filter(({ imported }) => !imported)),
    tables: modules.flatMap(({ tables }) => tables.filter(({ imported }) => !imported)),
    functions: sum(modules, ({ functions }) => functions),
    importedFunctions: sum(modules, ({ importedFunctions }) => importedFunctions),
    globals: sum(modules, ({ globals }) => globals),
    hasStart: modules.some(({ hasStart }) => hasStart),
    codeBytes: sum(modules, ({ codeBytes }) => codeBytes),
    dataBytes: sum(modules, ({ dataBytes }) => dataBytes),
    customBytes: sum(modules, ({ customBytes }) => customBytes),
    hasNames: modules.some(({ hasNames }) => hasNames),
    features: [...new Set(modules.flatMap(({ features }) => features))].toSorted(),
    coreModules: modules.length,
  };
}
