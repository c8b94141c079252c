import { expect, test } from "vitest";
import { type Pixels, preview } from "./preview.ts";

/** Red above, blue below. */
function flag(width: number, height: number): Pixels {
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel += 1)
    rgb[pixel * 3 + (pixel < (width * height) / 2 ? 0 : 2)] = 255;
  return { width, height, rgb };
}

test("a character shows two pixels, one above the other", () => {
  expect(preview(flag(1, 2), 10, 24)).toEqual(["\u001b[38;2;255;0;0;48;2;0;0;255m▀\u001b[0m"]);
});

test("a picture keeps its shape: a character is twice as high as wide", () => {
  const lines = preview(flag(640, 360), 64, 24);
  expect(lines).toHaveLength(18);
  expect(lines[0]?.split("▀")).toHaveLength(65);
});

test("pixels are averaged", () => {
  const grey: Pixels = {
    width: 2,
    height: 2,
    rgb: Uint8Array.of(0, 0, 0, 100, 100, 100, 0, 0, 0, 50, 50, 50),
  };
  expect(preview(grey, 1, 24)).toEqual(["\u001b[38;2;50;50;50;48;2;25;25;25m▀\u001b[0m"]);
});

test("a terminal of 256 colours gets the nearest of them", () => {
  expect(preview(flag(1, 2), 10, 8)).toEqual(["\u001b[38;5;196;48;5;21m▀\u001b[0m"]);
});

test("a terminal without colours gets shades", () => {
  const white: Pixels = { width: 1, height: 2, rgb: new Uint8Array(6).fill(255) };
  expect(preview(white, 1, 1)).toEqual(["@"]);
  expect(preview({ ...white, rgb: new Uint8Array(6) }, 1, 1)).toEqual([" "]);
});
