import {
  BULK_BYTES_PER_FUEL,
  BULK_COST,
  GROWN_PAGE_COST,
  LOCALS_PER_FUEL,
  PLAIN_COST,
  SATURATING_TRUNCATION_COST,
  TABLE_ENTRY_COST,
  VECTOR_COST,
} from "../meter/costs.ts";
import type { FuelRules } from "./reference.contract.ts";

function costOf(code: number): number {
  const last = code & 255;
  switch (code >> 8) {
    case 0xfc:
      return last < 8 ? SATURATING_TRUNCATION_COST : BULK_COST;
    case 0xfd:
      return VECTOR_COST[last] ?? Number.NaN;
    default:
      return PLAIN_COST[last] ?? Number.NaN;
  }
}

/** What profile 1 counts, as its text says. */
export const PROFILE_FUEL: FuelRules = {
  cost: costOf,
  entry: (locals) => Math.floor(locals / LOCALS_PER_FUEL),
  bytesPerFuel: BULK_BYTES_PER_FUEL,
  fuelPerEntry: TABLE_ENTRY_COST,
  fuelPerPage: GROWN_PAGE_COST,
};
