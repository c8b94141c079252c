import type { CanonOptions } from "../decode/component-shape.ts";
import type { ResourceType } from "../types/resource-type.ts";
import type { FunctionType } from "../types/value-type.ts";
import type { HostFunction } from "../host/host-function.ts";

/**
 * What instantiating a component amounts to, with every index looked up: core instances in order, the functions that
 * the host makes between them, and what the root exports. Made once; nothing of it belongs to one task.
 */
export interface ComponentPlan {
  readonly instances: readonly CoreStep[];
  /** Functions that core modules import and that the host makes. */
  readonly trampolines: readonly Trampoline[];
  /** Component instances, the root included. */
  readonly componentInstances: number;
  readonly exports: ReadonlyMap<string, ComponentFunction>;
}

/** Makes one core instance. */
export interface CoreStep {
  /** Offset of the core module in the file; the key under which it was compiled. */
  readonly module: number;
  readonly imports: ReadonlyMap<string, ReadonlyMap<string, CoreItem>>;
}

/** Something that core instances export and import. */
export type CoreItem =
  | { readonly from: "instance"; readonly instance: number; readonly name: string }
  | { readonly from: "trampoline"; readonly trampoline: number };

export type Trampoline =
  | {
      readonly kind: "lower";
      readonly callee: ComponentFunction;
      readonly options: ResolvedOptions;
      /** Component instance that calls. */
      readonly owner: number;
    }
  | {
      readonly kind: "resource-new" | "resource-drop" | "resource-rep";
      readonly resource: ResourceType;
      readonly owner: number;
    };

export interface ResolvedOptions {
  readonly encoding: CanonOptions["encoding"];
  readonly memory: CoreItem | undefined;
  readonly realloc: CoreItem | undefined;
  readonly postReturn: CoreItem | undefined;
}

/** A function with a type of the component model. */
export type ComponentFunction =
  | {
      readonly kind: "lifted";
      readonly type: FunctionType;
      readonly core: CoreItem;
      readonly options: ResolvedOptions;
      /** Component instance that is called. */
      readonly owner: number;
    }
  | {
      readonly kind: "host";
      readonly type: FunctionType;
      /** Such as "wasi:random/random#get-random-u64". */
      readonly name: string;
      readonly run: HostFunction;
    };
