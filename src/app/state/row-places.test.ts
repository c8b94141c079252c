import { describe, expect, test } from "vitest";
import { MAX_LIST_PX, type RowQuestion, rowPlaces } from "./row-places.ts";

const list: RowQuestion = {
  length: 1_000,
  rowPx: 50,
  extras: new Map(),
  scrollPx: 0,
  viewPx: 500,
  overscan: 2,
};

describe("rows of a long list", () => {
  test("are those that are seen, and some beyond", () => {
    expect(rowPlaces(list)).toEqual({ first: 0, end: 13, topPx: 0, heightPx: 50_000 });
    expect(rowPlaces({ ...list, scrollPx: 5_020 })).toMatchObject({ first: 98, end: 113, topPx: 4_900 });
  });

  test("end where the list ends, however far it is scrolled", () => {
    const places = rowPlaces({ ...list, scrollPx: 1_000_000 });
    expect(places).toMatchObject({ first: 988, end: 1_000, heightPx: 50_000 });
    expect(places.topPx + (places.end - places.first) * 50).toBe(50_000);
  });

  test("make room for a row that is opened, above and below what is seen", () => {
    const extras = new Map([[3, 400]]);
    expect(rowPlaces({ ...list, extras })).toMatchObject({ heightPx: 50_400, end: 6 });
    expect(rowPlaces({ ...list, extras, scrollPx: 600 })).toMatchObject({ first: 2, topPx: 100 });
    expect(rowPlaces({ ...list, extras, scrollPx: 10_400 })).toMatchObject({ first: 198, topPx: 10_300 });
  });

  test("are none in an empty list", () => {
    expect(rowPlaces({ ...list, length: 0 })).toEqual({ first: 0, end: 0, topPx: 0, heightPx: 0 });
  });

  test("are all reached where a browser cannot lay out so many", () => {
    const long = { ...list, length: 1_000_000 };
    expect(rowPlaces(long).heightPx).toBe(MAX_LIST_PX);
    const middle = rowPlaces({ ...long, scrollPx: (MAX_LIST_PX - 500) / 2 });
    expect(middle.first).toBeGreaterThan(499_980);
    expect(middle.end).toBeLessThan(500_020);
    const end = rowPlaces({ ...long, scrollPx: MAX_LIST_PX - 500 });
    expect(end.end).toBe(1_000_000);
    expect(end.topPx + (end.end - end.first) * 50).toBeCloseTo(MAX_LIST_PX, 3);
  });
});
