import { InvalidArgumentError } from "commander";
import { describe, expect, test } from "vitest";
import {
  countText,
  creditsFixed,
  creditsText,
  durationText,
  fuelText,
  parseBytes,
  parseCount,
  parseCredits,
  parseDurationMs,
  parseFuel,
  parsePair,
  parseSize,
} from "./quantities.ts";

describe("quantities on the command line", () => {
  test("fuel takes thousands, millions and billions", () => {
    expect(parseFuel("250")).toBe(250n);
    expect(parseFuel("500M")).toBe(500_000_000n);
    expect(parseFuel("20g")).toBe(20_000_000_000n);
  });

  test("sizes count in powers of two", () => {
    expect(parseBytes("64MiB")).toBe(64 * 1024 * 1024);
    expect(parseBytes("64m")).toBe(64 * 1024 * 1024);
    expect(parseBytes("100")).toBe(100);
  });

  test("a time without a unit is in seconds", () => {
    expect(parseDurationMs("30")).toBe(30_000);
    expect(parseDurationMs("500ms")).toBe(500);
    expect(parseDurationMs("2m")).toBe(120_000);
  });

  test("credits have six decimals and no more", () => {
    expect(parseCredits("0.25")).toBe(250_000n);
    expect(parseCredits("12")).toBe(12_000_000n);
    expect(parseCredits("0.000001")).toBe(1n);
    expect(() => parseCredits("0.0000001")).toThrow(InvalidArgumentError);
  });

  test.each([
    ["fuel", () => parseFuel("0")],
    ["fuel", () => parseFuel("-5")],
    ["fuel", () => parseFuel("1.5G")],
    ["size", () => parseBytes("64 apples")],
    ["time", () => parseDurationMs("soon")],
    ["credits", () => parseCredits("-1")],
    ["count", () => parseCount("0")],
    ["count", () => parseCount("2.5")],
    ["size of a picture", () => parseSize("640")],
    ["size of a picture", () => parseSize("0x360")],
    ["pair", () => parsePair("=value")],
    ["pair", () => parsePair("novalue")],
  ])("a wrong %s is refused", (_, read) => {
    expect(read).toThrow(InvalidArgumentError);
  });

  test("a pair is split at its first equals sign", () => {
    expect(parsePair("A=b=c")).toEqual(["A", "b=c"]);
    expect(parsePair("A=")).toEqual(["A", ""]);
  });
});

describe("quantities on the screen", () => {
  test("credits are exact, with at least two decimals", () => {
    expect(creditsText(0n)).toBe("0.00");
    expect(creditsText(1n)).toBe("0.000001");
    expect(creditsText(12_500_000n)).toBe("12.50");
    expect(creditsText(12_345_678_900n)).toBe("12345.6789");
    expect(creditsText(-250_000n)).toBe("-0.25");
  });

  test("the app's form has all decimals and groups thousands", () => {
    expect(creditsFixed(1_234_500_000n)).toBe("1,234.500000");
  });

  test("fuel and time take the unit that fits", () => {
    expect(fuelText(14_300_000_000n)).toBe("14.3 Gfuel");
    expect(fuelText(1_500_000n)).toBe("1.50 Mfuel");
    expect(fuelText(12n)).toBe("12 fuel");
    expect(durationText(1_240)).toBe("1.2 s");
    expect(durationText(75_000)).toBe("75 s");
    expect(durationText(600_000)).toBe("10 min");
  });

  test("one is not many", () => {
    expect(countText(1, "tile")).toBe("1 tile");
    expect(countText(2, "tile")).toBe("2 tiles");
  });
});
