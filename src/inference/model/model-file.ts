import { FailureError } from "../../protocol/failure.ts";
import { decode, encode } from "../../protocol/schema.ts";
import { decodeUtf8, encodeUtf8 } from "../../protocol/text.ts";
import { ALIGNMENT, layoutOf, type TensorPlace } from "./layout.ts";
import type { LlamaLayer, LlamaModel } from "./llama-model.ts";
import {
  type FactorVector,
  GROUP,
  LARGEST_MULTIPLIER,
  LARGEST_ROW_SUM,
  type Matrix,
  strideOf,
} from "./matrix.ts";
import { type LlamaHeader, llamaHeaderSchema } from "./model-header.ts";

/**
 * A model file (`.tmm`), little-endian: eight bytes MAGIC, u32 length of the header, the header (canonical CBOR), zeros up
 * to a multiple of 64, then the tensors as `layoutOf` says, with zeros between them. One model has one file, to the byte.
 */
const MAGIC = "TABMESHM";
const HEADER_AT = 12;
/** The longest header is that of a model with 256 layers, names of 1,024 bytes. */
const MAX_HEADER_BYTES: number = 16 * 1024;

/** What a file tells besides the model itself. */
export interface ModelAbout {
  readonly name: string;
  readonly licence: string;
  /** SHA-256 of the file that was converted. */
  readonly sourceSha256: Uint8Array;
  /** The tokenizer's description, JSON. */
  readonly text: string;
}

export interface StoredModel {
  readonly header: LlamaHeader;
  readonly about: ModelAbout;
  /** Its arrays lie over the file's bytes. */
  readonly model: LlamaModel;
}

function malformed(detail: string): never {
  throw new FailureError("malformed", `model file: ${detail}`);
}

/** The file of a model. */
export function writeModel(model: LlamaModel, about: ModelAbout): Uint8Array<ArrayBuffer> {
  const text = encodeUtf8(about.text);
  const header: LlamaHeader = {
    v: 1,
    kind: "llama",
    name: about.name,
    licence: about.licence,
    sourceSha256: about.sourceSha256,
    shape: model.shape,
    bits: model.layers[0]?.query.bits ?? 8,
    biases: model.layers[0]?.queryBias !== undefined,
    normEpsilon: model.normEpsilon,
    rootWidth: model.rootWidth,
    scoreScale: model.scoreScale,
    fractions: [
      ...model.layers.flatMap((layer) => [layer.attentionNorm.fraction, layer.feedNorm.fraction]),
      model.finalNorm.fraction,
    ],
    textBytes: text.length,
  };
  const encoded = encode(llamaHeaderSchema, header);
  const { places, bytes } = layoutOf(header);
  const start = tensorsAt(encoded.length);
  const file = new Uint8Array(start + bytes);
  file.set(encodeUtf8(MAGIC));
  new DataView(file.buffer).setUint32(MAGIC.length, encoded.length, true);
  file.set(encoded, HEADER_AT);
  const tensors = tensorsOf(model, text);
  for (const { name, offset, bytes: size } of places) {
    const tensor = tensors.get(name);
    if (tensor?.byteLength !== size)
      throw new RangeError(`${name} has ${tensor?.byteLength} bytes, not ${size}`);
    file.set(new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength), start + offset);
  }
  return file;
}

function tensorsAt(headerBytes: number): number {
  return Math.ceil((HEADER_AT + headerBytes) / ALIGNMENT) * ALIGNMENT;
}

function tensorsOf(model: LlamaModel, text: Uint8Array): ReadonlyMap<string, ArrayBufferView> {
  const tensors = new Map<string, ArrayBufferView>([
    ["text", text],
    ["embeddings.values", model.embeddings.values],
    ["embeddings.scales", model.embeddings.scales],
    ["cosines", model.cosines],
    ["sines", model.sines],
    ["exp2", model.exp2Table],
    ["sigmoid", model.sigmoidTable],
    ["finalNorm", model.finalNorm.values],
  ]);
  const matrix = (name: string, { values, multipliers, scales }: Matrix): void => {
    tensors
      .set(`${name}.values`, values)
      .set(`${name}.multipliers`, multipliers)
      .set(`${name}.scales`, scales);
  };
  for (const [i, layer] of model.layers.entries()) {
    tensors.set(`layers.${i}.attentionNorm`, layer.attentionNorm.values);
    tensors.set(`layers.${i}.feedNorm`, layer.feedNorm.values);
    for (const name of MATRICES) matrix(`layers.${i}.${name}`, layer[name]);
    for (const name of BIASES) {
      const bias = layer[name];
      if (bias !== undefined) tensors.set(`layers.${i}.${name}`, bias);
    }
  }
  matrix("head", model.head);
  return tensors;
}

const MATRICES = ["query", "key", "value", "output", "gate", "up", "down"] as const;
const BIASES = ["queryBias", "keyBias", "valueBias"] as const;

/** The header of a file, from its beginning. @throws FailureError `malformed` */
export function readModelHeader(file: Uint8Array): {
  readonly header: LlamaHeader;
  readonly tensorsAt: number;
} {
  const magic = new TextDecoder("latin1").decode(file.subarray(0, MAGIC.length));
  if (magic !== MAGIC || file.length < HEADER_AT) malformed(`does not begin with ${MAGIC}`);
  const size = new DataView(file.buffer, file.byteOffset, file.byteLength).getUint32(MAGIC.length, true);
  if (size > MAX_HEADER_BYTES || tensorsAt(size) > file.length) malformed(`has no header of ${size} bytes`);
  if (file.subarray(HEADER_AT + size, tensorsAt(size)).some((byte) => byte !== 0))
    malformed("bytes behind the header are not zero");
  const header = decode(llamaHeaderSchema, file.subarray(HEADER_AT, HEADER_AT + size), MAX_HEADER_BYTES);
  return { header, tensorsAt: tensorsAt(size) };
}

/**
 * Reads a model. What decides whether sums stay in 32 bits is checked, so that no file makes two backends differ.
 * @param file is kept: the model's arrays lie over it (it is copied once if it does not begin at a multiple of 64)
 * @throws FailureError `malformed` naming what is wrong
 */
export function readModel(file: Uint8Array): StoredModel {
  const { header, tensorsAt: start } = readModelHeader(file);
  const { places, bytes } = layoutOf(header);
  if (file.length !== start + bytes) malformed(`has ${file.length} bytes, its header says ${start + bytes}`);
  const aligned = file.byteOffset % ALIGNMENT === 0 ? file : file.slice();
  const reader = new TensorReader(aligned, start, places);
  reader.requireZeros();
  const { width, inner, heads, keyHeads, headSize, vocabulary } = header.shape;
  const queries = heads * headSize;
  const keys = keyHeads * headSize;
  const layers = Array.from({ length: header.shape.layers }, (_, i): LlamaLayer => {
    const at = `layers.${i}`;
    const matrix = (name: string, rows: number, columns: number): Matrix =>
      reader.matrix(`${at}.${name}`, rows, columns, header.bits);
    const factors = (name: string, which: number): FactorVector => ({
      values: reader.i16(`${at}.${name}`),
      fraction: header.fractions[2 * i + which] ?? 0,
    });
    return {
      attentionNorm: factors("attentionNorm", 0),
      query: matrix("query", queries, width),
      key: matrix("key", keys, width),
      value: matrix("value", keys, width),
      ...(header.biases
        ? {
            queryBias: reader.i32(`${at}.queryBias`),
            keyBias: reader.i32(`${at}.keyBias`),
            valueBias: reader.i32(`${at}.valueBias`),
          }
        : {}),
      output: matrix("output", width, queries),
      feedNorm: factors("feedNorm", 1),
      gate: matrix("gate", inner, width),
      up: matrix("up", inner, width),
      down: matrix("down", width, inner),
    };
  });
  const model: LlamaModel = {
    kind: "llama",
    shape: header.shape,
    embeddings: {
      rows: vocabulary,
      columns: width,
      values: reader.i16("embeddings.values"),
      scales: reader.scales("embeddings.scales"),
    },
    layers,
    finalNorm: { values: reader.i16("finalNorm"), fraction: header.fractions.at(-1) ?? 0 },
    head: reader.matrix("head", vocabulary, width, 8),
    normEpsilon: header.normEpsilon,
    rootWidth: header.rootWidth,
    scoreScale: header.scoreScale,
    cosines: reader.i16("cosines"),
    sines: reader.i16("sines"),
    exp2Table: reader.table("exp2", 2 ** 16),
    sigmoidTable: reader.table("sigmoid", 2 ** 15),
  };
  const { name, licence, sourceSha256 } = header;
  const text = decodeUtf8(reader.u8("text"));
  return { header, about: { name, licence, sourceSha256, text }, model };
}

/** Hands out the tensors of a file, checked. */
class TensorReader {
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
    for (const packed of values)
      if ((packed & 0x8000) === 0 || Math.abs((packed >>> 16) - 32_768) > 1_024)
        malformed(`${name} has no scales`);
    return values;
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
