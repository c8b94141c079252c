import fc from "fast-check";
import { expect, it } from "vitest";
import { cutGrid } from "./cut-grid.ts";

it("every workgroup is in one piece, and no piece is larger than it may be", () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }));
  fc.assert(
    fc.property(sizes, fc.double({ min: 0, max: 2_000, noNaN: true }), ([width, height], most) => {
      const seen = new Uint8Array(width * height);
      for (const cut of cutGrid(width, height, most)) {
        expect(cut.width * cut.height).toBeLessThanOrEqual(Math.max(1, most));
        expect(cut.width * cut.height).toBeGreaterThan(0);
        for (let y = cut.y; y < cut.y + cut.height; y += 1)
          for (let x = cut.x; x < cut.x + cut.width; x += 1)
            seen[y * width + x] = (seen[y * width + x] ?? 0) + 1;
      }
      expect(seen.every((count) => count === 1)).toBe(true);
    }),
  );
});

it("no side is longer than every device allows", () => {
  expect(Array.from(cutGrid(70_000, 2, Infinity))).toEqual([
    { x: 0, y: 0, width: 65_535, height: 1 },
    { x: 65_535, y: 0, width: 4_465, height: 1 },
    { x: 0, y: 1, width: 65_535, height: 1 },
    { x: 65_535, y: 1, width: 4_465, height: 1 },
  ]);
  expect(Array.from(cutGrid(1, 70_000, Infinity))).toEqual([
    { x: 0, y: 0, width: 1, height: 65_535 },
    { x: 0, y: 65_535, width: 1, height: 4_465 },
  ]);
});
