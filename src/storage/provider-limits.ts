import { asCount, fieldsOf } from "./stored-value.ts";

/** How much of a machine a person gives, and when. What holds is less where the machine has no room; see governor/. */
export interface ProviderLimits {
  /** Share of each thread's time that is spent computing, 1 to 100. */
  readonly cpuPercent: number;
  /** Threads, at least 1. */
  readonly workers: number;
  /** Whether models may compute on the graphics card. */
  readonly gpu: boolean;
  /** Memory one function or model may have, MiB; absent: what a tab offers at most. */
  readonly memoryMiB?: number;
  readonly onlyWhenCharging: boolean;
  /** Only while the person does nothing: anywhere where the browser tells that, otherwise on this page. */
  readonly onlyWhenIdle: boolean;
  /** Not over a network that is paid by the amount. */
  readonly onlyUnmetered: boolean;
  /** Only from one hour of the local day to another, passing midnight where `to` is the smaller one. */
  readonly hours?: DayHours;
  /** Most data up and down together in one calendar month, millions of bytes. */
  readonly monthlyMegabytes?: number;
  readonly pauseWhenHidden: boolean;
  /** From this pressure on nothing is computed; absent: fewer threads at `critical`, and no pause. */
  readonly pauseAtPressure?: "serious" | "critical";
  /** Not while the browser is told to save data. */
  readonly pauseOnSaveData: boolean;
}

/** Hours of the local day, 0 to 23; nothing is left out where both are the same. */
export interface DayHours {
  readonly from: number;
  readonly to: number;
}

/** What a person's settings keep of them: threads and graphics card have places of their own there. */
export type StoredLimits = Omit<ProviderLimits, "workers" | "gpu">;

/** Limits of somebody who has chosen none. */
export const UNLIMITED: StoredLimits = {
  cpuPercent: 100,
  onlyWhenCharging: false,
  onlyWhenIdle: false,
  onlyUnmetered: false,
  pauseWhenHidden: false,
  pauseOnSaveData: false,
};

/** @returns undefined for anything that is no record; in a record what cannot be read holds as UNLIMITED says */
export function parseStoredLimits(value: unknown): StoredLimits | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const fields = fieldsOf(value);
  const memoryMiB = countAbove0(fields.get("memoryMiB"));
  const monthlyMegabytes = countAbove0(fields.get("monthlyMegabytes"));
  const hours = parseHours(fields.get("hours"));
  const pauseAtPressure = fields.get("pauseAtPressure");
  return {
    cpuPercent: Math.min(100, countAbove0(fields.get("cpuPercent")) ?? UNLIMITED.cpuPercent),
    onlyWhenCharging: fields.get("onlyWhenCharging") === true,
    onlyWhenIdle: fields.get("onlyWhenIdle") === true,
    onlyUnmetered: fields.get("onlyUnmetered") === true,
    pauseWhenHidden: fields.get("pauseWhenHidden") === true,
    pauseOnSaveData: fields.get("pauseOnSaveData") === true,
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
    ...(monthlyMegabytes === undefined ? {} : { monthlyMegabytes }),
    ...(hours === undefined ? {} : { hours }),
    ...(pauseAtPressure === "serious" || pauseAtPressure === "critical" ? { pauseAtPressure } : {}),
  };
}

function countAbove0(value: unknown): number | undefined {
  const count = asCount(value);
  return count === 0 ? undefined : count;
}

function parseHours(value: unknown): DayHours | undefined {
  const fields = fieldsOf(value);
  const from = asCount(fields.get("from"));
  const to = asCount(fields.get("to"));
  return from === undefined || to === undefined || from > 23 || to > 23 ? undefined : { from, to };
}
