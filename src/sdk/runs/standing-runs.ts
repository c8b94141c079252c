/** What a program does that stays: one part of the SDK, loaded when it is asked for. */
export { holdRuns } from "./hold-runs.ts";
export { hostSchedule } from "./host-schedule.ts";
export { startOnce } from "./start-run.ts";
