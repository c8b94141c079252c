import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MISSED_POLICIES, type TriggerTerms } from "../protocol/messages/deploy.ts";
import { tries } from "../protocol/tries.contract.ts";
import { clockTimes, type ClockTimes, whyNoTimes } from "./clock-times.ts";
import { dueTimes } from "./due-times.ts";
import { firingNonce } from "./firing-nonce.ts";
import { MAX_FIRINGS_AT_ONCE, ON_TIME_MS } from "./limits.ts";
import { utcText } from "./utc-text.ts";

function cron(pattern: string, zone = "UTC"): TriggerTerms {
  return { id: "t", kind: "cron", missed: "all", cron: pattern, zone };
}

function every(everyMs: number): TriggerTerms {
  return { id: "t", kind: "interval", missed: "all", everyMs };
}

function timesOf(terms: TriggerTerms, sinceMs = 0): ClockTimes {
  const times = clockTimes(terms, sinceMs);
  if (times === undefined) throw new Error("not of the clock");
  return times;
}

/** The times after `from`, as UTC. */
function listed(pattern: string, zone: string, from: string, count: number): readonly string[] {
  const times = timesOf(cron(pattern, zone));
  const found: string[] = [];
  let at = Date.parse(from);
  for (let i = 0; i < count; i += 1) {
    at = times.next(at) ?? Number.NaN;
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

describe("times of the clock", () => {
  test("UTC is written as the calendar has it, for any day", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
        expect(utcText(ms)).toBe(new Date(ms).toISOString());
      }),
      { numRuns: tries(2_000) },
    );
    expect(() => utcText(-1)).toThrow(RangeError);
  });

  test("follow the zone through the year", () => {
    expect(listed("30 6 * * 1-5", "Europe/Berlin", "2026-01-02T12:00Z", 2)).toEqual([
      "2026-01-05T05:30",
      "2026-01-06T05:30",
    ]);
    expect(listed("30 6 * * 1-5", "Europe/Berlin", "2026-07-03T12:00Z", 1)).toEqual(["2026-07-06T04:30"]);
  });

  test("a time of the day that the spring leaves out comes right after the gap", () => {
    expect(listed("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00Z", 3)).toEqual([
      "2026-03-28T01:30",
      "2026-03-29T01:00",
      "2026-03-30T00:30",
    ]);
    // Clocks go forward by half an hour on Lord Howe Island.
    expect(listed("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T16:00Z", 3)).toEqual([
      "2026-10-03T15:30",
      "2026-10-04T15:15",
      "2026-10-05T15:15",
    ]);
  });

  test("a time of the day that the autumn has twice comes once", () => {
    expect(listed("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00Z", 3)).toEqual([
      "2026-10-24T00:30",
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
  });

  test("every half hour comes every half hour, whatever clocks do", () => {
    for (const from of ["2026-03-28T23:50Z", "2026-10-24T23:50Z"]) {
      const at = listed("*/30 * * * *", "Europe/Berlin", from, 10).map((text) => Date.parse(`${text}Z`));
      for (const [i, time] of at.entries()) if (i > 0) expect(time - (at[i - 1] ?? 0)).toBe(1_800_000);
    }
  });

  test("an interval counts from when it was made, and its first firing is one interval later", () => {
    const times = timesOf(every(60_000), 5_000);
    expect(times.next(0)).toBe(65_000);
    expect(times.next(5_000)).toBe(65_000);
    expect(times.next(65_000)).toBe(125_000);
    expect(times.next(124_999)).toBe(125_000);
  });

  test.each([
    ["nonsense", "UTC", /exactly five/u],
    ["61 * * * *", "UTC", /Invalid value for minute: 61/u],
    ["* * * * *", "Mars/Base", /time ?zone/iu],
    ["* * * * *", "", /needs a time zone/u],
    ["0 0 30 2 *", "UTC", /never comes/u],
  ])("%j in %j is no time, and it is said why", (pattern, zone, why) => {
    expect(whyNoTimes(cron(pattern, zone))).toMatch(why);
  });

  test("what is no time of the clock has none", () => {
    expect(
      whyNoTimes({ id: "t", kind: "webhook", missed: "all", secret: new Uint8Array(32) }),
    ).toBeUndefined();
    expect(clockTimes({ id: "t", kind: "peer", missed: "all" }, 0)).toBeUndefined();
  });
});

describe("times that passed", () => {
  const HOUR = 3_600_000;
  const minutely = timesOf(cron("* * * * *"));
  const start = Date.parse("2026-05-01T00:00:00Z");

  test("all of them fire, oldest first, or the newest, or none", () => {
    const now = start + HOUR + 45_000;
    expect(dueTimes(minutely, "all", start, now).fire).toHaveLength(60);
    expect(dueTimes(minutely, "once", start, now).fire).toEqual([start + HOUR]);
    expect(dueTimes(minutely, "skip", start, now).fire).toEqual([]);
    for (const missed of MISSED_POLICIES)
      expect(dueTimes(minutely, missed, start, now)).toMatchObject({
        through: now,
        next: start + HOUR + 60_000,
      });
  });

  test("what came on time fires whatever the policy", () => {
    for (const missed of MISSED_POLICIES)
      expect(dueTimes(minutely, missed, start, start + 60_000 + ON_TIME_MS - 1).fire).toEqual([
        start + 60_000,
      ]);
  });

  test("after years the newest is found without going through all of them", () => {
    let asked = 0;
    const counted: ClockTimes = {
      next(after) {
        asked += 1;
        return minutely.next(after);
      },
    };
    const now = start + 3 * 365 * 24 * HOUR + 45_000;
    expect(dueTimes(counted, "once", start, now).fire).toEqual([now - 45_000]);
    expect(asked).toBeLessThan(20);
  });

  test("so many at once that more remain are taken up in the next look", () => {
    const now = start + 20 * HOUR;
    const first = dueTimes(minutely, "all", start, now);
    const second = dueTimes(minutely, "all", first.through, now);
    const third = dueTimes(minutely, "all", second.through, now);
    expect(first.fire).toHaveLength(MAX_FIRINGS_AT_ONCE);
    expect([...first.fire, ...second.fire, ...third.fire]).toHaveLength(20 * 60);
    expect(new Set([...first.fire, ...second.fire, ...third.fire]).size).toBe(20 * 60);
  });

  test("a clock that was set back fires nothing again", () => {
    const { through } = dueTimes(minutely, "all", start, start + HOUR);
    expect(dueTimes(minutely, "all", through, start)).toEqual({
      fire: [],
      through,
      next: start + HOUR + 60_000,
    });
  });

  test("whenever and however often one looks, each time is decided once", () => {
    const patterns = ["* * * * *", "*/7 * * * *", "15 */2 * * *", "30 2 * * *", "*/20 * * * * *"];
    fc.assert(
      fc.property(
        fc.constantFrom(...patterns),
        fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"),
        fc.array(fc.integer({ min: 0, max: HOUR }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 400 * 24 }),
        (pattern, zone, steps, hours) => {
          const times = timesOf(cron(pattern, zone));
          const from = start + hours * HOUR;
          const fired: number[] = [];
          let through = from;
          let now = from;
          for (const step of steps) {
            now += step;
            const due = dueTimes(times, "all", through, now);
            fired.push(...due.fire);
            ({ through } = due);
          }
          while (through < now) {
            const due = dueTimes(times, "all", through, now);
            fired.push(...due.fire);
            ({ through } = due);
          }
          const expected: number[] = [];
          for (let time = times.next(from); time !== undefined && time <= now; time = times.next(time))
            expected.push(time);
          expect(fired).toEqual(expected);
        },
      ),
      { numRuns: tries(200) },
    );
  });
});

test("the nonce of a run names deployment, trigger and event, each by itself", () => {
  const nonces = [
    firingNonce("a", "b", "c"),
    firingNonce("ab", "", "c"),
    firingNonce("a", "bc", ""),
    firingNonce("a", "b", "d"),
  ].map((nonce) => Buffer.from(nonce).toString("hex"));
  expect(new Set(nonces).size).toBe(4);
  expect(nonces[0]).toHaveLength(32);
  expect(Buffer.from(firingNonce("a", "b", "c")).toString("hex")).toBe(nonces[0]);
});
