import type { BrowserDatabase } from "./database.ts";
import { asCount, asText, fieldsOf } from "./stored-value.ts";

/** Data that went over the line for a provider in one calendar month. */
export interface MonthUsage {
  /** Of the local calendar, "2026-11". */
  readonly month: string;
  /** Up and down together. */
  readonly bytes: number;
}

/** Remembers how much data a provider has used. Counts of an earlier month are of no use and are overwritten. */
export interface UsageShelf {
  load(): Promise<MonthUsage | undefined>;
  save(usage: MonthUsage): Promise<void>;
}

const KEY = "usage";

export function createUsageShelf(database: BrowserDatabase): UsageShelf {
  return {
    async load() {
      const fields = fieldsOf(await database.get("settings", KEY));
      const month = asText(fields.get("month"));
      const bytes = asCount(fields.get("bytes"));
      return month === undefined || bytes === undefined ? undefined : { month, bytes };
    },
    async save(usage) {
      await database.put("settings", { ...usage }, KEY);
    },
  };
}
