/** A vector among others. */
export interface Ranked {
  readonly index: number;
  /** Cosine: 1 for the same direction, 0 for nothing in common. */
  readonly score: number;
}

/** Length 1 in Q15, squared. */
const ONE_SQUARED = 2 ** 30;

/** Sum of 16-bit products over 65,535 values: below 2^46, exact in a double. */
function product(a: Int16Array, b: Int16Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

/** Vectors of length 1 by their likeness to one, most alike first; of those that are alike, the earlier. */
export function rank(query: Int16Array, vectors: readonly Int16Array[]): readonly Ranked[] {
  return vectors
    .map((vector, index) => ({ index, score: product(query, vector) / ONE_SQUARED }))
    .toSorted((a, b) => b.score - a.score || a.index - b.index);
}
