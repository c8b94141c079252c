import { BF16, F16, F32, Q4_0, Q4_K, Q5_0, Q6_K, Q8_0, type TensorType } from "./tensor-type.ts";

/** Writes the values of one block. @param at of the block in `view` @param to of its first value in `out` */
type Unpack = (view: DataView, at: number, out: Float32Array, to: number) => void;

/**
 * Values of whole blocks, as ggml's reference defines them (ggml-quants.c), rounded to f32 once per value.
 * @param bytes whole blocks of `type`
 */
export function dequantise(type: TensorType, bytes: Uint8Array): Float32Array {
  const unpack = UNPACK.get(type.id);
  const blocks = bytes.length / type.blockBytes;
  if (unpack === undefined || !Number.isInteger(blocks))
    throw new RangeError(`${bytes.length} bytes are not whole blocks of ${type.name}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(blocks * type.blockValues);
  for (let block = 0; block < blocks; block += 1)
    unpack(view, block * type.blockBytes, out, block * type.blockValues);
  return out;
}

/** The value of an IEEE half. */
export function halfToFloat(bits16: number): number {
  const exponent = (bits16 >> 10) & 0x1f;
  const fraction = bits16 & 0x3ff;
  const sign = bits16 >> 15 === 0 ? 1 : -1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function half(view: DataView, at: number): number {
  return halfToFloat(view.getUint16(at, true));
}

const unpackF32: Unpack = (view, at, out, to) => {
  out[to] = view.getFloat32(at, true);
};

const unpackF16: Unpack = (view, at, out, to) => {
  out[to] = half(view, at);
};

const bits = new DataView(new ArrayBuffer(4));

/** The upper half of an f32. */
const unpackBF16: Unpack = (view, at, out, to) => {
  bits.setUint32(0, view.getUint16(at, true) << 16);
  out[to] = bits.getFloat32(0);
};

/** f16 step, i8[32]. */
const unpackQ8: Unpack = (view, at, out, to) => {
  const step = half(view, at);
  for (let i = 0; i < 32; i += 1) out[to + i] = step * view.getInt8(at + 2 + i);
};

/** f16 step, u8[16]: value i in the low half of byte i, value i + 16 in the high half, each plus 8. */
const unpackQ4: Unpack = (view, at, out, to) => {
  const step = half(view, at);
  for (let i = 0; i < 16; i += 1) {
    const pair = view.getUint8(at + 2 + i);
    out[to + i] = step * ((pair & 0xf) - 8);
    out[to + 16 + i] = step * ((pair >> 4) - 8);
  }
};

/** f16 step, u32 of fifth bits (bit i of value i), u8[16] as in Q4_0; each value plus 16. */
const unpackQ5: Unpack = (view, at, out, to) => {
  const step = half(view, at);
  const fifths = view.getUint32(at + 2, true);
  for (let i = 0; i < 16; i += 1) {
    const pair = view.getUint8(at + 6 + i);
    out[to + i] = step * (((pair & 0xf) | (((fifths >>> i) & 1) << 4)) - 16);
    out[to + 16 + i] = step * (((pair >> 4) | (((fifths >>> (i + 16)) & 1) << 4)) - 16);
  }
};

/**
 * f16 step, f16 step of minima, 12 bytes with a scale and a minimum of 6 bits for each of 8 groups of 32, u8[128]: of 64
 * values the first 32 in the low halves of 32 bytes, the others in the high halves.
 */
const unpackQ4K: Unpack = (view, at, out, to) => {
  const step = half(view, at);
  const minimumStep = half(view, at + 2);
  const packed = (i: number): number => view.getUint8(at + 4 + i);
  for (let group = 0; group < 8; group += 1) {
    // The last four groups have their upper two bits in the first eight bytes.
    const [scale, minimum] =
      group < 4
        ? [packed(group) & 63, packed(group + 4) & 63]
        : [
            (packed(group + 4) & 0xf) | ((packed(group - 4) >> 6) << 4),
            (packed(group + 4) >> 4) | ((packed(group) >> 6) << 4),
          ];
    const start = at + 16 + (group >> 1) * 32;
    const down = (group & 1) * 4;
    for (let i = 0; i < 32; i += 1) {
      const value = (view.getUint8(start + i) >> down) & 0xf;
      out[to + group * 32 + i] = step * scale * value - minimumStep * minimum;
    }
  }
};

/**
 * u8[128] low four bits, u8[64] upper two, i8[16] a scale for each 16 values, f16 step; each value plus 32. Of 128 values
 * the quarters of 32 share bytes: low bits of quarters 0 and 2, and 1 and 3, upper bits of all four.
 */
const unpackQ6K: Unpack = (view, at, out, to) => {
  const step = half(view, at + 208);
  for (let i = 0; i < 256; i += 1) {
    const part = i >> 7;
    const quarter = (i >> 5) & 3;
    const place = i & 31;
    const low = view.getUint8(at + part * 64 + (quarter & 1) * 32 + place) >> ((quarter >> 1) * 4);
    const high = view.getUint8(at + 128 + part * 32 + place) >> (quarter * 2);
    const value = ((low & 0xf) | ((high & 3) << 4)) - 32;
    out[to + i] = step * view.getInt8(at + 192 + (i >> 4)) * value;
  }
};

const UNPACK: ReadonlyMap<number, Unpack> = new Map([
  [F32.id, unpackF32],
  [F16.id, unpackF16],
  [BF16.id, unpackBF16],
  [Q8_0.id, unpackQ8],
  [Q4_0.id, unpackQ4],
  [Q5_0.id, unpackQ5],
  [Q4_K.id, unpackQ4K],
  [Q6_K.id, unpackQ6K],
]);
