import { FailureError } from "../../../protocol/failure.ts";
import type { HostObject } from "../host/host-function.ts";
import { MAX_HANDLES } from "../limits.ts";
import type { ResourceType } from "../types/resource-type.ts";

export interface Handle {
  readonly type: ResourceType;
  readonly representation: HostObject | number;
  /** The call that lent it, when it is borrowed; undefined for the owner. */
  readonly lender: CallScope | undefined;
  /** Calls that are using it and were given it as borrowed. */
  lends: number;
}

/** What a call must have back when it returns. */
export interface CallScope {
  /** Borrowed handles that the callee has not dropped. */
  borrows: number;
}

function refuseHandle(what: string): never {
  throw new FailureError("bad-output", `a component used a handle ${what}`);
}

/** Handles of one component instance by number, from 1. A freed number is the next to be given out. */
export class HandleTable {
  readonly #handles: (Handle | undefined)[] = [undefined];
  readonly #free: number[] = [];

  add(handle: Handle): number {
    const index = this.#free.pop() ?? this.#handles.length;
    if (index >= MAX_HANDLES)
      throw new FailureError("out-of-memory", `a component holds more than ${MAX_HANDLES} handles`);
    this.#handles[index] = handle;
    return index;
  }

  /** @throws FailureError `bad-output` when there is none of this type */
  get(index: number, type: ResourceType): Handle {
    const found = this.#handles[index];
    if (found === undefined) return refuseHandle(`that does not exist: ${index}`);
    if (found.type !== type) return refuseHandle(`of another type: ${found.type.name}, not ${type.name}`);
    return found;
  }

  remove(index: number, type: ResourceType): Handle {
    const found = this.get(index, type);
    if (found.lends > 0) return refuseHandle("that is lent");
    this.#handles[index] = undefined;
    this.#free.push(index);
    return found;
  }
}
