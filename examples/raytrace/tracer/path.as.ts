/** One path from the camera through the scene: its radiance. */
import { readF32 } from "./bytes.as";
import {
  ABSORPTION,
  COLOR,
  EMISSION,
  EMISSIVE,
  GLASS,
  IOR,
  MATERIAL_KIND,
  MATERIAL_RECORD,
  SHAPE_KIND,
  SHAPE_MATERIAL,
  SPHERE,
} from "./layout.as";
import {
  densityTowards,
  densityTowardsSun,
  lightB,
  lightDensity,
  lightDistance,
  lightG,
  lightR,
  lightX,
  lightY,
  lightZ,
  sampleLight,
  sunB,
  sunCosine,
  sunG,
  sunR,
  sunX,
  sunY,
  sunZ,
} from "./lights.as";
import { nextPair, nextRandom, nextStratified, pairV } from "./sampler.as";
import { materials, world } from "./scene.as";
import {
  density,
  evaluate,
  inX,
  inY,
  inZ,
  loadSurface,
  scatter,
  scattersBroadly,
  wasDiffuse,
  weightB,
  weightG,
  weightR,
} from "./surface.as";
import { FAR, hitDistance, hitShape, nearest } from "./trace.as";

/** Bounces that every path may take before Russian roulette begins. */
const CERTAIN_BOUNCES: u32 = 3;
/** Radiance that one indirect contribution may add, times exposure: caps fireflies at a small loss of energy. */
const FIREFLY_CAP: f64 = 4.0;
/** The same for light that glass or a mirror throws on a rough surface: no light sample can find it. */
const CAUSTIC_CAP: f64 = 1.5;
/** After a diffuse bounce no mirror is sharper than this (squared roughness): its reflected lights can be sampled. */
const SOFTENED_ALPHA: f64 = 0.06;
/** How far a shadow ray stays away from the light it asks about, relative to its length. */
const SHORTEN: f64 = 1.0 - 1e-6;

export let pathR: f64 = 0;
export let pathG: f64 = 0;
export let pathB: f64 = 0;

/** The path's throughput, and where it is going. */
let betaR: f64 = 1;
let betaG: f64 = 1;
let betaB: f64 = 1;
let ox: f64 = 0;
let oy: f64 = 0;
let oz: f64 = 0;
let dx: f64 = 0;
let dy: f64 = 0;
let dz: f64 = 0;
/** Density with which the last direction was drawn; 0 when no light sample could have found it. */
let lastDensity: f64 = 0;
let cap: f64 = 0;
let softest: f64 = 0;

let zenithR: f64 = 0;
let zenithG: f64 = 0;
let zenithB: f64 = 0;
let horizonR: f64 = 0;
let horizonG: f64 = 0;
let horizonB: f64 = 0;
let groundR: f64 = 0;
let groundG: f64 = 0;
let groundB: f64 = 0;
let hazePerUnit: f64 = 0;
let fireflyCap: f64 = 0;
let causticCap: f64 = 0;

export function prepareSky(): void {
  zenithR = readF32(world + 52);
  zenithG = readF32(world + 56);
  zenithB = readF32(world + 60);
  horizonR = readF32(world + 64);
  horizonG = readF32(world + 68);
  horizonB = readF32(world + 72);
  groundR = readF32(world + 76);
  groundG = readF32(world + 80);
  groundB = readF32(world + 84);
  const distance = readF32(world + 116);
  hazePerUnit = distance > 0 ? 1.0 / distance : 0;
  const exposure = Math.max(readF32(world + 48), 1e-6);
  fireflyCap = FIREFLY_CAP / exposure;
  causticCap = CAUSTIC_CAP / exposure;
}

/** Adds light that arrives with the path's throughput. */
function add(r: f64, g: f64, b: f64, caustic: bool = false): void {
  let red = betaR * r;
  let green = betaG * g;
  let blue = betaB * b;
  const brightest = Math.max(Math.max(red, green), blue);
  const limit = caustic ? causticCap : cap;
  if (brightest > limit) {
    const scale = limit / brightest;
    red *= scale;
    green *= scale;
    blue *= scale;
  }
  pathR += red;
  pathG += green;
  pathB += blue;
}

/** Whether the path left a diffuse surface and then met a perfect mirror or glass last. */
function isCaustic(): bool {
  return lastDensity == 0 && softest > 0;
}

/** The power heuristic's weight of the strategy with density `a` against the one with `b`. */
function heuristic(a: f64, b: f64): f64 {
  const ratio = b / a;
  return 1.0 / (1.0 + ratio * ratio);
}

function addSky(): void {
  const height = Math.min(Math.abs(dy), 1.0);
  // A quick rise above the horizon, then slower: 1 − (1 − h)³.
  const rest = 1.0 - height;
  const share = rest * rest * rest;
  if (dy >= 0) {
    add(
      zenithR + (horizonR - zenithR) * share,
      zenithG + (horizonG - zenithG) * share,
      zenithB + (horizonB - zenithB) * share,
    );
  } else {
    const near = share * share * share;
    add(
      groundR + (horizonR - groundR) * near,
      groundG + (horizonG - groundG) * near,
      groundB + (horizonB - groundB) * near,
    );
  }
  if (sunX * dx + sunY * dy + sunZ * dz < sunCosine) return;
  const weight = lastDensity > 0 ? heuristic(lastDensity, densityTowardsSun(ox, oy, oz)) : 1.0;
  add(sunR * weight, sunG * weight, sunB * weight, isCaustic());
}

/** Haze of the horizon's colour takes its share of everything that lies `distance` away. */
function addHaze(distance: f64): void {
  const clear = Math.exp(-distance * hazePerUnit);
  const veil = 1.0 - clear;
  add(horizonR * veil, horizonG * veil, horizonB * veil);
  betaR *= clear;
  betaG *= clear;
  betaB *= clear;
}

function addEmission(shape: usize, material: usize, distance: f64, facing: f64): void {
  let weight = 1.0;
  if (lastDensity > 0) {
    weight = heuristic(lastDensity, densityTowards(shape, ox, oy, oz, distance, Math.max(facing, 1e-9)));
  }
  const emission = material + EMISSION;
  add(
    weight * load<f64>(emission),
    weight * load<f64>(emission, 8),
    weight * load<f64>(emission, 16),
    isCaustic(),
  );
}

/** Clear glass: reflects or refracts by the exact Fresnel equations. The normal points out of the glass. */
function passGlass(material: usize, nx: f64, ny: f64, nz: f64, distance: f64): void {
  const ior = load<f64>(material + IOR);
  let cosine = -(dx * nx + dy * ny + dz * nz);
  const entering = cosine > 0;
  const eta = entering ? 1.0 / ior : ior;
  const side: f64 = entering ? 1.0 : -1.0;
  cosine *= side;
  if (!entering) {
    betaR *= Math.exp(-load<f64>(material + ABSORPTION) * distance);
    betaG *= Math.exp(-load<f64>(material + ABSORPTION, 8) * distance);
    betaB *= Math.exp(-load<f64>(material + ABSORPTION, 16) * distance);
  }
  const squared = 1.0 - eta * eta * (1.0 - cosine * cosine);
  let reflectance = 1.0;
  let through = 0.0;
  if (squared > 0) {
    through = Math.sqrt(squared);
    const s = (eta * cosine - through) / (eta * cosine + through);
    const p = (eta * through - cosine) / (eta * through + cosine);
    reflectance = 0.5 * (s * s + p * p);
  }
  if (nextStratified() < reflectance) {
    const bend = 2.0 * cosine * side;
    dx += bend * nx;
    dy += bend * ny;
    dz += bend * nz;
  } else {
    const bend = (eta * cosine - through) * side;
    dx = eta * dx + bend * nx;
    dy = eta * dy + bend * ny;
    dz = eta * dz + bend * nz;
    betaR *= load<f64>(material + COLOR, 0);
    betaG *= load<f64>(material + COLOR, 8);
    betaB *= load<f64>(material + COLOR, 16);
  }
  const length = 1.0 / Math.sqrt(dx * dx + dy * dy + dz * dz);
  dx *= length;
  dy *= length;
  dz *= length;
  lastDensity = 0;
}

/**
 * Scatters the path at an opaque surface, and first asks one light whether it is seen from there. The normal faces
 * the path. False when the path ends.
 */
function bounceOff(material: usize, nx: f64, ny: f64, nz: f64): bool {
  const facing = -(dx * nx + dy * ny + dz * nz);
  loadSurface(material, ox, oy, oz, facing, softest);
  // Tangents after Duff et al., JCGT 2017.
  const sign: f64 = nz < 0 ? -1.0 : 1.0;
  const a = -1.0 / (sign + nz);
  const b = nx * ny * a;
  const tx = 1.0 + sign * nx * nx * a;
  const ty = sign * b;
  const tz = -sign * nx;
  const bx = b;
  const by = sign + ny * ny * a;
  const bz = -ny;
  const outX = -(dx * tx + dy * ty + dz * tz);
  const outY = -(dx * bx + dy * by + dz * bz);

  if (scattersBroadly() && sampleLight(ox, oy, oz)) {
    const towards = lightX * nx + lightY * ny + lightZ * nz;
    if (towards > 0) {
      evaluate(
        outX,
        outY,
        facing,
        lightX * tx + lightY * ty + lightZ * tz,
        lightX * bx + lightY * by + lightZ * bz,
        towards,
      );
      if (density > 0) {
        const scale = heuristic(lightDensity, density) / lightDensity;
        const r = lightR * weightR * scale;
        const g = lightG * weightG * scale;
        const bl = lightB * weightB * scale;
        nearest(ox, oy, oz, lightX, lightY, lightZ, lightDistance * SHORTEN, true);
        if (hitShape == 0) add(r, g, bl);
      }
    }
  }

  const choice = nextStratified();
  const u = nextPair();
  if (!scatter(outX, outY, facing, u, pairV, choice)) return false;
  dx = inX * tx + inY * bx + inZ * nx;
  dy = inX * ty + inY * by + inZ * ny;
  dz = inX * tz + inY * bz + inZ * nz;
  betaR *= weightR;
  betaG *= weightG;
  betaB *= weightB;
  lastDensity = density;
  if (density > 0) cap = fireflyCap;
  if (wasDiffuse) softest = SOFTENED_ALPHA;
  return true;
}

/** Follows a path of at most `bounces` bounces; leaves its radiance in `pathR`, `pathG`, `pathB`. */
export function followPath(x: f64, y: f64, z: f64, u: f64, v: f64, w: f64, bounces: u32): void {
  pathR = 0;
  pathG = 0;
  pathB = 0;
  betaR = 1;
  betaG = 1;
  betaB = 1;
  ox = x;
  oy = y;
  oz = z;
  dx = u;
  dy = v;
  dz = w;
  lastDensity = 0;
  cap = FAR;
  softest = 0;
  for (let bounce: u32 = 0; ; bounce++) {
    nearest(ox, oy, oz, dx, dy, dz, FAR, false);
    const shape = hitShape;
    const distance = hitDistance;
    if (shape == 0) {
      addSky();
      return;
    }
    if (hazePerUnit > 0) addHaze(distance);
    const px = ox + distance * dx;
    const py = oy + distance * dy;
    const pz = oz + distance * dz;
    let nx = load<f64>(shape, 0);
    let ny = load<f64>(shape, 8);
    let nz = load<f64>(shape, 16);
    if (load<i32>(shape + SHAPE_KIND) == SPHERE) {
      const scale = 1.0 / load<f64>(shape, 32);
      nx = (px - nx) * scale;
      ny = (py - ny) * scale;
      nz = (pz - nz) * scale;
    }
    const against = dx * nx + dy * ny + dz * nz;
    const material = materials + load<i32>(shape + SHAPE_MATERIAL) * MATERIAL_RECORD;
    const kind = load<i32>(material + MATERIAL_KIND);
    if (kind == EMISSIVE) {
      addEmission(shape, material, distance, Math.abs(against));
      return;
    }
    if (bounce >= bounces) return;
    ox = px;
    oy = py;
    oz = pz;
    if (kind == GLASS) {
      passGlass(material, nx, ny, nz, distance);
    } else {
      const side: f64 = against > 0 ? -1.0 : 1.0;
      if (!bounceOff(material, nx * side, ny * side, nz * side)) return;
    }
    if (bounce < CERTAIN_BOUNCES) continue;
    const survival = Math.min(Math.max(Math.max(betaR, betaG), betaB), 0.95);
    if (nextRandom() >= survival) return;
    const scale = 1.0 / survival;
    betaR *= scale;
    betaG *= scale;
    betaB *= scale;
  }
}
