import { pino } from "pino";
import { expect, test } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { HEAD, openScene } from "../books/books-scene.contract.ts";
import type { Name } from "../../protocol/messages/name.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { ScheduleRows } from "../schedule/schedule-rows.ts";
import { chainLogs } from "./chain-logs.ts";
import { EventSources, meaningOf } from "./event-sources.ts";

test("a name that goes back and forth fires at each change, and not when it is only signed anew", async () => {
  const { books, clock, requester } = await openScene();
  const rows = new ScheduleRows(":memory:");
  const terms = { id: "moved", kind: "name", missed: "all", name: "prices" } as const;
  rows.setTriggers("d", [terms], clock.now, () => undefined);
  let name: Name | undefined;
  const register = (version: number, plan: string): void => {
    name = {
      ...HEAD,
      owner: requester.key,
      name: "prices",
      version,
      plan: cidOf(RAW, encodeUtf8(plan)),
      issuedAt: clock.now,
      expires: clock.now + 3_600_000,
    };
  };
  const sources = new EventSources({
    books,
    offers: { list: () => [] },
    rows,
    deployments: { find: () => undefined },
    leadsTo: () => meaningOf(name),
    chains: chainLogs(() => undefined),
    lines: pino({ level: "silent" }),
    nowMs: () => clock.now,
  });
  const fired = (): number => {
    clock.now += 1_000;
    sources.turn();
    const taken = rows.claim("p", clock.now, 30_000, 8, () => "an owner");
    for (const firing of taken) rows.end(firing, true, "done", clock.now);
    return taken.length;
  };
  register(1, "a");
  expect(fired()).toBe(0);
  const counts = ["b", "a", "b", "b", "a"].map((plan, index) => {
    register(index + 2, plan);
    return fired();
  });
  expect(counts).toEqual([1, 1, 1, 0, 1]);
  name = undefined;
  expect([fired(), fired()]).toEqual([1, 0]);
  rows.close();
});
