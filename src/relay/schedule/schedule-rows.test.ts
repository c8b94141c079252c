import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { TriggerTerms } from "../../protocol/messages/deploy.ts";
import { MAX_UNDER_WAY, MAX_UNDER_WAY_OF_ONE } from "./limits.ts";
import { ScheduleRows } from "./schedule-rows.ts";

const HOUR_MS = 3_600_000;
const START = Date.UTC(2030, 0, 1);
const HOOK: TriggerTerms = { id: "hook", kind: "webhook", missed: "all", secret: new Uint8Array(32) };

/** All are of one owner. */
const same = (): string => "an owner";

function rowsOf(deployments: readonly string[], path = ":memory:"): ScheduleRows {
  const rows = new ScheduleRows(path);
  for (const name of deployments) rows.setTriggers(name, [HOOK], START, () => undefined);
  return rows;
}

test("the time of a firing's run begins when it is taken first, however long it has waited, and never anew", () => {
  const rows = rowsOf(["d"]);
  rows.addEvents({ deployment: "d", id: "hook" }, [{ event: "a", at: START }], START);
  const taken = START + 3 * HOUR_MS;
  const [first] = rows.claim("one", taken, 1_000, 8, same);
  expect(first).toMatchObject({ event: "a", at: START, begun: taken });
  // Its holder is dead: whoever takes it over starts the same run.
  expect(rows.claim("two", taken + HOUR_MS, 1_000, 8, same)).toMatchObject([{ begun: taken, token: 2 }]);
  rows.close();
});

test("one owner's firings, of however many deployments, leave places for those of others", () => {
  const many = ["a", "b", "c", "d", "e"];
  const rows = rowsOf([...many, "other"]);
  const ownerOf = (deployment: string): string => (many.includes(deployment) ? "one" : "another");
  const events = Array.from({ length: MAX_UNDER_WAY }, (_, index) => ({ event: `e${index}`, at: START }));
  for (const deployment of many) rows.addEvents({ deployment, id: "hook" }, events, START);
  rows.addEvents({ deployment: "other", id: "hook" }, [{ event: "late", at: START }], START + 1);
  const claim = (): readonly string[] =>
    rows.claim("p", START + 2, HOUR_MS, MAX_UNDER_WAY, ownerOf).map(({ deployment }) => ownerOf(deployment));
  const taken = claim();
  expect(taken.filter((owner) => owner === "one")).toHaveLength(MAX_UNDER_WAY_OF_ONE);
  expect(taken.filter((owner) => owner === "another")).toHaveLength(1);
  // What is under way counts as well.
  expect(claim()).toEqual([]);
  rows.close();
});

test("a file of before goes on: what was begun keeps its time, what waits begins when it is taken", () => {
  const folder = mkdtempSync(join(tmpdir(), "tabmesh-schedule-rows-"));
  try {
    const path = join(folder, "schedule.sqlite");
    const before = rowsOf(["d"], path);
    const events = ["held", "waits"].map((event) => ({ event, at: START }));
    before.addEvents({ deployment: "d", id: "hook" }, events, START);
    before.claim("one", START, 1_000, 1, same);
    before.close();
    const file = new DatabaseSync(path);
    file.exec("ALTER TABLE firings DROP COLUMN begun");
    file.close();
    const rows = new ScheduleRows(path);
    const taken = rows.claim("two", START + HOUR_MS, 1_000, 8, same);
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
