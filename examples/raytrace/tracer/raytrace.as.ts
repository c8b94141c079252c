/**
 * A path tracer as a function of bytes: one tile of one picture in, its pixels out. ABI "bytes-1": the host asks
 * `tabmesh_alloc` for room, writes the input there, and calls `tabmesh_run`, which answers with the output's address
 * (high 32 bits) and length (low 32 bits). Input that is not a task gives an empty output. One instance renders one
 * task: nothing is freed.
 */
import { buildHierarchy } from "./bvh.as";
import { readF32, reserve } from "./bytes.as";
import {
  HEADER_BYTES,
  MAGIC,
  MAX_BOUNCES,
  MAX_SAMPLES,
  MAX_SIDE,
  MAX_TILE_PIXELS,
  VERSION,
} from "./layout.as";
import { prepareLights } from "./lights.as";
import { followPath, pathB, pathG, pathR, prepareSky } from "./path.as";
import { nextPair, pairV, startPixel, startSample } from "./sampler.as";
import { readScene, world } from "./scene.as";
import { prepareTone, toneByte } from "./tone.as";
import { prepareTrace } from "./trace.as";
import { cosine, sine, turn } from "./turn.as";

export function tabmesh_alloc(size: i32): i32 {
  return size < 0 ? 0 : <i32>reserve(<usize>size, 1);
}

export function tabmesh_run(ptr: i32, len: i32): i64 {
  const input = <usize>ptr;
  const length = <u32>len;
  if (length < HEADER_BYTES || load<u32>(input) != MAGIC || load<u32>(input, 4) != VERSION) return 0;
  const width = load<u32>(input, 8);
  const height = load<u32>(input, 12);
  const x = load<u32>(input, 16);
  const y = load<u32>(input, 20);
  const w = load<u32>(input, 24);
  const h = load<u32>(input, 28);
  const samples = load<u32>(input, 32);
  const bounces = load<u32>(input, 36);
  if (width - 1 >= MAX_SIDE || height - 1 >= MAX_SIDE || samples - 1 >= MAX_SAMPLES) return 0;
  if (bounces - 1 >= MAX_BOUNCES || load<u32>(input, 44) != length - HEADER_BYTES) return 0;
  if (w == 0 || h == 0 || x >= width || y >= height || w > width - x || h > height - y) return 0;
  if (w * h > MAX_TILE_PIXELS) return 0;
  if (!readScene(input + HEADER_BYTES, length - HEADER_BYTES)) return 0;
  if (!prepareCamera(width, height)) return 0;
  buildHierarchy();
  prepareTrace();
  prepareLights();
  prepareSky();
  prepareTone(readF32(world + 48));
  const output = reserve(w * h, 3);
  const seed = load<u32>(input, 40);
  let to = output;
  for (let row = y; row < y + h; row++) {
    for (let column = x; column < x + w; column++, to += 3) {
      startPixel(column, row, seed, samples);
      renderPixel(column, row, samples, bounces, to);
    }
  }
  return ((<i64>output) << 32) | <i64>(w * h * 3);
}

/** The camera: position, the step per pixel right and down, the vector to the upper left corner, and the lens. */
let eyeX: f64 = 0;
let eyeY: f64 = 0;
let eyeZ: f64 = 0;
let rightX: f64 = 0;
let rightY: f64 = 0;
let rightZ: f64 = 0;
let downX: f64 = 0;
let downY: f64 = 0;
let downZ: f64 = 0;
let aheadX: f64 = 0;
let aheadY: f64 = 0;
let aheadZ: f64 = 0;
let centreX: f64 = 0;
let centreY: f64 = 0;
/** Radius of the lens over the size of a pixel in the plane of focus. */
let lens: f64 = 0;

/** False when the view has no direction or no angle. */
function prepareCamera(width: u32, height: u32): bool {
  eyeX = readF32(world);
  eyeY = readF32(world + 4);
  eyeZ = readF32(world + 8);
  let ax = readF32(world + 12) - eyeX;
  let ay = readF32(world + 16) - eyeY;
  let az = readF32(world + 20) - eyeZ;
  const ux = readF32(world + 24);
  const uy = readF32(world + 28);
  const uz = readF32(world + 32);
  const degrees = readF32(world + 36);
  const aperture = readF32(world + 40);
  const focus = readF32(world + 44);
  const far = Math.sqrt(ax * ax + ay * ay + az * az);
  if (!(far > 1e-9) || !(degrees > 0 && degrees < 179) || aperture < 0 || !(focus > 0)) return false;
  if (!(readF32(world + 48) > 0)) return false;
  ax /= far;
  ay /= far;
  az /= far;
  const rx = ay * uz - az * uy;
  const ry = az * ux - ax * uz;
  const rz = ax * uy - ay * ux;
  const across = Math.sqrt(rx * rx + ry * ry + rz * rz);
  if (!(across > 1e-9)) return false;
  const pixel = (2.0 * focus * Math.tan((degrees * Math.PI) / 360.0)) / <f64>height;
  const scale = pixel / across;
  rightX = rx * scale;
  rightY = ry * scale;
  rightZ = rz * scale;
  downX = ay * rightZ - az * rightY;
  downY = az * rightX - ax * rightZ;
  downZ = ax * rightY - ay * rightX;
  aheadX = ax * focus;
  aheadY = ay * focus;
  aheadZ = az * focus;
  centreX = 0.5 * <f64>width;
  centreY = 0.5 * <f64>height;
  lens = (aperture * 0.5) / pixel;
  return true;
}

/** Inverse of a tent's distribution over (−1, 1): the reconstruction filter, by importance. */
function tent(u: f64): f64 {
  return u < 0.5 ? Math.sqrt(2.0 * u) - 1.0 : 1.0 - Math.sqrt(2.0 - 2.0 * u);
}

function renderPixel(column: u32, row: u32, samples: u32, bounces: u32, to: usize): void {
  let r = 0.0;
  let g = 0.0;
  let b = 0.0;
  for (let index: u32 = 0; index < samples; index++) {
    startSample(index);
    const u = nextPair();
    const px = <f64>column + 0.5 + tent(u) - centreX;
    const py = <f64>row + 0.5 + tent(pairV) - centreY;
    const radius = Math.sqrt(nextPair()) * lens;
    turn(pairV);
    const lx = radius * cosine;
    const ly = radius * sine;
    const x = aheadX + (px - lx) * rightX + (py - ly) * downX;
    const y = aheadY + (px - lx) * rightY + (py - ly) * downY;
    const z = aheadZ + (px - lx) * rightZ + (py - ly) * downZ;
    const scale = 1.0 / Math.sqrt(x * x + y * y + z * z);
    followPath(
      eyeX + lx * rightX + ly * downX,
      eyeY + lx * rightY + ly * downY,
      eyeZ + lx * rightZ + ly * downZ,
      x * scale,
      y * scale,
      z * scale,
      bounces,
    );
    r += pathR;
    g += pathG;
    b += pathB;
  }
  const mean = 1.0 / <f64>samples;
  toneByte(r * mean, g * mean, b * mean, to);
}
