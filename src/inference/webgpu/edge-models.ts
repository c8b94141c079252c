/* Models whose numbers are extremes, ties and carries, for the known-answer test. They mean nothing. All of it is whole numbers, so
that every engine makes the same ones. */
import type { Affine, EncoderLayer, EncoderModel, LayerNorm } from "../model/encoder-model.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { type FactorVector, GROUP, type Matrix, strideOf } from "../model/matrix.ts";
import { packScale, type Scale } from "../numerics/scale.ts";
import { EXP2_ENTRIES, SIGMOID_ENTRIES } from "../numerics/tables.ts";

/** Values of which many appear: both ends, zero and its neighbours. */
const EXTREME_WEIGHTS = [127, -127, 127, 127, -127, -127, 0, 1, -1, -128] as const;
const EXTREME_NIBBLES = [7, -8, 7, 7, -8, 0, 1, -1] as const;
/** Exponents of rows' scales: sums reach the ends of 32 bits; scores lie close together; tanh is where it bends. */
const LARGE = -27;
const SMALL = -38;
const TINY = -50;
/** Largest multiplier at which the longest row here, of extremes alone, stays below the bound of sums. */
const MOST_MULTIPLIER = 60;

/** Numbers without pattern, the same everywhere. */
export class Numbers {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A u32. */
  next(): number {
    this.#state = (this.#state + 0x9e37_79b9) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  below(count: number): number {
    return this.next() % count;
  }

  one(values: readonly number[]): number {
    return values[this.below(values.length)] ?? 0;
  }

  /** Rows of extremes, rows of anything, rows that are equal throughout. */
  matrix(rows: number, columns: number, bits: 4 | 8, exponent: number = LARGE): Matrix {
    const stride = strideOf(columns);
    const cells = new Int8Array(rows * stride);
    for (let row = 0; row < rows; row += 1) {
      const kind = row % 4;
      const constant = this.one(bits === 8 ? [127, -128] : [7, -8]);
      for (let column = 0; column < columns; column += 1) {
        const any = bits === 8 ? (this.next() << 24) >> 24 : (this.next() << 28) >> 28;
        const extreme = this.one(bits === 8 ? EXTREME_WEIGHTS : EXTREME_NIBBLES);
        cells[row * stride + column] = kind === 0 ? extreme : kind === 1 ? constant : any;
      }
    }
    const multipliers = Uint8Array.from({ length: (rows * stride) / GROUP }, () =>
      this.below(3) === 0 ? this.one([1, MOST_MULTIPLIER]) : 1 + this.below(MOST_MULTIPLIER),
    );
    return {
      rows,
      columns,
      stride,
      bits,
      multipliers,
      values: bits === 8 ? cells : nibblesOf(cells),
      scales: Uint32Array.from({ length: rows }, () => this.scale(exponent, 8)),
    };
  }

  /** A mantissa at its ends or between, an exponent of some. */
  scale(exponent: number, spread: number): Scale {
    const mantissa = this.below(2) === 0 ? this.one([0x8000, 0xffff]) : 0x8000 + this.below(0x8000);
    return packScale(mantissa, exponent + this.below(spread));
  }

  factors(size: number, fraction: number): FactorVector {
    const values = Int16Array.from({ length: size }, () =>
      this.below(3) === 0 ? this.one([32_767, -32_768, 0, 1]) : this.next(),
    );
    return { values, fraction };
  }

  /** Bits of either sign, and with a few at both ends. */
  biases(size: number, bits: number = 24): Int32Array {
    const extremes = [2 ** (bits + 6), -(2 ** (bits + 6)), 0, 1];
    return Int32Array.from({ length: size }, () =>
      this.below(8) === 0 ? this.one(extremes) : this.next() >> (32 - bits + this.below(8)),
    );
  }
}

/** Two in a byte, the even one in its low half. */
function nibblesOf(cells: Int8Array): Int8Array {
  return Int8Array.from(
    { length: cells.length / 2 },
    (_, i) => ((cells[2 * i] ?? 0) & 15) | ((cells[2 * i + 1] ?? 0) << 4),
  );
}

/** Falls from 1 to a half, as the real one does, in a straight line. */
function lineDown(): Int32Array {
  return Int32Array.from({ length: EXP2_ENTRIES }, (_, i) => 65_536 - 128 * i);
}

/** Rises from a half to 1. */
function lineUp(): Int32Array {
  return Int32Array.from({ length: SIGMOID_ENTRIES }, (_, i) => Math.min(32_768, 16_384 + 33 * i));
}

/** Rows of nothing, of next to nothing, and of anything. */
function embeddingsOf(numbers: Numbers, rows: number, columns: number): LlamaModel["embeddings"] {
  const { values } = numbers.factors(rows * columns, 0);
  for (let row = 0; row < rows; row += 1) {
    const own = values.subarray(row * columns, (row + 1) * columns);
    if (row % 5 < 2) own.fill(0);
    if (row % 5 === 0) own[numbers.below(columns)] = numbers.one([16_384, -16_384, 32_767]);
  }
  return {
    rows,
    columns,
    values,
    scales: Uint32Array.from({ length: rows }, (_, row) =>
      row % 5 === 0 ? packScale(0x8000, -44) : numbers.scale(-46, 22),
    ),
  };
}

export function edgeLlama(bits: 4 | 8): LlamaModel {
  const numbers = new Numbers(bits);
  const [width, inner, heads, keyHeads, headSize, vocabulary, context] = [100, 550, 3, 1, 10, 83, 48];
  const matrix = (rows: number, columns: number, exponent?: number): Matrix =>
    numbers.matrix(rows, columns, bits, exponent);
  const turns = (context * headSize) / 2;
  const angles = (): Int16Array =>
    Int16Array.from({ length: turns }, () => numbers.one([32_767, -32_767, 0, 23_170, 1, -19_000]));
  return {
    kind: "llama",
    shape: {
      width,
      inner,
      layers: 2,
      heads,
      keyHeads,
      headSize,
      vocabulary,
      context,
      rotation: bits === 8 ? "halves" : "neighbours",
    },
    embeddings: embeddingsOf(numbers, vocabulary, width),
    layers: Array.from({ length: 2 }, () => ({
      attentionNorm: numbers.factors(width, 14),
      query: matrix(heads * headSize, width, SMALL),
      key: matrix(keyHeads * headSize, width, SMALL),
      value: matrix(keyHeads * headSize, width),
      queryBias: numbers.biases(heads * headSize, 15),
      keyBias: numbers.biases(keyHeads * headSize, 15),
      // Values of all sizes, down to none.
      valueBias: new Int32Array(keyHeads * headSize),
      output: matrix(width, heads * headSize),
      feedNorm: numbers.factors(width, 11),
      gate: matrix(inner, width),
      up: matrix(inner, width),
      down: matrix(width, inner),
    })),
    finalNorm: numbers.factors(width, 13),
    head: matrix(vocabulary, width),
    normEpsilon: 0xffff_ffff,
    rootWidth: packScale(40_960, -12),
    scoreScale: packScale(0xffff, -19),
    cosines: angles(),
    sines: angles(),
    exp2Table: lineDown(),
    sigmoidTable: lineUp(),
  };
}

/** So many positions of equal weight that sums of weights are cut. */
export function longLlama(): LlamaModel {
  // Of a few tried, one whose values have a scale near the end of its range, so that fewer positions do.
  const numbers = new Numbers(11);
  const [size, context, vocabulary] = [8, 568, 3];
  const model = edgeLlama(8);
  const nothing = numbers.matrix(size, size, 8);
  nothing.values.fill(0);
  const norm = numbers.factors(size, 14);
  const layer = {
    attentionNorm: norm,
    query: nothing,
    key: nothing,
    value: numbers.matrix(size, size, 8),
    output: numbers.matrix(size, size, 8, SMALL),
    feedNorm: norm,
    gate: numbers.matrix(size, size, 8),
    up: numbers.matrix(size, size, 8),
    down: numbers.matrix(size, size, 8, SMALL),
  };
  return {
    ...model,
    shape: {
      ...model.shape,
      width: size,
      inner: size,
      layers: 1,
      heads: 1,
      keyHeads: 1,
      headSize: size,
      vocabulary,
      context,
    },
    embeddings: {
      rows: vocabulary,
      columns: size,
      values: Int16Array.from({ length: vocabulary * size }, (_, i) => 32_767 - 64 * i),
      scales: new Uint32Array(vocabulary).fill(packScale(0xffff, -31)),
    },
    layers: [layer],
    finalNorm: norm,
    head: numbers.matrix(vocabulary, size, 8),
    cosines: new Int16Array((context * size) / 2).fill(32_767),
    sines: new Int16Array((context * size) / 2),
  };
}

export function edgeEncoder(bits: 4 | 8): EncoderModel {
  const numbers = new Numbers(100 + bits);
  const [vocabulary, context, width, heads, headSize, inner, output] = [41, 37, 70, 3, 9, 133, 65];
  const affine = (rows: number, columns: number, exponent?: number): Affine => ({
    matrix: numbers.matrix(rows, columns, bits, exponent),
    bias: numbers.biases(rows, exponent === undefined ? 24 : 15),
  });
  const norm = (size: number): LayerNorm => ({
    factors: numbers.factors(size, 12),
    offsets: numbers.biases(size),
    epsilon: 0xffff_ffff,
    rootWidth: packScale(0x8000 + size, -12),
  });
  const layer = (from: number, to: number): EncoderLayer => ({
    attentionNorm: norm(from),
    query: affine(heads * headSize, from, SMALL),
    key: affine(heads * headSize, from, SMALL),
    value: affine(heads * headSize, from),
    scoreScale: packScale(0xffff, -19),
    output: affine(to, heads * headSize),
    ...(from === to ? {} : { bridge: affine(to, from) }),
    feedNorm: norm(to),
    up: affine(inner, to),
    down: affine(to, inner),
  });
  const sizes = [
    [width, 99],
    [99, 99],
  ] as const;
  return {
    kind: "encoder",
    shape: {
      vocabulary,
      context,
      width,
      output,
      layers: sizes.map(([from, to]) => ({ input: from, width: to, heads, headSize, inner })),
    },
    embeddings: embeddingsOf(numbers, vocabulary, width),
    positions: numbers.factors(context * width, 0).values,
    layers: sizes.map(([from, to]) => layer(from, to)),
    pool: affine(output, 99, TINY),
    exp2Table: lineDown(),
    sigmoidTable: lineUp(),
  };
}
