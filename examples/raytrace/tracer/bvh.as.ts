/**
 * A bounding volume hierarchy over the bounded shapes, built by binned surface area heuristic. A box record is
 * 64 bytes: f64 min[3], max[3], then i32 first (left child, or first entry of `order`), i32 count (0 in inner boxes).
 */
import { reserve } from "./bytes.as";
import { QUAD, SHAPE_BYTES, SHAPE_KIND, SPHERE } from "./layout.as";
import { shapeCount, shapes } from "./scene.as";

export const BOX_BYTES: u32 = 64;
export const BOX_FIRST: usize = 48;
export const BOX_COUNT: usize = 52;
/** Deeper boxes stay leaves, so that the traversal's stack is bounded. */
export const MAX_DEPTH: i32 = 48;

const BINS: i32 = 12;
/** One bin: f64 min[3], max[3], count. */
const BIN_BYTES: i32 = 56;
/** A step down costs about this many shape tests. */
const STEP_COST: f64 = 0.6;

export let boxes: usize = 0;
/** Addresses of shapes, grouped by leaf. */
export let order: usize = 0;

let boxCount: u32 = 0;
let bounds: usize = 0;
let bins: usize = 0;
let sweep: usize = 0;
let splitAxis: usize = 0;
let splitBin: i32 = 0;
let splitCost: f64 = 0;

export function buildHierarchy(): void {
  const count = shapeCount;
  order = reserve(count, 4);
  bounds = reserve(count, 48);
  boxes = reserve(2 * count + 1, BOX_BYTES);
  bins = reserve(BINS, BIN_BYTES);
  sweep = reserve(BINS, 8);
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(order + (i << 2), i);
    boundShape(shapes + i * SHAPE_BYTES, bounds + i * 48);
  }
  boxCount = 1;
  build(boxes, 0, count, 0);
  for (let i: u32 = 0; i < count; i++) {
    const entry = order + (i << 2);
    store<u32>(entry, <u32>(shapes + load<u32>(entry) * SHAPE_BYTES));
  }
}

function empty(box: usize): void {
  for (let axis: usize = 0; axis < 24; axis += 8) {
    store<f64>(box + axis, Infinity);
    store<f64>(box + axis, -Infinity, 24);
  }
}

function grow(box: usize, other: usize): void {
  for (let axis: usize = 0; axis < 24; axis += 8) {
    store<f64>(box + axis, min(load<f64>(box + axis), load<f64>(other + axis)));
    store<f64>(box + axis, max(load<f64>(box + axis, 24), load<f64>(other + axis, 24)), 24);
  }
}

function halfSurface(box: usize): f64 {
  const x = load<f64>(box, 24) - load<f64>(box);
  const y = load<f64>(box, 32) - load<f64>(box, 8);
  const z = load<f64>(box, 40) - load<f64>(box, 16);
  return x >= 0 ? x * y + y * z + z * x : 0;
}

/** Where along `axis` a shape's box lies, doubled. */
function middle(index: u32, axis: usize): f64 {
  const box = bounds + index * 48 + (axis << 3);
  return load<f64>(box) + load<f64>(box, 24);
}

function boundShape(shape: usize, box: usize): void {
  if (load<i32>(shape + SHAPE_KIND) == SPHERE) {
    const radius = load<f64>(shape, 32);
    for (let axis: usize = 0; axis < 24; axis += 8) {
      store<f64>(box + axis, load<f64>(shape + axis) - radius);
      store<f64>(box + axis, load<f64>(shape + axis) + radius, 24);
    }
    return;
  }
  empty(box);
  addCorner(shape, box, 0, 0);
  addCorner(shape, box, 1, 0);
  addCorner(shape, box, 0, 1);
  if (load<i32>(shape + SHAPE_KIND) == QUAD) addCorner(shape, box, 1, 1);
  for (let axis: usize = 0; axis < 24; axis += 8) {
    const low = load<f64>(box + axis);
    const high = load<f64>(box + axis, 24);
    const slack = 1e-7 * (1.0 + Math.abs(low) + Math.abs(high));
    store<f64>(box + axis, low - slack);
    store<f64>(box + axis, high + slack, 24);
  }
}

/** Solves the three rows of a flat shape for the point at (u, v): the rows' inverse, by Cramer's rule. */
export let cornerX: f64 = 0;
export let cornerY: f64 = 0;
export let cornerZ: f64 = 0;

export function pointOnFlat(shape: usize, u: f64, v: f64): void {
  const nx = load<f64>(shape, 0);
  const ny = load<f64>(shape, 8);
  const nz = load<f64>(shape, 16);
  const ux = load<f64>(shape, 32);
  const uy = load<f64>(shape, 40);
  const uz = load<f64>(shape, 48);
  const vx = load<f64>(shape, 64);
  const vy = load<f64>(shape, 72);
  const vz = load<f64>(shape, 80);
  const a = load<f64>(shape, 24);
  const b = u + load<f64>(shape, 56);
  const c = v + load<f64>(shape, 88);
  const px = uy * vz - uz * vy;
  const py = uz * vx - ux * vz;
  const pz = ux * vy - uy * vx;
  const s = 1.0 / (nx * px + ny * py + nz * pz);
  cornerX = (a * px + b * (vy * nz - vz * ny) + c * (ny * uz - nz * uy)) * s;
  cornerY = (a * py + b * (vz * nx - vx * nz) + c * (nz * ux - nx * uz)) * s;
  cornerZ = (a * pz + b * (vx * ny - vy * nx) + c * (nx * uy - ny * ux)) * s;
}

function addCorner(shape: usize, box: usize, u: f64, v: f64): void {
  pointOnFlat(shape, u, v);
  store<f64>(box, min(load<f64>(box), cornerX));
  store<f64>(box, min(load<f64>(box, 8), cornerY), 8);
  store<f64>(box, min(load<f64>(box, 16), cornerZ), 16);
  store<f64>(box, max(load<f64>(box, 24), cornerX), 24);
  store<f64>(box, max(load<f64>(box, 32), cornerY), 32);
  store<f64>(box, max(load<f64>(box, 40), cornerZ), 40);
}

function build(box: usize, first: u32, count: u32, depth: i32): void {
  empty(box);
  for (let i: u32 = 0; i < count; i++) grow(box, bounds + load<u32>(order + ((first + i) << 2)) * 48);
  store<u32>(box + BOX_FIRST, first);
  store<u32>(box + BOX_COUNT, count);
  if (count <= 1 || depth >= MAX_DEPTH) return;
  chooseSplit(box, first, count);
  if (splitCost >= <f64>count) return;
  const left = partition(first, count);
  if (left == 0 || left == count) return;
  const child = boxCount;
  boxCount += 2;
  store<u32>(box + BOX_FIRST, child);
  store<u32>(box + BOX_COUNT, 0);
  build(boxes + child * BOX_BYTES, first, left, depth + 1);
  build(boxes + (child + 1) * BOX_BYTES, first + left, count - left, depth + 1);
}

let lowMiddle: f64 = 0;
let binScale: f64 = 0;

/** False when all middles along `axis` coincide. */
function scaleBins(first: u32, count: u32, axis: usize): bool {
  let low = Infinity;
  let high = -Infinity;
  for (let i: u32 = 0; i < count; i++) {
    const at = middle(load<u32>(order + ((first + i) << 2)), axis);
    low = min(low, at);
    high = max(high, at);
  }
  if (!(high - low > 1e-12)) return false;
  lowMiddle = low;
  binScale = <f64>BINS / (high - low);
  return true;
}

function binOf(index: u32, axis: usize): i32 {
  return min(<i32>((middle(index, axis) - lowMiddle) * binScale), BINS - 1);
}

function chooseSplit(box: usize, first: u32, count: u32): void {
  splitCost = Infinity;
  const surface = halfSurface(box);
  for (let axis: usize = 0; axis < 3; axis++) {
    if (!scaleBins(first, count, axis)) continue;
    for (let bin = 0; bin < BINS; bin++) {
      empty(bins + bin * BIN_BYTES);
      store<i32>(bins + bin * BIN_BYTES, 0, 48);
    }
    for (let i: u32 = 0; i < count; i++) {
      const index = load<u32>(order + ((first + i) << 2));
      const bin = bins + binOf(index, axis) * BIN_BYTES;
      grow(bin, bounds + index * 48);
      store<i32>(bin, load<i32>(bin, 48) + 1, 48);
    }
    sweepBins(axis, surface);
  }
}

/** Costs of all splits along one axis: a sweep from the right, then one from the left. */
function sweepBins(axis: usize, surface: f64): void {
  const side = reserveSide();
  let counted: i32 = 0;
  for (let bin = BINS - 1; bin > 0; bin--) {
    grow(side, bins + bin * BIN_BYTES);
    counted += load<i32>(bins + bin * BIN_BYTES, 48);
    store<f64>(sweep + (bin << 3), halfSurface(side) * <f64>counted);
  }
  empty(side);
  counted = 0;
  for (let bin = 1; bin < BINS; bin++) {
    grow(side, bins + (bin - 1) * BIN_BYTES);
    counted += load<i32>(bins + (bin - 1) * BIN_BYTES, 48);
    const cost = halfSurface(side) * <f64>counted + load<f64>(sweep + (bin << 3));
    const relative = STEP_COST + cost / surface;
    if (relative < splitCost) {
      splitCost = relative;
      splitAxis = axis;
      splitBin = bin;
    }
  }
}

let sideBox: usize = 0;

function reserveSide(): usize {
  if (sideBox == 0) sideBox = reserve(1, 48);
  empty(sideBox);
  return sideBox;
}

/** Moves shapes left of the chosen split to the front of the range and counts them. */
function partition(first: u32, count: u32): u32 {
  scaleBins(first, count, splitAxis);
  let left: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const from = order + ((first + i) << 2);
    const index = load<u32>(from);
    if (binOf(index, splitAxis) >= splitBin) continue;
    const to = order + ((first + left) << 2);
    store<u32>(from, load<u32>(to));
    store<u32>(to, index);
    left++;
  }
  return left;
}
