import { FailureError } from "../../protocol/failure.ts";
import { isScale } from "./header-parts.ts";
import type { TensorPlace } from "./layout.ts";
import {
  type EmbeddingTable,
  GROUP,
  LARGEST_MULTIPLIER,
  LARGEST_ROW_SUM,
  type Matrix,
  strideOf,
} from "./matrix.ts";

export function malformed(detail: string): never {
  throw new FailureError("malformed", `model file: ${detail}`);
}

/** Hands out the tensors of a file, checked. */
export class TensorReader {
  readonly #file: Uint8Array;
  readonly #start: number;
  readonly #places: ReadonlyMap<string, TensorPlace>;

  constructor(file: Uint8Array, start: number, places: readonly TensorPlace[]) {
    this.#file = file;
    this.#start = start;
    this.#places = new Map(places.map((place) => [place.name, place]));
  }

  /** What lies between tensors is zero: otherwise one model had many files. */
  requireZeros(): void {
    let end = 0;
    for (const { offset, bytes } of [
      ...this.#places.values(),
      { offset: this.#file.length - this.#start, bytes: 0 },
    ]) {
      const gap = this.#file.subarray(this.#start + end, this.#start + offset);
      if (gap.some((byte) => byte !== 0)) malformed(`bytes before ${offset} are not zero`);
      end = offset + bytes;
    }
  }

  #bytes(name: string): Uint8Array {
    const place = this.#places.get(name);
    if (place === undefined) throw new RangeError(`no tensor ${name}`);
    const at = this.#start + place.offset;
    return this.#file.subarray(at, at + place.bytes);
  }

  u8(name: string): Uint8Array {
    return this.#bytes(name);
  }

  i16(name: string): Int16Array {
    const { buffer, byteOffset, byteLength } = this.#bytes(name);
    return new Int16Array(buffer, byteOffset, byteLength / 2);
  }

  i32(name: string): Int32Array {
    const { buffer, byteOffset, byteLength } = this.#bytes(name);
    return new Int32Array(buffer, byteOffset, byteLength / 4);
  }

  /** A table that falls or rises within 0 to `most`: interpolation cannot leave i32. */
  table(name: string, most: number): Int32Array {
    const values = this.i32(name);
    if (values.some((value) => value < 0 || value > most)) malformed(`${name} leaves 0 to ${most}`);
    return values;
  }

  scales(name: string): Uint32Array {
    const { buffer, byteOffset, byteLength } = this.#bytes(name);
    const values = new Uint32Array(buffer, byteOffset, byteLength / 4);
    for (const packed of values) if (!isScale(packed)) malformed(`${name} has no scales`);
    return values;
  }

  embeddings(rows: number, columns: number): EmbeddingTable {
    const values = this.i16("embeddings.values");
    return { rows, columns, values, scales: this.scales("embeddings.scales") };
  }

  matrix(name: string, rows: number, columns: number, bits: 4 | 8): Matrix {
    const { buffer, byteOffset, byteLength } = this.#bytes(`${name}.values`);
    const values = new Int8Array(buffer, byteOffset, byteLength);
    const multipliers = this.u8(`${name}.multipliers`);
    const scales = this.scales(`${name}.scales`);
    const matrix = { rows, columns, stride: strideOf(columns), values, bits, multipliers, scales };
    requireBounds(name, matrix);
    return matrix;
  }
}

/** Σ multiplier * |weight| of every row, and multipliers, within what kernels can add up in 32 bits. */
function requireBounds(name: string, { rows, stride, values, bits, multipliers }: Matrix): void {
  const groups = stride / GROUP;
  const groupBytes = (GROUP * bits) / 8;
  for (let n = 0; n < rows; n += 1) {
    let sum = 0;
    for (let group = 0; group < groups; group += 1) {
      const multiplier = multipliers[n * groups + group] ?? 0;
      if (multiplier < 1 || multiplier > LARGEST_MULTIPLIER)
        malformed(`${name} has the multiplier ${multiplier}`);
      const from = (n * groups + group) * groupBytes;
      sum += multiplier * absoluteSum(values, from, from + groupBytes, bits);
    }
    if (sum > LARGEST_ROW_SUM) malformed(`row ${n} of ${name} cannot be added up in 32 bits`);
  }
}

function absoluteSum(values: Int8Array, from: number, to: number, bits: 4 | 8): number {
  let sum = 0;
  for (let at = from; at < to; at += 1) {
    const value = values[at] ?? 0;
    sum += bits === 8 ? Math.abs(value) : Math.abs((value << 28) >> 28) + Math.abs(value >> 4);
  }
  return sum;
}
