import { HELD_MEMORY_BYTES } from "./limits.ts";

/** Input bytes that all leases of this tab hold in memory, and how many they may. */
export class HeldMemory {
  bytes = 0;
  readonly limit: number;

  constructor(limit: number = HELD_MEMORY_BYTES) {
    this.limit = limit;
  }
}
