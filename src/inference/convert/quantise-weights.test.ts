import { describe, expect, it } from "vitest";
import { GROUP, LARGEST_MULTIPLIER, LARGEST_ROW_SUM, type Matrix } from "../model/matrix.ts";
import { dequantise } from "./gguf/dequantise.ts";
import { quantiseBlocks } from "./gguf/quantise-block.contract.ts";
import { Q4_0 } from "./gguf/tensor-type.ts";
import { quantiseFactors, quantiseMatrix, scaleOf, valueOf } from "./quantise-weights.ts";

const ROWS = 60;
const COLUMNS = 300;

/** Normally distributed, the same every time. */
function normal(count: number): Float32Array {
  let state = 7;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

function storedAt({ values, bits, stride }: Matrix, n: number, k: number): number {
  if (bits === 8) return values[n * stride + k]!;
  const pair = values[(n * stride + k) >> 1]!;
  return k % 2 === 0 ? (pair << 28) >> 28 : pair >> 4;
}

function realAt(matrix: Matrix, n: number, k: number): number {
  const multiplier = matrix.multipliers[(n * matrix.stride) / GROUP + Math.floor(k / GROUP)]!;
  return storedAt(matrix, n, k) * multiplier * valueOf(matrix.scales[n]!);
}

/** Decibels by which the weights are above what they lose. */
function signalToNoise(matrix: Matrix, weights: Float32Array): number {
  let [signal, noise] = [0, 0];
  for (const [i, weight] of weights.entries()) {
    signal += weight ** 2;
    noise += (weight - realAt(matrix, Math.floor(i / matrix.columns), i % matrix.columns)) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

describe("a quantised matrix", () => {
  const weights = normal(ROWS * COLUMNS);

  it.each([
    [8, 45, 127, -127],
    [4, 21, 7, -8],
  ] as const)("of %s bits keeps %s dB and stays in its range", (bits, decibels, most, least) => {
    const matrix = quantiseMatrix(weights, ROWS, COLUMNS, bits);
    expect(signalToNoise(matrix, weights)).toBeGreaterThan(decibels);
    const stored = Array.from(weights, (_, i) => storedAt(matrix, Math.floor(i / COLUMNS), i % COLUMNS));
    expect([Math.min(...stored), Math.max(...stored)]).toEqual([least, most]);
    expect(Math.min(...matrix.multipliers)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...matrix.multipliers)).toBe(LARGEST_MULTIPLIER);
  });

  it.each([4, 8] as const)("of %s bits is not spoiled by one large weight in another group", (bits) => {
    const outlier = weights.slice(0, COLUMNS);
    outlier[5] = 40;
    const rest = outlier.map((weight, i) => (i < GROUP ? 0 : weight));
    const matrix = quantiseMatrix(outlier, 1, COLUMNS, bits);
    matrix.values.fill(0, 0, (GROUP * bits) / 8);
    expect(signalToNoise(matrix, rest)).toBeGreaterThan(bits === 8 ? 38 : 16);
  });

  it("of 4 bits finds the steps of a Q4_0 file again", () => {
    const rows = normal(40 * 512);
    const source = dequantise(Q4_0, quantiseBlocks(Q4_0, rows));
    expect(signalToNoise(quantiseMatrix(source, 40, 512, 4), source)).toBeGreaterThan(32);
  });

  it("of long rows takes coarser steps, so that sums stay in 32 bits", () => {
    const columns = 65_536;
    const row = new Float32Array(columns).fill(1);
    const { values, multipliers } = quantiseMatrix(row, 1, columns, 8);
    let sum = 0;
    for (const [k, value] of values.entries()) sum += Math.abs(value) * multipliers[Math.floor(k / GROUP)]!;
    expect(sum).toBeLessThanOrEqual(LARGEST_ROW_SUM);
    expect(sum).toBeGreaterThan(LARGEST_ROW_SUM / 4);
  });

  it("of zeros is zeros, and of what is no number is refused", () => {
    expect(quantiseMatrix(new Float32Array(64), 2, 32, 4).values.every((value) => value === 0)).toBe(true);
    for (const value of [Number.NaN, Infinity])
      expect(() => quantiseMatrix(Float32Array.of(1, value), 1, 2, 8)).toThrow(
        "a weight is not a finite number",
      );
  });
});

describe("scales and factors", () => {
  it("are right to 2^-16, over the whole range of floats", () => {
    for (const value of [1, 2 ** 16 - 0.4, 1 / 3, 1e-38, 3e38, 65_535.7])
      expect(Math.abs(valueOf(scaleOf(value)) / value - 1)).toBeLessThanOrEqual(2 ** -16);
    expect(() => scaleOf(-1)).toThrow("-1 is not a scale");
  });

  it("take as much fraction as the largest leaves", () => {
    expect(quantiseFactors(Float32Array.of(1, -0.5))).toEqual({
      values: Int16Array.of(16_384, -8_192),
      fraction: 14,
    });
    expect(quantiseFactors(Float32Array.of(3, 1)).fraction).toBe(13);
    expect(quantiseFactors(Float32Array.of(32_767)).fraction).toBe(0);
    expect(() => quantiseFactors(Float32Array.of(32_768))).toThrow("a factor of 32768 is above 32,767");
  });
});
