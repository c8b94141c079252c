/**
 * Next-event estimation: which light a point samples, where on it, and with what density. A light's chance is its
 * rough irradiance at the point, so near and strong lights get the samples; paths that hit a light by themselves are
 * weighted against that same density (multiple importance sampling, Veach 1995, power heuristic).
 */
import { cornerX, cornerY, cornerZ, pointOnFlat } from "./bvh.as";
import { readF32, reserve } from "./bytes.as";
import {
  EMISSION,
  EMISSIVE,
  MATERIAL_KIND,
  MATERIAL_RECORD,
  SHAPE_AREA,
  SHAPE_BYTES,
  SHAPE_KIND,
  SHAPE_LIGHT,
  SHAPE_MATERIAL,
  SPHERE,
  TRIANGLE,
} from "./layout.as";
import { nextPair, nextStratified, pairV } from "./sampler.as";
import { materials, shapeCount, shapes, world } from "./scene.as";
import { FAR } from "./trace.as";
import { cosine, sine, turn } from "./turn.as";

const TAU: f64 = 2.0 * Math.PI;

/** One light: its shape's address, then f64 centre[3], area, power (luminance times area). */
const LIGHT_BYTES: i32 = 48;

/** The sampled light: direction, distance, radiance and density per steradian. */
export let lightX: f64 = 0;
export let lightY: f64 = 0;
export let lightZ: f64 = 0;
export let lightDistance: f64 = 0;
export let lightR: f64 = 0;
export let lightG: f64 = 0;
export let lightB: f64 = 0;
export let lightDensity: f64 = 0;

/** The sun: direction towards it, radiance of its disc, cosine of its angular radius (2: no sun). */
export let sunX: f64 = 0;
export let sunY: f64 = 1;
export let sunZ: f64 = 0;
export let sunR: f64 = 0;
export let sunG: f64 = 0;
export let sunB: f64 = 0;
export let sunCosine: f64 = 2;

let lights: usize = 0;
let lightCount: i32 = 0;
let sunChance: f64 = 0;

function luminance(r: f64, g: f64, b: f64): f64 {
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function prepareLights(): void {
  for (let i: u32 = 0; i < shapeCount; i++) {
    if (load<i32>(materialOf(shapes + i * SHAPE_BYTES) + MATERIAL_KIND) == EMISSIVE) lightCount++;
  }
  lights = reserve(lightCount, LIGHT_BYTES);
  let index = 0;
  for (let i: u32 = 0; i < shapeCount; i++) {
    const shape = shapes + i * SHAPE_BYTES;
    if (load<i32>(materialOf(shape) + MATERIAL_KIND) == EMISSIVE) prepareLight(shape, index++);
  }
  prepareSun();
}

function materialOf(shape: usize): usize {
  return materials + load<i32>(shape + SHAPE_MATERIAL) * MATERIAL_RECORD;
}

function prepareLight(shape: usize, index: i32): void {
  const light = lights + index * LIGHT_BYTES;
  const emission = materialOf(shape) + EMISSION;
  store<i32>(shape + SHAPE_LIGHT, index);
  store<u32>(light, <u32>shape);
  if (load<i32>(shape + SHAPE_KIND) == SPHERE) {
    for (let axis: usize = 0; axis < 24; axis += 8) store<f64>(light + axis, load<f64>(shape + axis), 8);
  } else {
    const middle = load<i32>(shape + SHAPE_KIND) == TRIANGLE ? 1.0 / 3 : 0.5;
    pointOnFlat(shape, middle, middle);
    store<f64>(light, cornerX, 8);
    store<f64>(light, cornerY, 16);
    store<f64>(light, cornerZ, 24);
  }
  const area = load<f64>(shape + SHAPE_AREA);
  store<f64>(light, area, 32);
  store<f64>(
    light,
    area * luminance(load<f64>(emission), load<f64>(emission, 8), load<f64>(emission, 16)),
    40,
  );
}

/** The sun arrives as irradiance and an angular diameter in degrees; its disc's radiance follows. */
function prepareSun(): void {
  const degrees = readF32(world + 112);
  if (!(degrees > 0 && degrees < 90)) return;
  const x = readF32(world + 88);
  const y = readF32(world + 92);
  const z = readF32(world + 96);
  const length = Math.sqrt(x * x + y * y + z * z);
  const irradiance = luminance(readF32(world + 100), readF32(world + 104), readF32(world + 108));
  if (!(length > 1e-12) || !(irradiance > 0)) return;
  sunX = x / length;
  sunY = y / length;
  sunZ = z / length;
  sunCosine = Math.cos((degrees * Math.PI) / 360.0);
  const solidAngle = TAU * (1.0 - sunCosine);
  sunR = readF32(world + 100) / solidAngle;
  sunG = readF32(world + 104) / solidAngle;
  sunB = readF32(world + 108) / solidAngle;
  sunChance = irradiance;
}

/** A light's unnormalised chance at a point. */
function chance(light: usize, x: f64, y: f64, z: f64): f64 {
  const dx = load<f64>(light, 8) - x;
  const dy = load<f64>(light, 16) - y;
  const dz = load<f64>(light, 24) - z;
  return load<f64>(light, 40) / (dx * dx + dy * dy + dz * dz + load<f64>(light, 32));
}

function totalChance(x: f64, y: f64, z: f64): f64 {
  let total = sunChance;
  const end = lights + lightCount * LIGHT_BYTES;
  for (let light = lights; light < end; light += LIGHT_BYTES) total += chance(light, x, y, z);
  return total;
}

/** The density, from the point (x, y, z), of sampling a direction towards `shape` that meets it at `distance`. */
export function densityTowards(shape: usize, x: f64, y: f64, z: f64, distance: f64, facing: f64): f64 {
  const index = load<i32>(shape + SHAPE_LIGHT);
  const share = chance(lights + index * LIGHT_BYTES, x, y, z) / totalChance(x, y, z);
  if (load<i32>(shape + SHAPE_KIND) == SPHERE) return share * sphereDensity(shape, x, y, z);
  return (share * distance * distance) / (load<f64>(shape + SHAPE_AREA) * facing);
}

/** The density of sampling a direction within the sun's disc. */
export function densityTowardsSun(x: f64, y: f64, z: f64): f64 {
  return sunChance / (totalChance(x, y, z) * TAU * (1.0 - sunCosine));
}

/** One minus the cosine of the cone a sphere fills, without cancellation; 2 from inside. */
function coneOpening(shape: usize, x: f64, y: f64, z: f64): f64 {
  const dx = load<f64>(shape, 0) - x;
  const dy = load<f64>(shape, 8) - y;
  const dz = load<f64>(shape, 16) - z;
  const sine2 = load<f64>(shape, 24) / (dx * dx + dy * dy + dz * dz);
  return sine2 < 1.0 ? sine2 / (1.0 + Math.sqrt(1.0 - sine2)) : 2.0;
}

function sphereDensity(shape: usize, x: f64, y: f64, z: f64): f64 {
  return 1.0 / (TAU * coneOpening(shape, x, y, z));
}

/** Chooses a light and a direction towards it; false when there is nothing to sample from here. */
export function sampleLight(x: f64, y: f64, z: f64): bool {
  const total = totalChance(x, y, z);
  const pick = nextStratified() * total;
  const u = nextPair();
  const v = pairV;
  if (!(total > 0)) return false;
  let sum = sunChance;
  if (pick < sum) {
    sampleCone(sunX, sunY, sunZ, 1.0 - sunCosine, u, v);
    lightDistance = FAR;
    lightR = sunR;
    lightG = sunG;
    lightB = sunB;
    lightDensity = sunChance / (total * TAU * (1.0 - sunCosine));
    return true;
  }
  let index = 0;
  let light = lights;
  let share = 0.0;
  for (; index < lightCount; index++, light += LIGHT_BYTES) {
    share = chance(light, x, y, z);
    sum += share;
    if (pick < sum) break;
  }
  if (index == lightCount) return false;
  const shape: usize = load<u32>(light);
  const emission = materialOf(shape) + EMISSION;
  lightR = load<f64>(emission);
  lightG = load<f64>(emission, 8);
  lightB = load<f64>(emission, 16);
  share /= total;
  return load<i32>(shape + SHAPE_KIND) == SPHERE
    ? sampleSphere(shape, x, y, z, share, u, v)
    : sampleFlat(shape, x, y, z, share, u, v);
}

/** A direction in a cone about (ax, ay, az), uniform in solid angle; `opening` is 1 − cos of its half angle. */
function sampleCone(ax: f64, ay: f64, az: f64, opening: f64, u: f64, v: f64): void {
  const above = u * opening;
  const radius = Math.sqrt(above * (2.0 - above));
  turn(v);
  const px = radius * cosine;
  const py = radius * sine;
  const pz = 1.0 - above;
  // Orthonormal basis after Duff et al., JCGT 2017.
  const sign: f64 = az < 0 ? -1.0 : 1.0;
  const a = -1.0 / (sign + az);
  const b = ax * ay * a;
  lightX = px * (1.0 + sign * ax * ax * a) + py * b + pz * ax;
  lightY = px * sign * b + py * (sign + ay * ay * a) + pz * ay;
  lightZ = -px * sign * ax - py * ay + pz * az;
}

function sampleSphere(shape: usize, x: f64, y: f64, z: f64, share: f64, u: f64, v: f64): bool {
  const dx = load<f64>(shape, 0) - x;
  const dy = load<f64>(shape, 8) - y;
  const dz = load<f64>(shape, 16) - z;
  const distance = Math.sqrt(dx * dx + dy * dy + dz * dz);
  const radius = load<f64>(shape, 32);
  if (distance <= radius) return false;
  const opening = coneOpening(shape, x, y, z);
  sampleCone(dx / distance, dy / distance, dz / distance, opening, u, v);
  const along = lightX * dx + lightY * dy + lightZ * dz;
  const under = radius * radius - (distance * distance - along * along);
  lightDistance = along - Math.sqrt(Math.max(under, 0));
  lightDensity = share / (TAU * opening);
  return true;
}

function sampleFlat(shape: usize, x: f64, y: f64, z: f64, share: f64, u: f64, v: f64): bool {
  if (load<i32>(shape + SHAPE_KIND) == TRIANGLE && u + v > 1.0) pointOnFlat(shape, 1.0 - u, 1.0 - v);
  else pointOnFlat(shape, u, v);
  const dx = cornerX - x;
  const dy = cornerY - y;
  const dz = cornerZ - z;
  const squared = dx * dx + dy * dy + dz * dz;
  lightDistance = Math.sqrt(squared);
  const scale = 1.0 / lightDistance;
  lightX = dx * scale;
  lightY = dy * scale;
  lightZ = dz * scale;
  const facing = Math.abs(
    lightX * load<f64>(shape, 0) + lightY * load<f64>(shape, 8) + lightZ * load<f64>(shape, 16),
  );
  if (!(facing > 1e-6)) return false;
  lightDensity = (share * squared) / (load<f64>(shape + SHAPE_AREA) * facing);
  return true;
}
