/** How far a schedule has come, so that what comes after it knows what was missed. */
export interface ScheduleMark {
  /** Everything up to here has been decided for good, milliseconds since 1970. */
  readonly through: number;
  /** A time whose run may have begun, and when it was to begin: it is seen through before anything else. */
  readonly begun?: { readonly event: number; readonly at: number };
}

/** Where schedules are remembered that a program hosts for itself. */
export interface ScheduleMarks {
  load(schedule: string): Promise<ScheduleMark | undefined>;
  /** Resolves when it would survive the end of the program. */
  keep(schedule: string, mark: ScheduleMark): Promise<void>;
}

/** Marks that end with the program. */
export function memoryMarks(): ScheduleMarks {
  const marks = new Map<string, ScheduleMark>();
  return {
    load: (schedule) => Promise.resolve(marks.get(schedule)),
    keep: (schedule, mark) => Promise.resolve(void marks.set(schedule, mark)),
  };
}

function keyOf(schedule: string): string {
  return `tabmesh schedule ${schedule}`;
}

/** Marks in a page's own storage, such as `localStorage`: they outlive its tab. @throws DOMException where the browser lets it keep nothing */
export function storedMarks(storage: Pick<Storage, "getItem" | "setItem">): ScheduleMarks {
  return {
    async load(schedule) {
      return readMark(storage.getItem(keyOf(schedule)) ?? "");
    },
    async keep(schedule, mark) {
      storage.setItem(keyOf(schedule), JSON.stringify(mark));
    },
  };
}

/** @returns undefined for what is no mark */
export function readMark(text: string): ScheduleMark | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const [through, begun] = [timeIn(value, "through"), Reflect.get(value, "begun") as unknown];
    if (through === undefined) return undefined;
    if (typeof begun !== "object" || begun === null) return { through };
    const [event, at] = [timeIn(begun, "event"), timeIn(begun, "at")];
    return event === undefined || at === undefined ? { through } : { through, begun: { event, at } };
  } catch {
    return undefined;
  }
}

function timeIn(value: object, name: string): number | undefined {
  const time: unknown = Reflect.get(value, name);
  return typeof time === "number" && Number.isSafeInteger(time) && time >= 0 ? time : undefined;
}
