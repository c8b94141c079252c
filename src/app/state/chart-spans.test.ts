import { describe, expect, test } from "vitest";
import { layersOf, stackOf, sumsOf } from "../charts/layers.ts";
import type { EarningsPoint } from "../../protocol/relay-api.ts";
import { microCredits } from "../../protocol/units.ts";
import { bucketStarts, spanStartMs } from "./chart-spans.ts";

const HOUR_MS = 3_600_000;
const NOW: number = 1_000 * HOUR_MS + 1_234;

function point(start: number, amount: number, tasks = 1): EarningsPoint {
  return { start, amount: microCredits(amount), tasks };
}

describe("the chart", () => {
  test("has every hour of two days, also those in which nothing was earned", () => {
    const starts = bucketStarts("hours", NOW);
    expect(starts).toHaveLength(48);
    expect(starts.at(-1)).toBe(1_000 * HOUR_MS);
    const shares = {
      span: "hours",
      split: "total",
      points: [point(990 * HOUR_MS, 5, 2)],
      shares: [],
    } as const;
    const sums = sumsOf(layersOf(shares), starts);
    expect(sums).toHaveLength(48);
    expect(sums.filter(({ amount }) => amount > 0n)).toEqual(shares.points);
  });

  test("has thirty days that begin at midnight UTC", () => {
    const starts = bucketStarts("days", NOW);
    expect(starts).toHaveLength(30);
    expect(starts.every((start) => start % (24 * HOUR_MS) === 0)).toBe(true);
  });

  test("has twelve months that begin on their first day, over the turn of a year", () => {
    const march = Date.UTC(2027, 2, 31, 23);
    expect(bucketStarts("months", march)).toHaveLength(12);
    expect(spanStartMs("months", march)).toBe(Date.UTC(2026, 3));
    expect(bucketStarts("months", march).at(-1)).toBe(Date.UTC(2027, 2));
  });
});

describe("a chart in parts", () => {
  const data = {
    span: "hours",
    split: "function",
    points: [point(0, 100, 10), point(HOUR_MS, 50, 5)],
    shares: [
      { name: "one", amount: microCredits(90), tasks: 9, points: [point(0, 60, 6), point(HOUR_MS, 30, 3)] },
      { name: "", amount: microCredits(20), tasks: 2, points: [point(HOUR_MS, 20, 2)] },
    ],
  } as const;

  test("shows what was earned before anything was written down as a part of its own, so that the sum is right", () => {
    const layers = layersOf(data);
    expect(layers.map(({ kind, amount, tasks }) => [kind, amount, tasks])).toEqual([
      ["named", 90n, 9],
      ["others", 20n, 2],
      ["unsplit", 40n, 4],
    ]);
    expect(sumsOf(layers, [0, HOUR_MS])).toEqual(data.points);
  });

  test("piles the parts up, each on what is below it", () => {
    expect(stackOf(layersOf(data), [0, HOUR_MS])).toEqual([
      [60n, 30n],
      [60n, 50n],
      [100n, 50n],
    ]);
  });

  test("does not take what visitors of a site sent from what the owner worked for", () => {
    const sent = { name: "site-a", amount: microCredits(70), tasks: 0, points: [point(0, 70, 0)] };
    const layers = layersOf({ ...data, split: "site", shares: [sent] });
    expect(layers.map(({ kind, amount }) => [kind, amount])).toEqual([
      ["named", 70n],
      ["unsplit", 150n],
    ]);
  });

  test("is one part when it is not split", () => {
    expect(layersOf({ ...data, split: "total", shares: [] }).map(({ amount }) => amount)).toEqual([150n]);
  });
});
