import type { HostResource } from "../types/resource-type.ts";
import type { HostFunction } from "./host-function.ts";

/** An interface that components may import from the host. */
export interface HostInterface {
  readonly resources: ReadonlyMap<string, HostResource>;
  readonly functions: ReadonlyMap<string, { readonly signature: string; readonly run: HostFunction }>;
}
