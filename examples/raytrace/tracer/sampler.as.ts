/**
 * Where samples fall. Every dimension of a pixel is a (0,2)-sequence in base 2: the first two Sobol' dimensions,
 * visited in an order shuffled by a Laine-Karras hash ("Stratified Sampling for Stochastic Transparency", 2011) and
 * XOR-scrambled, so n samples are stratified in every elementary interval. All randomness is a hash of pixel, sample
 * and dimension: a pixel's colour does not depend on the tile it is rendered in.
 */

let pixelKey: u32 = 0;
let sampleKey: u32 = 0;
let reversedIndex: u32 = 0;
/** Ones below the bits that number the samples. */
let belowIndex: u32 = 0;
let dimension: u32 = 0;

const UNIT: f64 = 1.0 / 4294967296.0;

/** The second coordinate of the last pair. */
export let pairV: f64 = 0;

/** A 32-bit permutation with good avalanche: xorshift-multiply in the manner of MurmurHash3's finaliser. */
export function mix(value: u32): u32 {
  let x = value;
  x ^= x >> 16;
  x *= 0x7feb352d;
  x ^= x >> 15;
  x *= 0x846ca68b;
  return x ^ (x >> 16);
}

function reverseBits(value: u32): u32 {
  let x = value;
  x = ((x >> 1) & 0x55555555) | ((x & 0x55555555) << 1);
  x = ((x >> 2) & 0x33333333) | ((x & 0x33333333) << 2);
  x = ((x >> 4) & 0x0f0f0f0f) | ((x & 0x0f0f0f0f) << 4);
  x = ((x >> 8) & 0x00ff00ff) | ((x & 0x00ff00ff) << 8);
  return (x >> 16) | (x << 16);
}

/** Owen scrambling of a bit-reversed value: each bit is flipped by a hash of the bits below it. */
function laineKarras(value: u32, key: u32): u32 {
  let x = value + key;
  x ^= x * 0x6c50b47c;
  x ^= x * 0xb82f1e52;
  x ^= x * 0xc7afe638;
  return x ^ (x * 0x8d22f6e6);
}

export function startPixel(x: u32, y: u32, seed: u32, samples: u32): void {
  pixelKey = mix(x ^ mix(y ^ mix(seed ^ 0x9e3779b9)));
  const bits: u32 = 32 - clz(samples - 1);
  belowIndex = bits == 0 ? 0xffffffff : bits == 32 ? 0 : 0xffffffff >> bits;
}

export function startSample(index: u32): void {
  reversedIndex = reverseBits(index);
  sampleKey = mix(pixelKey ^ mix(index + 0x632be5ab));
  dimension = 0;
}

/** The next pair of dimensions, each in [0, 1): returns u and leaves v in `pairV`. */
export function nextPair(): f64 {
  const key = mix(pixelKey + ++dimension * 0x9e3779b9);
  const jitter = mix(sampleKey + dimension);
  const order = laineKarras(reversedIndex, key) & ~belowIndex;
  let v: u32 = 0;
  let direction: u32 = 0x80000000;
  for (let rest = order; rest != 0; rest <<= 1) {
    if (<i32>rest < 0) v ^= direction;
    direction ^= direction >> 1;
  }
  const scramble = mix(key + 1);
  pairV = <f64>(((v ^ scramble) & ~belowIndex) | ((jitter * 0x9e3779b1) & belowIndex)) * UNIT;
  return <f64>(((order ^ key) & ~belowIndex) | (jitter & belowIndex)) * UNIT;
}

/** One more dimension, stratified over the samples, in [0, 1). */
export function nextStratified(): f64 {
  const key = mix(pixelKey + ++dimension * 0x9e3779b9);
  const order = laineKarras(reversedIndex, key);
  return <f64>(((order ^ key) & ~belowIndex) | (mix(sampleKey + dimension) & belowIndex)) * UNIT;
}

/** An independent number in [0, 1). */
export function nextRandom(): f64 {
  return <f64>mix(sampleKey + ++dimension) * UNIT;
}
