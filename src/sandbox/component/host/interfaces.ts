import type { HostResource } from "../types/resource-type.ts";
import type { HostFunction } from "./host-function.ts";

/** An interface that components may import from the host. */
export interface HostInterface {
  readonly resources: ReadonlyMap<string, HostResource>;
  readonly functions: ReadonlyMap<string, { readonly signature: string; readonly run: HostFunction }>;
}

const INTERFACES: ReadonlyMap<string, HostInterface> = new Map();

/** Any version 0.2.x: its releases only add to one another. */
const VERSIONED = /^(?<name>[^@]+)@0\.2\.\d+$/u;

/** The host's interface of this name and version, if there is one. */
export function hostInterface(name: string): HostInterface | undefined {
  const plain = VERSIONED.exec(name)?.groups?.["name"];
  return plain === undefined ? undefined : INTERFACES.get(plain);
}
