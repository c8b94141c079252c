import type { BrowserDatabase } from "./database.ts";
import type { HoldingShelf } from "./holdings.ts";
import { loadOnce } from "./load-once.ts";
import type { OpeningShelf } from "./openings.ts";

/** What a provider keeps for audits, whose code comes with the first lease: the page shows itself before it needs any of it. */

export function deferHoldings(database: BrowserDatabase): HoldingShelf {
  const shelf = loadOnce(async () => (await import("./holdings.ts")).createHoldingShelf(database));
  return {
    write: async (change) => (await shelf()).write(change),
    input: async (lease, seq) => (await shelf()).input(lease, seq),
    load: async (origin) => (await shelf()).load(origin),
    forget: async (lease) => (await shelf()).forget(lease),
  };
}

export function deferOpenings(database: BrowserDatabase): OpeningShelf {
  const shelf = loadOnce(async () => (await import("./openings.ts")).createOpeningShelf(database));
  return {
    put: async (items) => (await shelf()).put(items),
    next: async (origin, passed) => (await shelf()).next(origin, passed),
    count: async (origin) => (await shelf()).count(origin),
    remove: async (item) => (await shelf()).remove(item),
    removeOld: async (time) => (await shelf()).removeOld(time),
  };
}
