import { expect, it } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { fuel } from "../protocol/units.ts";
import { Activity } from "./activity.ts";

const done = { kind: "done", outputCid: cidOf(RAW, new Uint8Array()), size: 0, fuel: fuel(7) } as const;
const failed = { kind: "failed", code: failureCode("deadline"), fuel: fuel(1) } as const;

it("counts a stream as one task, however many parts it has, and the fuel of them all", () => {
  let clock = 0;
  const activity = new Activity(() => clock);
  for (let part = 0; part < 19; part += 1) activity.outcome(done, false);
  activity.outcome(done, true);
  activity.outcome(failed, true);
  clock = 9_000;
  expect(activity.view()).toMatchObject({
    tasksDone: 1,
    tasksFailed: 1,
    fuel: 141n,
    tasksPerSecond: 0.2,
    fuelPerSecond: 14.1,
  });
  clock = 10_000;
  expect(activity.view()).toMatchObject({ tasksPerSecond: 0, fuelPerSecond: 0, tasksDone: 1 });
});
