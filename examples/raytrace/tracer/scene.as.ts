/** Reads the scene part of a task's input into records of f64, refusing whatever does not add up. */
import { allFinite, readF32, reserve } from "./bytes.as";
import {
  ABSORPTION,
  ALPHA,
  CHECKER,
  COLOR,
  COLOR2,
  COUNTS_BYTES,
  EMISSION,
  EMISSIVE,
  FLAT_BYTES,
  IOR,
  MATERIAL_BYTES,
  MATERIAL_KIND,
  MATERIAL_KINDS,
  MATERIAL_RECORD,
  MAX_RECORDS,
  PLANE,
  PLANE_BYTES,
  QUAD,
  SHAPE_AREA,
  SHAPE_BYTES,
  SHAPE_KIND,
  SHAPE_LIGHT,
  SHAPE_MATERIAL,
  SPHERE,
  SPHERE_BYTES,
  TRIANGLE,
  WORLD_BYTES,
} from "./layout.as";

/** Camera and sky: 32 f32 in the input itself. */
export let world: usize = 0;
export let materials: usize = 0;
/** Bounded shapes, in the order of the input: spheres, quads, triangles. */
export let shapes: usize = 0;
export let shapeCount: u32 = 0;
/** Infinite planes; never emissive, for their light has no bound. */
export let planes: usize = 0;
export let planeCount: u32 = 0;

let materialCount: u32 = 0;

/** False when the bytes are not a scene; nothing is traced then. */
export function readScene(start: usize, length: u32): bool {
  if (length < COUNTS_BYTES + WORLD_BYTES) return false;
  materialCount = load<u32>(start);
  const spheres = load<u32>(start, 4);
  planeCount = load<u32>(start, 8);
  const quads = load<u32>(start, 12);
  const triangles = load<u32>(start, 16);
  if (load<u32>(start, 20) != 0) return false;
  if (max(max(max(materialCount, spheres), max(planeCount, quads)), triangles) > MAX_RECORDS) return false;
  const records: u64 =
    <u64>materialCount * MATERIAL_BYTES +
    <u64>spheres * SPHERE_BYTES +
    <u64>planeCount * PLANE_BYTES +
    <u64>(quads + triangles) * FLAT_BYTES;
  if (<u64>length != records + COUNTS_BYTES + WORLD_BYTES) return false;

  world = start + COUNTS_BYTES;
  if (!allFinite(world, WORLD_BYTES >> 2)) return false;
  let next = world + WORLD_BYTES;
  if (!readMaterials(next)) return false;
  next += materialCount * MATERIAL_BYTES;
  shapeCount = spheres + quads + triangles;
  shapes = reserve(shapeCount, SHAPE_BYTES);
  planes = reserve(planeCount, SHAPE_BYTES);
  if (!readSpheres(next, spheres)) return false;
  next += spheres * SPHERE_BYTES;
  if (!readPlanes(next)) return false;
  next += planeCount * PLANE_BYTES;
  if (!readFlats(next, quads, shapes + spheres * SHAPE_BYTES, QUAD)) return false;
  next += quads * FLAT_BYTES;
  return readFlats(next, triangles, shapes + (spheres + quads) * SHAPE_BYTES, TRIANGLE);
}

function copyColor(from: usize, to: usize): bool {
  let valid = true;
  for (let i: usize = 0; i < 3; i++) {
    const value = readF32(from + (i << 2));
    if (value < 0) valid = false;
    store<f64>(to + (i << 3), value);
  }
  return valid;
}

function readMaterials(start: usize): bool {
  materials = reserve(materialCount, MATERIAL_RECORD);
  for (let i: u32 = 0; i < materialCount; i++) {
    const from = start + i * MATERIAL_BYTES;
    const to = materials + i * MATERIAL_RECORD;
    const kind = load<u32>(from);
    if (kind >= MATERIAL_KINDS || !allFinite(from + 4, 15)) return false;
    let valid = copyColor(from + 4, to + COLOR);
    valid = copyColor(from + 16, to + COLOR2) && valid;
    const checker = readF32(from + 28);
    const roughness = readF32(from + 32);
    const ior = readF32(from + 36);
    valid = copyColor(from + 40, to + EMISSION) && valid;
    valid = copyColor(from + 52, to + ABSORPTION) && valid;
    if (!valid || checker < 0 || roughness < 0 || roughness > 1 || ior < 1 || ior > 10) return false;
    store<f64>(to + CHECKER, checker > 0 ? 1.0 / checker : 0);
    store<f64>(to + ALPHA, roughness * roughness);
    store<f64>(to + IOR, ior);
    store<i32>(to + MATERIAL_KIND, kind);
  }
  return true;
}

/** Writes what all shapes share; false for a material that is not there. */
function finishShape(shape: usize, kind: i32, material: u32, area: f64): bool {
  if (material >= materialCount) return false;
  store<i32>(shape + SHAPE_KIND, kind);
  store<i32>(shape + SHAPE_MATERIAL, material);
  store<i32>(shape + SHAPE_LIGHT, -1);
  store<f64>(shape + SHAPE_AREA, area);
  return true;
}

function readSpheres(start: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const from = start + i * SPHERE_BYTES;
    const to = shapes + i * SHAPE_BYTES;
    if (!allFinite(from + 4, 4)) return false;
    const radius = readF32(from + 16);
    if (!(radius > 0)) return false;
    for (let axis: usize = 0; axis < 3; axis++) store<f64>(to + (axis << 3), readF32(from + 4 + (axis << 2)));
    store<f64>(to, radius * radius, 24);
    store<f64>(to, radius, 32);
    if (!finishShape(to, SPHERE, load<u32>(from), Math.PI * radius * radius)) return false;
  }
  return true;
}

function readPlanes(start: usize): bool {
  for (let i: u32 = 0; i < planeCount; i++) {
    const from = start + i * PLANE_BYTES;
    const to = planes + i * SHAPE_BYTES;
    if (!allFinite(from + 4, 6)) return false;
    const x = readF32(from + 16);
    const y = readF32(from + 20);
    const z = readF32(from + 24);
    const length = Math.sqrt(x * x + y * y + z * z);
    if (!(length > 1e-12)) return false;
    storeRow(to, x / length, y / length, z / length, from + 4);
    if (!finishShape(to, PLANE, load<u32>(from), 0)) return false;
    const material = materials + load<u32>(from) * MATERIAL_RECORD;
    if (load<i32>(material + MATERIAL_KIND) == EMISSIVE) return false;
  }
  return true;
}

/** A row (x, y, z, d) with d such that the row is zero at the point read from `point`. */
function storeRow(to: usize, x: f64, y: f64, z: f64, point: usize): void {
  store<f64>(to, x, 0);
  store<f64>(to, y, 8);
  store<f64>(to, z, 16);
  store<f64>(to, x * readF32(point) + y * readF32(point + 4) + z * readF32(point + 8), 24);
}

/** Quads and triangles: a corner and two edges. The rows for u and v are the dual basis of the edges. */
function readFlats(start: usize, count: u32, records: usize, kind: i32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const from = start + i * FLAT_BYTES;
    const to = records + i * SHAPE_BYTES;
    if (!allFinite(from + 4, 9)) return false;
    const ux = readF32(from + 16);
    const uy = readF32(from + 20);
    const uz = readF32(from + 24);
    const vx = readF32(from + 28);
    const vy = readF32(from + 32);
    const vz = readF32(from + 36);
    const nx = uy * vz - uz * vy;
    const ny = uz * vx - ux * vz;
    const nz = ux * vy - uy * vx;
    const squared = nx * nx + ny * ny + nz * nz;
    if (!(squared > 1e-24)) return false;
    const length = Math.sqrt(squared);
    storeRow(to, nx / length, ny / length, nz / length, from + 4);
    const s = 1.0 / squared;
    storeRow(to + 32, (vy * nz - vz * ny) * s, (vz * nx - vx * nz) * s, (vx * ny - vy * nx) * s, from + 4);
    storeRow(to + 64, (ny * uz - nz * uy) * s, (nz * ux - nx * uz) * s, (nx * uy - ny * ux) * s, from + 4);
    const area = kind == QUAD ? length : length * 0.5;
    if (!finishShape(to, kind, load<u32>(from), area)) return false;
  }
  return true;
}
