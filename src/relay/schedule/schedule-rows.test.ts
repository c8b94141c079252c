import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { TriggerTerms } from "../../protocol/messages/deploy.ts";
import { ScheduleRows } from "./schedule-rows.ts";

const HOUR_MS = 3_600_000;
const START = Date.UTC(2030, 0, 1);
const HOOK: TriggerTerms = { id: "hook", kind: "webhook", missed: "all", secret: new Uint8Array(32) };

function rowsOf(deployments: readonly string[], path = ":memory:"): ScheduleRows {
  const rows = new ScheduleRows(path);
  for (const name of deployments) rows.setTriggers(name, [HOOK], START, () => undefined);
  return rows;
}

test("the time of a firing's run begins when it is taken first, however long it has waited, and never anew", () => {
  const rows = rowsOf(["d"]);
  rows.addEvents({ deployment: "d", id: "hook" }, [{ event: "a", at: START }], START);
  const taken = START + 3 * HOUR_MS;
  const [first] = rows.claim("one", taken, 1_000, 8);
  expect(first).toMatchObject({ event: "a", at: START, begun: taken });
  // Its holder is dead: whoever takes it over starts the same run.
  expect(rows.claim("two", taken + HOUR_MS, 1_000, 8)).toMatchObject([{ begun: taken, token: 2 }]);
  rows.close();
});

test("a file of before goes on: what was begun keeps its time, what waits begins when it is taken", () => {
  const folder = mkdtempSync(join(tmpdir(), "tabmesh-schedule-rows-"));
  try {
    const path = join(folder, "schedule.sqlite");
    const before = rowsOf(["d"], path);
    const events = ["held", "waits"].map((event) => ({ event, at: START }));
    before.addEvents({ deployment: "d", id: "hook" }, events, START);
    before.claim("one", START, 1_000, 1);
    before.close();
    const file = new DatabaseSync(path);
    file.exec("ALTER TABLE firings DROP COLUMN begun");
    file.close();
    const rows = new ScheduleRows(path);
    const taken = rows.claim("two", START + HOUR_MS, 1_000, 8);
    expect(new Map(taken.map(({ event, begun }) => [event, begun]))).toEqual(
      new Map([
        ["held", START],
        ["waits", START + HOUR_MS],
      ]),
    );
    rows.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
