import { ceilDiv, type Fuel } from "../protocol/units.ts";

/** Shortest deadline in which a task can use its fuel, milliseconds, rounded up. @param fuelPerSecond of one thread */
export function leastDeadlineMs(limit: Fuel, fuelPerSecond: bigint): number {
  return Number(ceilDiv(limit * 1_000n, fuelPerSecond));
}
