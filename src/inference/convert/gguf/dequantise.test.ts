import { describe, expect, it } from "vitest";
import { dequantise, halfToFloat } from "./dequantise.ts";
import { floatToHalf, quantiseBlocks } from "./quantise-block.contract.ts";
import { BF16, F16, F32, Q4_0, Q4_K, Q5_0, Q6_K, Q8_0, TENSOR_TYPES } from "./tensor-type.ts";

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
const bytes = (...parts: number[][]): Uint8Array => Uint8Array.from(parts.flat());
/** 1, 2 and 0.5 as halves, little-endian. */
const ONE = [0x00, 0x3c];
const TWO = [0x00, 0x40];
const HALF = [0x00, 0x38];

describe("a half", () => {
  it.each([
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65_504],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
  ])("0x%s is %s", (bits, value) => expect(halfToFloat(bits)).toBe(value));

  it("of a NaN is one, and -0 keeps its sign", () => {
    expect(halfToFloat(0x7e00)).toBeNaN();
    expect(halfToFloat(0x8000)).toBe(-0);
  });
});

describe("blocks computed by hand", () => {
  it("F32, F16, BF16", () => {
    expect([...dequantise(F32, bytes([0, 0, 0x80, 0x3f], [0, 0, 0x20, 0xc1]))]).toEqual([1, -10]);
    expect([...dequantise(F16, bytes(TWO, [0x00, 0xb8]))]).toEqual([2, -0.5]);
    expect([...dequantise(BF16, bytes([0x80, 0x3f], [0x20, 0xc1], [0x01, 0x00]))]).toEqual([
      1,
      -10,
      2 ** -133,
    ]);
  });

  it("Q8_0: step times signed bytes", () => {
    const out = dequantise(Q8_0, bytes(HALF, [1, 0xff, 0x7f, 0x80], zeros(28)));
    expect([...out.subarray(0, 5)]).toEqual([0.5, -0.5, 63.5, -64, 0]);
    expect(out).toHaveLength(32);
  });

  it("Q4_0: low halves first, then high halves, less 8", () => {
    const out = dequantise(
      Q4_0,
      bytes(
        TWO,
        [0x0f, 0xf0],
        Array.from({ length: 14 }, () => 0x88),
      ),
    );
    expect([out[0], out[1], out[2], out[16], out[17], out[18]]).toEqual([14, -16, 0, -16, 14, 0]);
  });

  it("Q5_0: the fifth bits stand before the halves", () => {
    // Fifth bits of values 1 and 31.
    const out = dequantise(Q5_0, bytes(ONE, [0x02, 0, 0, 0x80], [0x0f, 0x3f], zeros(13), [0xf0]));
    expect([out[0], out[1], out[2], out[16], out[17], out[31]]).toEqual([-1, 15, -16, -16, -13, 15]);
  });

  it("Q4_K: scales and minima of 6 bits in 12 bytes", () => {
    // Group 0: scale 3, minimum 5. Group 5: scale 0x2a = 42 (low 0xa, high 2), minimum 0x17 = 23 (low 7, high 1).
    const packed = [3, 0x80, 0, 0, 5, 0x40, 0, 0, 0, 0x7a, 0, 0];
    const quants = zeros(128);
    quants[0] = 0x0f;
    // Group 5: high halves of the third 32 bytes.
    quants[2 * 32 + 7] = 0x90;
    const out = dequantise(Q4_K, bytes(TWO, HALF, packed, quants));
    expect(out[0]).toBe(2 * 3 * 15 - 0.5 * 5);
    expect(out[1]).toBe(-2.5);
    expect(out[32]).toBe(0);
    expect(out[5 * 32 + 7]).toBe(2 * 42 * 9 - 0.5 * 23);
    expect(out[5 * 32]).toBe(-11.5);
    expect(out[4 * 32]).toBe(0);
  });

  it("Q6_K: four low bits, two upper ones, a signed scale for 16 values", () => {
    const low = zeros(128);
    const high = zeros(64);
    const scales = zeros(16);
    // Value 0: 0b11_0101 - 32 = 21, scale 2. Value 100 (quarter 3, place 4): 0b01_1111 - 32 = -1, scale -3 of group 6.
    low[0] = 0x05;
    high[0] = 0b11;
    low[36] = 0xf0;
    high[4] = 0b0100_0000;
    scales[0] = 2;
    scales[6] = 0xfd;
    // Value 128 + 70 (quarter 2, place 6): 0b10_0011 - 32 = 3, scale 7 of group 12.
    low[64 + 6] = 0x30;
    high[32 + 6] = 0b0010_0000;
    scales[12] = 7;
    const out = dequantise(Q6_K, bytes(low, high, scales, HALF));
    expect([out[0], out[100], out[198], out[255]]).toEqual([21, 1.5, 10.5, -0]);
  });
});

describe("every type", () => {
  it.each(TENSOR_TYPES.map((type) => [type.name, type] as const))(
    "%s gives back what was packed",
    (name, type) => {
      const values = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i * 1.7) * (i % 7 === 3 ? 3 : 1));
      const out = dequantise(type, quantiseBlocks(type, values));
      const tolerance = {
        F32: 0,
        F16: 0.002,
        BF16: 0.02,
        Q8_0: 0.02,
        Q6_K: 0.07,
        Q5_0: 0.12,
        Q4_0: 0.26,
        Q4_K: 0.26,
      };
      const largest = Math.max(...values.map((value, i) => Math.abs(value - out[i]!)));
      expect(largest).toBeLessThanOrEqual(tolerance[name as keyof typeof tolerance]);
    },
  );

  it("refuses half a block", () => {
    expect(() => dequantise(Q8_0, new Uint8Array(33))).toThrow("33 bytes are not whole blocks of Q8_0");
  });
});

it("the halves of tests are right", () => {
  for (const bits of [0x3c00, 0xc000, 0x7bff, 0x0400, 0x3555])
    expect(floatToHalf(halfToFloat(bits))).toBe(bits);
});
