/* Packs floats in ggml's formats, plainly and not as well as ggml does: files for tests. */
import { BF16, F16, F32, Q4_0, Q4_K, Q5_0, Q6_K, Q8_0, type TensorType } from "./tensor-type.ts";

/** The nearest IEEE half. */
export function floatToHalf(value: number): number {
  const sign = value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  let exponent = Math.floor(Math.log2(size));
  let fraction = Math.round((size / 2 ** exponent - 1) * 1024);
  if (fraction === 1024) {
    fraction = 0;
    exponent += 1;
  }
  if (exponent > 15) throw new RangeError(`${value} is no half`);
  return sign | ((exponent + 15) << 10) | fraction;
}

const clamp = (value: number, low: number, high: number): number =>
  Math.max(low, Math.min(high, Math.round(value)));

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 2 ** -10);
}

/** One block of `type` at the beginning of `view`. */
function pack(type: TensorType, values: Float32Array, view: DataView): void {
  const at = (i: number): number => values[i]!;
  switch (type) {
    case F32:
      return view.setFloat32(0, at(0), true);
    case F16:
      return view.setUint16(0, floatToHalf(at(0)), true);
    case BF16: {
      const whole = new DataView(new ArrayBuffer(4));
      whole.setFloat32(0, at(0));
      return view.setUint16(0, whole.getUint16(0), true);
    }
    case Q8_0: {
      const step = largest(values) / 127;
      view.setUint16(0, floatToHalf(step), true);
      for (let i = 0; i < 32; i += 1) view.setInt8(2 + i, clamp(at(i) / step, -127, 127));
      return undefined;
    }
    case Q4_0: {
      const step = largest(values) / 7;
      view.setUint16(0, floatToHalf(step), true);
      const q = (i: number): number => clamp(at(i) / step + 8, 0, 15);
      for (let i = 0; i < 16; i += 1) view.setUint8(2 + i, q(i) | (q(i + 16) << 4));
      return undefined;
    }
    case Q5_0: {
      const step = largest(values) / 15;
      view.setUint16(0, floatToHalf(step), true);
      const q = (i: number): number => clamp(at(i) / step + 16, 0, 31);
      let fifths = 0;
      for (let i = 0; i < 32; i += 1) fifths |= (q(i) >> 4) << i;
      view.setUint32(2, fifths >>> 0, true);
      for (let i = 0; i < 16; i += 1) view.setUint8(6 + i, (q(i) & 15) | ((q(i + 16) & 15) << 4));
      return undefined;
    }
    case Q4_K:
      return packQ4K(values, view);
    case Q6_K:
      return packQ6K(values, view);
    default:
      throw new RangeError(`${type.name} is not packed here`);
  }
}

/** All groups with the range of the whole block: scale 63 and minimum 63. */
function packQ4K(values: Float32Array, view: DataView): void {
  const most = largest(values);
  const step = (2 * most) / 15 / 63;
  view.setUint16(0, floatToHalf(step), true);
  view.setUint16(2, floatToHalf(most / 63), true);
  for (let i = 0; i < 12; i += 1) view.setUint8(4 + i, 0xff);
  for (let i = 0; i < 256; i += 1) {
    const place = 16 + (i >> 6) * 32 + (i & 31);
    const q = clamp((values[i]! + most) / (63 * step), 0, 15);
    view.setUint8(place, view.getUint8(place) | (q << (i & 32 ? 4 : 0)));
  }
}

/** All groups with the range of the whole block: scale 127. */
function packQ6K(values: Float32Array, view: DataView): void {
  const step = largest(values) / 31 / 127;
  for (let i = 0; i < 256; i += 1) {
    const q = clamp(values[i]! / (127 * step) + 32, 0, 63);
    const low = (i >> 7) * 64 + (i & 63);
    view.setUint8(low, view.getUint8(low) | ((q & 15) << (i & 64 ? 4 : 0)));
    const high = 128 + (i >> 7) * 32 + (i & 31);
    view.setUint8(high, view.getUint8(high) | ((q >> 4) << (2 * ((i >> 5) & 3))));
  }
  for (let i = 0; i < 16; i += 1) view.setInt8(192 + i, 127);
  view.setUint16(208, floatToHalf(step), true);
}

/** Floats as blocks of `type`. */
export function quantiseBlocks(type: TensorType, values: Float32Array): Uint8Array {
  const { blockValues, blockBytes } = type;
  const bytes = new Uint8Array((values.length / blockValues) * blockBytes);
  for (let block = 0; block * blockValues < values.length; block += 1)
    pack(
      type,
      values.subarray(block * blockValues, (block + 1) * blockValues),
      new DataView(bytes.buffer, block * blockBytes, blockBytes),
    );
  return bytes;
}
