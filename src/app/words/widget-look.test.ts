import fc from "fast-check";
import { expect, test } from "vitest";
import { inkOn, lookCss, PLAIN_LOOK } from "./widget-look.ts";

function channel(value: number): number {
  return value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function light(colour: string): number {
  const rgb = Number.parseInt(colour.slice(1), 16);
  const [red, green, blue] = [rgb >> 16, (rgb >> 8) & 255, rgb & 255].map((value) => channel(value / 255));
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

test("words on any colour a person picks stand out from it by 4.5 to 1", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xff_ff_ff }), (rgb) => {
      const colour = `#${rgb.toString(16).padStart(6, "0")}`;
      const [low, high] = [light(colour), light(inkOn(colour))].toSorted((a, b) => a - b);
      expect((high! + 0.05) / (low! + 0.05)).toBeGreaterThanOrEqual(4.5);
    }),
  );
});

test("a style sheet says what differs from the widget as it comes, and nothing else", () => {
  expect(lookCss(PLAIN_LOOK)).toBe("");
  expect(lookCss({ ...PLAIN_LOOK, accent: "#ffdd00", radiusPx: 4 })).toBe(
    "tabmesh-widget {\n  --tabmesh-accent: #ffdd00;\n  --tabmesh-on-accent: #000000;\n  --tabmesh-radius: 4px;\n}",
  );
});
