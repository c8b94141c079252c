import type { HostFunction } from "./host-function.ts";
import type { HostInterface } from "./host-interface.ts";
import type { HostResource } from "../types/resource-type.ts";

/** Types of WASI as printFunctionType writes them. */
export const own = (resource: HostResource): string => `own<${resource.name}>`;
export const borrow = (resource: HostResource): string => `borrow<${resource.name}>`;
export const list = (type: string): string => `list<${type}>`;
export const option = (type: string): string => `option<${type}>`;
export const tuple = (...types: readonly string[]): string => `tuple<${types.join(", ")}>`;
export const result = (ok: string, error: string): string => `result<${ok}, ${error}>`;
export const record = (fields: Readonly<Record<string, string>>): string =>
  `record { ${Object.entries(fields)
    .map(([name, type]) => `${name}: ${type}`)
    .join(", ")} }`;

export function hostResource(path: string): HostResource {
  return { owner: "host", name: path };
}

export interface HostEntry {
  readonly signature: string;
  readonly run: HostFunction;
}

/** A function of the host: what it takes, what it returns ("" when nothing), what it does. */
export function host(parameters: readonly string[], returns: string, run: HostFunction): HostEntry {
  const takes = `func(${parameters.join(", ")})`;
  return { signature: returns === "" ? takes : `${takes} -> ${returns}`, run };
}

export function hostInterfaceOf(
  resources: Readonly<Record<string, HostResource>>,
  functions: Readonly<Record<string, HostEntry>>,
): HostInterface {
  return { resources: new Map(Object.entries(resources)), functions: new Map(Object.entries(functions)) };
}
