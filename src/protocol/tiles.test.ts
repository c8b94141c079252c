import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bundlesOf,
  decodeBundle,
  decodeTile,
  encodeBundle,
  entriesBelow,
  parseTilePath,
  tilePath,
  tileWidth,
} from "./tiles.ts";

const place = fc.record({
  level: fc.oneof(fc.constant("entries" as const), fc.integer({ min: 0, max: 6 })),
  index: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  width: fc.integer({ min: 1, max: 256 }),
});

describe("paths of tiles", () => {
  test("are written in groups of three digits, all but the last behind an x", () => {
    expect(tilePath({ level: 0, index: 0, width: 256 })).toBe("/tile/0/000");
    expect(tilePath({ level: 2, index: 1_234_067, width: 256 })).toBe("/tile/2/x001/x234/067");
    expect(tilePath({ level: "entries", index: 1_000, width: 8 })).toBe("/tile/entries/x001/000.p/8");
  });

  test("name one place each, and come back from it", () => {
    fc.assert(
      fc.property(place, (each) => {
        expect(parseTilePath(tilePath(each))).toEqual(each);
      }),
    );
  });

  test.each([
    "/tile/00/000",
    "/tile/7/000",
    "/tile/-1/000",
    "/tile/data/000",
    "/tile/0/0",
    "/tile/0/0000",
    "/tile/0/x000/001",
    "/tile/0/001/002",
    "/tile/0/x001",
    "/tile/0/000.p/0",
    "/tile/0/000.p/256",
    "/tile/0/000.p/012",
    "/tile/0/000.p",
    "/tile/0/000/",
    "/tile/0/x009/x007/x199/x254/x740/992",
    "/tile/0/x999/x999/x999/x999/x999/999",
  ])("%s is none", (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });
});

describe("a tile", () => {
  test("is as wide as the published example says, for 70,000 entries", () => {
    const widths = [
      [0, 272],
      [0, 273],
      [0, 274],
      [1, 0],
      [1, 1],
      [2, 0],
      [3, 0],
    ].map(([level = 0, index = 0]) => tileWidth({ level, index }, 70_000));
    expect(widths).toEqual([256, 112, 0, 256, 17, 1, 0]);
    expect(tileWidth({ level: 1, index: 0 }, 256)).toBe(1);
    expect(entriesBelow(2)).toBe(65_536);
  });

  test("is refused unless it has exactly the width that was asked for", () => {
    expect(decodeTile(new Uint8Array(64), 2)).toHaveLength(2);
    expect(() => decodeTile(new Uint8Array(64), 3)).toThrow(/tile/u);
    expect(() => decodeTile(new Uint8Array(65), 2)).toThrow(/tile/u);
  });
});

const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 });

describe("a bundle", () => {
  test("is each entry behind two bytes of length", () => {
    expect(encodeBundle([Uint8Array.of(7), new Uint8Array(258)]).subarray(0, 6)).toEqual(
      Uint8Array.of(0, 1, 7, 1, 2, 0),
    );
    expect(() => encodeBundle([new Uint8Array(65_536)])).toThrow(RangeError);
  });

  test("gives back the entries that went into it, and no others", () => {
    fc.assert(
      fc.property(entries, (all) => {
        const bundle = encodeBundle(all);
        expect(decodeBundle(bundle, all.length).map((entry) => entry.slice())).toEqual(all);
        expect(() => decodeBundle(bundle, all.length + 1)).toThrow(/bundle/u);
        expect(() => decodeBundle(bundle.subarray(0, -1), all.length)).toThrow(/bundle/u);
      }),
    );
  });

  test("covers a log without gaps", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_000 }), (size) => {
        const widths = [...bundlesOf(size)].map(({ width, index }, at) => {
          expect(index).toBe(at);
          return width;
        });
        expect(widths.reduce((sum, width) => sum + width, 0)).toBe(size);
      }),
    );
  });
});
