import { inflateSync } from "node:zlib";
import fc from "fast-check";
import { expect, it } from "vitest";
import { encodePng } from "./png.ts";

/** A reader of its own, plain and slow, from the specification: answers with the pixels. */
function decode(png: Uint8Array): { width: number; height: number; rgb: Uint8Array } {
  const view = new DataView(png.buffer, png.byteOffset);
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const length = view.getUint32(33);
  const rows = inflateSync(png.subarray(41, 41 + length));
  const rgb = new Uint8Array(width * height * 3);
  const stride = width * 3;
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (stride + 1)];
    for (let i = 0; i < stride; i++) {
      const a = i < 3 ? 0 : rgb[y * stride + i - 3]!;
      const b = y === 0 ? 0 : rgb[(y - 1) * stride + i]!;
      const c = y === 0 || i < 3 ? 0 : rgb[(y - 1) * stride + i - 3]!;
      const p = a + b - c;
      const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
      const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      rgb[y * stride + i] = rows[y * (stride + 1) + 1 + i]! + [0, a, b, (a + b) >> 1, paeth][filter!]!;
    }
  }
  return { width, height, rgb };
}

it("keeps every pixel", async () => {
  const pictures = fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
    .chain(([width, height]) =>
      fc.record({
        width: fc.constant(width),
        height: fc.constant(height),
        rgb: fc.uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 }),
      }),
    );
  await fc.assert(
    fc.asyncProperty(pictures, async ({ width, height, rgb }) => {
      expect(decode(await encodePng(rgb, width, height))).toEqual({ width, height, rgb });
    }),
    { numRuns: 100 },
  );
});

it("writes the bytes of a known black pixel's chunks", async () => {
  const png = Buffer.from(await encodePng(new Uint8Array(3), 1, 1)).toString("hex");
  expect(png.startsWith("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de")).toBe(true);
  expect(png.endsWith("0000000049454e44ae426082")).toBe(true);
});

it("refuses bytes that do not fill the picture", async () => {
  await expect(encodePng(new Uint8Array(4), 1, 1)).rejects.toThrow(RangeError);
});
