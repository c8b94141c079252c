// Fixed point and scales as docs/numerics.md defines them. Part of every kernel.

const NO_SCALE: u32 = 0x8000u | (32568u << 16u);
const STEP: u32 = 32772u | (32740u << 16u);

fn bits(x: u32) -> i32 {
  return 32 - i32(countLeadingZeros(x));
}

fn round_shift(x: i32, n: i32) -> i32 {
  if (n <= 0) { return x; }
  if (n > 31) { return 0; }
  return (x >> u32(n)) + ((x >> u32(n - 1)) & 1);
}

fn shift(x: i32, n: i32) -> i32 {
  if (n > 0) { return round_shift(x, n); }
  return x << u32(-n);
}

fn magnitude(x: i32) -> u32 {
  return select(u32(x), 0u - u32(x), x < 0);
}

fn multiply_shift(a: i32, b: i32, n: u32) -> i32 {
  let x = magnitude(a);
  let y = magnitude(b);
  let x1 = x >> 16u;
  let x0 = x & 0xffffu;
  let y1 = y >> 16u;
  let y0 = y & 0xffffu;
  let p00 = x0 * y0;
  let p01 = x0 * y1;
  let p10 = x1 * y0;
  let middle = (p00 >> 16u) + (p01 & 0xffffu) + (p10 & 0xffffu);
  let low = (p00 & 0xffffu) | (middle << 16u);
  let high = x1 * y1 + (p01 >> 16u) + (p10 >> 16u) + (middle >> 16u);
  let cut = i32((high << (32u - n)) | (low >> n));
  return select(cut, -cut, (a < 0) != (b < 0));
}

fn square_root(x: u32) -> u32 {
  var rest = x;
  var root = 0u;
  var bit = 0x40000000u;
  while (bit > 0u) {
    let trial = root + bit;
    root = root >> 1u;
    if (rest >= trial) {
      rest = rest - trial;
      root = root + bit;
    }
    bit = bit >> 2u;
  }
  return root;
}

fn pack_scale(mantissa: u32, exponent: i32) -> u32 {
  return (mantissa & 0xffffu) | (u32(exponent + 32768) << 16u);
}

fn mantissa_of(scale: u32) -> u32 {
  return scale & 0xffffu;
}

fn exponent_of(scale: u32) -> i32 {
  return i32(scale >> 16u) - 32768;
}

fn times_power_of_two(scale: u32, n: i32) -> u32 {
  return pack_scale(mantissa_of(scale), exponent_of(scale) + n);
}

fn scale_from(x: u32, exponent: i32) -> u32 {
  if (x == 0u) { return NO_SCALE; }
  let n = bits(x);
  var mantissa = x;
  if (n > 16) { mantissa = x >> u32(n - 16); } else { mantissa = x << u32(16 - n); }
  return pack_scale(mantissa, exponent + n - 16);
}

fn multiply_scales(a: u32, b: u32) -> u32 {
  let product = mantissa_of(a) * mantissa_of(b);
  let exponent = exponent_of(a) + exponent_of(b);
  if (product >= 0x80000000u) { return pack_scale(product >> 16u, exponent + 16); }
  return pack_scale(product >> 15u, exponent + 15);
}

fn apply_scale(x: i32, scale: u32, fraction: i32) -> i32 {
  let mantissa = mantissa_of(scale);
  let right = -(exponent_of(scale) + fraction) - 16;
  let low = (u32(x) & 0xffffu) * mantissa;
  let high = (x >> 16u) * i32(mantissa) + i32(low >> 16u);
  if (right >= 0) { return round_shift(high, right); }
  if (right < -16) { return 0; }
  return (high << u32(-right)) | i32((low & 0xffffu) >> u32(16 + right));
}

fn reciprocal(x: u32) -> u32 {
  let normal = scale_from(x, 0);
  return scale_from(0x80000000u / max(mantissa_of(normal), 1u), -31 - exponent_of(normal));
}

fn reciprocal_root(high: u32, low: u32) -> u32 {
  if (high == 0u && low == 0u) { return pack_scale(0x8000u, 0); }
  var n = bits(low);
  if (high != 0u) { n = bits(high) + 16; }
  let t = (n - 31) & ~1;
  var m = 0u;
  if (t > 0) { m = (high << u32(16 - t)) | (low >> u32(t)); } else { m = ((high << 16u) | low) << u32(-t); }
  return scale_from(0x80000000u / max(square_root(m), 1u), -31 - (t >> 1u));
}
