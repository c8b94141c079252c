/** From radiance to what a screen shows: exposure, a filmic curve, and sRGB's transfer function. */

let exposure: f64 = 1;

export function prepareTone(value: f64): void {
  exposure = value;
}

/** Writes three bytes at `to`. */
export function toneByte(r: f64, g: f64, b: f64, to: usize): void {
  const red = r * exposure;
  const green = g * exposure;
  const blue = b * exposure;
  // A little of the other channels joins in, so that bright colours turn to white as on film.
  store<u8>(to, encode(film(0.94 * red + 0.04 * green + 0.02 * blue)));
  store<u8>(to, encode(film(0.03 * red + 0.93 * green + 0.04 * blue)), 1);
  store<u8>(to, encode(film(0.02 * red + 0.05 * green + 0.93 * blue)), 2);
}

/** A rational fit of the ACES reference curve (Narkowicz, 2015), its input scaled as that fit's author advises. */
function film(value: f64): f64 {
  const x = value * 0.6;
  return (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14);
}

/** sRGB (IEC 61966-2-1) in eight bits; NaN becomes 0. */
function encode(value: f64): u8 {
  if (!(value > 0)) return 0;
  if (value >= 1) return 255;
  const curved = value <= 0.0031308 ? 12.92 * value : 1.055 * Math.pow(value, 1.0 / 2.4) - 0.055;
  return <u8>(<i32>(curved * 255.0 + 0.5));
}
