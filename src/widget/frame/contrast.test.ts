import { expect, test } from "vitest";
import { contrast, isDark, LEAST_CONTRAST } from "./contrast.ts";

test("black on white has the most contrast, a colour on itself none", () => {
  expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 5);
  expect(contrast([255, 255, 255], [0, 0, 0])).toBeCloseTo(21, 5);
  expect(contrast([10, 20, 30], [10, 20, 30])).toBe(1);
});

test("the grey at the edge of what can be read on white lies where the standard has it", () => {
  expect(contrast([118, 118, 118], [255, 255, 255])).toBeGreaterThan(LEAST_CONTRAST);
  expect(contrast([119, 119, 119], [255, 255, 255])).toBeLessThan(LEAST_CONTRAST);
});

test("a ground is dark when white stands out more on it than black", () => {
  expect(isDark([25, 34, 30])).toBe(true);
  expect(isDark([246, 244, 238])).toBe(false);
});
