import type { Matrix } from "../model/matrix.ts";
import type { BufferMaker } from "./buffer-maker.ts";

/** Outputs whose words stand side by side, as weights.wgsl has it. */
const SIDE = 16;
/** Words that are brought in order and sent at a time, 1 MiB. */
const CHUNK_WORDS: number = 2 ** 18;

/** Matrices with the same inputs, one above the other. */
export interface MatrixBuffers {
  readonly outputs: number;
  readonly groups: number;
  readonly bits: 4 | 8;
  readonly biased: boolean;
  /** In the order of outputs: as many as it takes for each to fit a buffer. */
  readonly parts: readonly MatrixPart[];
}

export interface MatrixPart {
  /** First output. */
  readonly first: number;
  readonly outputs: number;
  readonly weights: GPUBuffer;
  readonly multipliers: GPUBuffer;
  /** Scales, then biases. */
  readonly scales: GPUBuffer;
}

/** A row of a matrix, as words. */
interface Row {
  readonly weights: Uint32Array;
  readonly multipliers: Uint8Array;
}

/** @param biases one of each matrix, i32[rows] in the results' fixed point */
export function uploadMatrix(
  maker: BufferMaker,
  matrices: readonly Matrix[],
  biases?: readonly Int32Array[],
): MatrixBuffers {
  const { stride = 0, bits = 8 } = matrices[0] ?? {};
  const outputs = matrices.reduce((sum, { rows }) => sum + rows, 0);
  const groups = stride / 32;
  const sideBytes = 4 * SIDE * groups * bits;
  const most = Math.max(1, Math.floor(maker.budget.buffer / sideBytes)) * SIDE;
  const rows = new StackedRows(matrices);
  const scales = new Uint32Array(outputs);
  const added = new Int32Array(outputs);
  let at = 0;
  for (const [i, matrix] of matrices.entries()) {
    scales.set(matrix.scales, at);
    added.set(biases?.[i] ?? [], at);
    at += matrix.rows;
  }
  const parts = Array.from({ length: Math.ceil(outputs / most) }, (_, part) => {
    const first = part * most;
    const count = Math.min(most, outputs - first);
    const last = new Uint32Array(2 * count);
    last.set(scales.subarray(first, first + count));
    last.set(new Uint32Array(added.buffer, 4 * first, count), count);
    return {
      first,
      outputs: count,
      weights: sendSideBySide(maker, first, count, groups * bits, (row) => rows.at(row).weights),
      multipliers: sendSideBySide(maker, first, count, Math.ceil(groups / 4), (row) =>
        fourInAWord(rows.at(row).multipliers),
      ),
      scales: maker.filled(last),
    };
  });
  return { outputs, groups, bits, biased: biases !== undefined, parts };
}

/** Rows of matrices that stand one above the other. */
class StackedRows {
  readonly #matrices: readonly {
    readonly first: number;
    readonly words: Uint32Array;
    readonly matrix: Matrix;
  }[];

  constructor(matrices: readonly Matrix[]) {
    let first = 0;
    this.#matrices = matrices.map((matrix) => {
      const entry = { first, words: wordsOf(matrix.values), matrix };
      first += matrix.rows;
      return entry;
    });
  }

  at(row: number): Row {
    const found = this.#matrices.findLast(({ first }) => first <= row);
    if (found === undefined) throw new RangeError(`no row ${row}`);
    const { first, words, matrix } = found;
    const wordsOfRow = (matrix.stride * matrix.bits) / 32;
    const groups = matrix.stride / 32;
    const place = row - first;
    return {
      weights: words.subarray(place * wordsOfRow, (place + 1) * wordsOfRow),
      multipliers: matrix.multipliers.subarray(place * groups, (place + 1) * groups),
    };
  }
}

/** The same bytes as words; copied only where they do not begin at a whole one. */
function wordsOf({ buffer, byteOffset, byteLength }: Int8Array): Uint32Array {
  if (byteOffset % 4 === 0) return new Uint32Array(buffer, byteOffset, byteLength / 4);
  return new Uint32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

function fourInAWord(bytes: Uint8Array): Uint32Array {
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return new Uint32Array(padded.buffer);
}

/** Sixteen rows side by side, a word of each after the other; zeros fill up the last sixteen. */
function sendSideBySide(
  maker: BufferMaker,
  first: number,
  count: number,
  wordsOfRow: number,
  rowAt: (row: number) => Uint32Array,
): GPUBuffer {
  const sides = Math.ceil(count / SIDE);
  const sideWords = SIDE * wordsOfRow;
  const target = maker.empty(4 * sides * sideWords);
  const perChunk = Math.max(1, Math.floor(CHUNK_WORDS / sideWords));
  const chunk = new Uint32Array(Math.min(sides, perChunk) * sideWords);
  for (let from = 0; from < sides; from += perChunk) {
    const taken = Math.min(perChunk, sides - from);
    for (let row = 0; row < taken * SIDE; row += 1) {
      const place = from * SIDE + row;
      const source = place < count ? rowAt(first + place) : undefined;
      let at = Math.floor(row / SIDE) * sideWords + (row % SIDE);
      for (let word = 0; word < wordsOfRow; word += 1, at += SIDE) chunk[at] = source?.[word] ?? 0;
    }
    maker.write(target, 4 * from * sideWords, chunk.subarray(0, taken * sideWords));
  }
  return target;
}
