import { FailureError } from "../../../protocol/failure.ts";
import type { GuestMemory } from "../../guest-memory.ts";
import { COMPOUND_BYTES, VALUE_BYTES } from "../limits.ts";
import type { CanonOptions } from "../decode/component-shape.ts";
import type { CallScope, Handle, HandleTable } from "./handle-table.ts";

/**
 * One component's side of a call: its memory, its allocator, its handles. Made for one crossing: what the values of the
 * crossing weigh is counted here, so that a list of a thousand times the same long string is refused before the host holds it.
 */
export interface SidePorts {
  readonly encoding: CanonOptions["encoding"];
  /** Number of the component instance. */
  readonly owner: number;
  readonly handles: HandleTable;
  readonly memory: GuestMemory | undefined;
  /** `cabi_realloc`, called with (0, 0, alignment, bytes). */
  readonly allocate: ((alignment: number, bytes: number) => number) | undefined;
  /** Takes fuel for bytes moved. @throws FailureError `out-of-fuel` */
  readonly chargeBytes: (count: number) => void;
  /** The most that values may weigh, bytes. */
  readonly mostBytes: number;
}

export class Side {
  readonly ports: SidePorts;
  /** Handles lent to the callee until the call ends. */
  readonly lent: Handle[] = [];
  /** The call in which handles lowered here are borrowed. */
  readonly scope: CallScope = { borrows: 0 };
  #weight = 0;

  constructor(ports: SidePorts) {
    this.ports = ports;
  }

  get memory(): GuestMemory {
    return this.ports.memory ?? this.#lacks("memory");
  }

  #lacks(what: string): never {
    throw new FailureError("invalid-module", `a canonical definition lacks the ${what} that its type needs`);
  }

  /** Room for `bytes`, aligned and within memory. @throws FailureError `trap-memory-bounds` */
  allocate(alignment: number, bytes: number): number {
    const { allocate } = this.ports;
    const pointer = allocate === undefined ? this.#lacks("allocator") : allocate(alignment, bytes);
    this.checkRange(pointer, bytes, alignment);
    return pointer;
  }

  /** @throws FailureError `trap-memory-bounds` */
  checkRange(pointer: number, bytes: number, alignment: number): void {
    if (pointer % alignment !== 0) trapMemory(`a pointer that is not a multiple of ${alignment}`);
    this.memory.slice(pointer, bytes);
  }

  /** Counts values that are about to be made. */
  #weigh(bytes: number): void {
    this.#weight += bytes;
    if (this.#weight > this.ports.mostBytes)
      throw new FailureError("out-of-memory", "the values of one call take more than the memory limit");
  }

  /** Charges for bytes moved between this memory and the host, and for the values they make up. */
  move(bytes: number, values: number, compound: boolean): void {
    this.ports.chargeBytes(bytes + values);
    this.#weigh(bytes + values * (compound ? COMPOUND_BYTES : VALUE_BYTES));
  }
}

export function trapMemory(what: string): never {
  throw new FailureError("trap-memory-bounds", `a component passed ${what}`);
}

export function refuseValue(what: string): never {
  throw new FailureError("bad-output", `a component passed ${what}`);
}
