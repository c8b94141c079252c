import { createHash } from "node:crypto";
import { join } from "node:path";
import { readMark, type ScheduleMarks } from "../../sdk/index.ts";
import { type HomeFolder, readIfThere, writePrivate } from "./folder.ts";

/** How far this person's schedules have come, one file for each. */
export function fileMarks({ folder }: HomeFolder): ScheduleMarks {
  const path = (schedule: string): string =>
    join(folder, "schedules", `${createHash("sha256").update(schedule).digest("hex").slice(0, 32)}.json`);
  return {
    load: async (schedule) => readMark((await readIfThere(path(schedule))) ?? ""),
    keep: (schedule, mark) => writePrivate(path(schedule), `${JSON.stringify({ ...mark, schedule })}\n`),
  };
}
