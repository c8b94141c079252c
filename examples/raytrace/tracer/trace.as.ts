/** The nearest shape along a ray, and whether anything stands between two points. */
import { BOX_BYTES, BOX_COUNT, BOX_FIRST, MAX_DEPTH, boxes, order } from "./bvh.as";
import { reserve } from "./bytes.as";
import { PLANE, SHAPE_BYTES, SHAPE_KIND, SPHERE, TRIANGLE } from "./layout.as";
import { planeCount, planes, shapeCount } from "./scene.as";

/** Nearer than this a ray does not see its own origin; in scene units. */
export const NEAR: f64 = 1e-5;
export const FAR: f64 = 1e30;

/** The shape found by `nearest` (0: none), and the distance to it. */
export let hitShape: usize = 0;
export let hitDistance: f64 = 0;

let stack: usize = 0;

export function prepareTrace(): void {
  stack = reserve(MAX_DEPTH + 2, 16);
}

/** Distance to a sphere, or FAR. */
function meetSphere(shape: usize, ox: f64, oy: f64, oz: f64, dx: f64, dy: f64, dz: f64): f64 {
  const x = ox - load<f64>(shape, 0);
  const y = oy - load<f64>(shape, 8);
  const z = oz - load<f64>(shape, 16);
  const b = x * dx + y * dy + z * dz;
  const c = x * x + y * y + z * z - load<f64>(shape, 24);
  if (c > 0 && b > 0) return FAR;
  // The discriminant from the ray's closest point: exact also for spheres far away.
  const px = x - b * dx;
  const py = y - b * dy;
  const pz = z - b * dz;
  const discriminant = load<f64>(shape, 24) - (px * px + py * py + pz * pz);
  if (discriminant < 0) return FAR;
  const root = Math.sqrt(discriminant);
  const near = -b - root;
  if (near > NEAR) return near;
  const far = root - b;
  return far > NEAR ? far : FAR;
}

/** Distance to a flat shape, or FAR. */
function meetFlat(
  shape: usize,
  kind: i32,
  ox: f64,
  oy: f64,
  oz: f64,
  dx: f64,
  dy: f64,
  dz: f64,
  limit: f64,
): f64 {
  const nx = load<f64>(shape, 0);
  const ny = load<f64>(shape, 8);
  const nz = load<f64>(shape, 16);
  const t = (load<f64>(shape, 24) - (nx * ox + ny * oy + nz * oz)) / (nx * dx + ny * dy + nz * dz);
  if (!(t > NEAR && t < limit)) return FAR;
  if (kind == PLANE) return t;
  const x = ox + t * dx;
  const y = oy + t * dy;
  const z = oz + t * dz;
  const u =
    load<f64>(shape, 32) * x + load<f64>(shape, 40) * y + load<f64>(shape, 48) * z - load<f64>(shape, 56);
  if (!(u >= 0 && u <= 1)) return FAR;
  const v =
    load<f64>(shape, 64) * x + load<f64>(shape, 72) * y + load<f64>(shape, 80) * z - load<f64>(shape, 88);
  if (!(v >= 0 && v <= 1)) return FAR;
  return kind == TRIANGLE && u + v > 1 ? FAR : t;
}

/** A large number of the right sign instead of an infinity, so that no slab test makes a NaN. */
function inverse(d: f64): f64 {
  return Math.abs(d) > 1e-12 ? 1.0 / d : d < 0 ? -1e12 : 1e12;
}

/**
 * Finds the nearest shape closer than `limit`, or with `any` the first one met. Leaves it in `hitShape` and
 * `hitDistance`.
 */
export function nearest(ox: f64, oy: f64, oz: f64, dx: f64, dy: f64, dz: f64, limit: f64, any: bool): void {
  let best = limit;
  let found: usize = 0;
  for (let i: u32 = 0; i < planeCount; i++) {
    const shape = planes + i * SHAPE_BYTES;
    const t = meetFlat(shape, PLANE, ox, oy, oz, dx, dy, dz, best);
    if (t < best) {
      best = t;
      found = shape;
    }
  }
  hitShape = found;
  hitDistance = best;
  if (shapeCount == 0 || (any && found != 0)) return;

  const ix = inverse(dx);
  const iy = inverse(dy);
  const iz = inverse(dz);
  const ax = -ox * ix;
  const ay = -oy * iy;
  const az = -oz * iz;
  // Which of a box's two planes per axis the ray meets first.
  const nearX: usize = ix < 0 ? 24 : 0;
  const nearY: usize = iy < 0 ? 32 : 8;
  const nearZ: usize = iz < 0 ? 40 : 16;
  const farX: usize = 24 - nearX;
  const farY: usize = 40 - nearY;
  const farZ: usize = 56 - nearZ;
  let top = stack;
  let box = boxes;
  for (;;) {
    const count = load<i32>(box + BOX_COUNT);
    if (count != 0) {
      let entry = order + (load<u32>(box + BOX_FIRST) << 2);
      const end = entry + (count << 2);
      for (; entry < end; entry += 4) {
        const shape: usize = load<u32>(entry);
        const kind = load<i32>(shape + SHAPE_KIND);
        const t =
          kind == SPHERE
            ? meetSphere(shape, ox, oy, oz, dx, dy, dz)
            : meetFlat(shape, kind, ox, oy, oz, dx, dy, dz, best);
        if (t < best) {
          best = t;
          found = shape;
        }
      }
      if (any && found != 0) break;
    } else {
      let one = boxes + load<u32>(box + BOX_FIRST) * BOX_BYTES;
      let two = one + BOX_BYTES;
      let enterOne = load<f64>(one + nearX) * ix + ax;
      let leaveOne = load<f64>(one + farX) * ix + ax;
      enterOne = max(enterOne, load<f64>(one + nearY) * iy + ay);
      leaveOne = min(leaveOne, load<f64>(one + farY) * iy + ay);
      enterOne = max(enterOne, load<f64>(one + nearZ) * iz + az);
      leaveOne = min(leaveOne, load<f64>(one + farZ) * iz + az);
      let enterTwo = load<f64>(two + nearX) * ix + ax;
      let leaveTwo = load<f64>(two + farX) * ix + ax;
      enterTwo = max(enterTwo, load<f64>(two + nearY) * iy + ay);
      leaveTwo = min(leaveTwo, load<f64>(two + farY) * iy + ay);
      enterTwo = max(enterTwo, load<f64>(two + nearZ) * iz + az);
      leaveTwo = min(leaveTwo, load<f64>(two + farZ) * iz + az);
      const meetsOne = leaveOne >= max(enterOne, 0) && enterOne < best;
      const meetsTwo = leaveTwo >= max(enterTwo, 0) && enterTwo < best;
      if (meetsOne) {
        if (meetsTwo) {
          if (enterTwo < enterOne) {
            const nearer = two;
            two = one;
            one = nearer;
            enterTwo = enterOne;
          }
          store<u32>(top, <u32>two);
          store<f64>(top, enterTwo, 8);
          top += 16;
        }
        box = one;
        continue;
      }
      if (meetsTwo) {
        box = two;
        continue;
      }
    }
    // Back to the last box put aside that is still near enough.
    do {
      if (top == stack) {
        hitShape = found;
        hitDistance = best;
        return;
      }
      top -= 16;
    } while (load<f64>(top, 8) >= best);
    box = load<u32>(top);
  }
  hitShape = found;
  hitDistance = best;
}
