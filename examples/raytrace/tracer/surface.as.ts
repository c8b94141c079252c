/**
 * How a surface scatters light: Lambert, and GGX microfacets with height-correlated Smith shadowing (Heitz, JCGT
 * 2014), sampled by visible normals as spherical caps (Dupuy and Benyoub, 2023). All directions are in the frame of
 * the shading normal (z up); `o` points to where the path came from, `i` to where it goes.
 */
import { ALPHA, CHECKER, COLOR, COLOR2, DIFFUSE, GLOSSY, IOR, MATERIAL_KIND, METAL } from "./layout.as";
import { cosine, sine, turn } from "./turn.as";

const INVERSE_PI: f64 = 1.0 / Math.PI;

/** Below this a lobe is a perfect mirror: sampled lights cannot be seen in it, only hit. */
const MIRROR_ALPHA: f64 = 4e-4;

/** The scattered direction. */
export let inX: f64 = 0;
export let inY: f64 = 0;
export let inZ: f64 = 0;
/** What the path's throughput is multiplied by; from `evaluate`: reflectance times cosine. */
export let weightR: f64 = 0;
export let weightG: f64 = 0;
export let weightB: f64 = 0;
/** Probability density per steradian; 0 for a mirror direction. */
export let density: f64 = 0;

/** Whether the last direction was drawn from the diffuse lobe. */
export let wasDiffuse: bool = false;

let kind: i32 = 0;
let alpha: f64 = 0;
let baseR: f64 = 0;
let baseG: f64 = 0;
let baseB: f64 = 0;
let reflectance0: f64 = 0;
/** The coat's reflectance, given where the path came from. */
let coatShare: f64 = 0;
/** The chance that a glossy surface is sampled by its coat: by what the lobes give back, and often enough. */
let coatChance: f64 = 0;
const LEAST_COAT_CHANCE: f64 = 0.2;

/**
 * Loads the material at a point, given the cosine between normal and outgoing direction, and the least squared
 * roughness that its lobe may have.
 */
export function loadSurface(material: usize, x: f64, y: f64, z: f64, facing: f64, leastAlpha: f64): void {
  kind = load<i32>(material + MATERIAL_KIND);
  alpha = Math.max(load<f64>(material + ALPHA), leastAlpha);
  let color = material + COLOR;
  const frequency = load<f64>(material + CHECKER);
  if (frequency > 0) {
    // The nudge keeps a floor at y = 0 on one side of its own cell border.
    const cell =
      Math.floor(x * frequency + 1e-4) + Math.floor(y * frequency + 1e-4) + Math.floor(z * frequency + 1e-4);
    const half = cell * 0.5;
    if (half != Math.floor(half)) color = material + COLOR2;
  }
  baseR = load<f64>(color, 0);
  baseG = load<f64>(color, 8);
  baseB = load<f64>(color, 16);
  if (kind == GLOSSY) {
    const ior = load<f64>(material + IOR);
    const root = (ior - 1) / (ior + 1);
    reflectance0 = root * root;
    coatShare = schlick(reflectance0, facing);
    const diffuse = (1.0 - coatShare) * Math.max(Math.max(baseR, baseG), baseB);
    coatChance = Math.max(coatShare / (coatShare + diffuse + 1e-9), LEAST_COAT_CHANCE);
  }
}

/** Whether sampled lights can be seen in this surface. */
export function scattersBroadly(): bool {
  return kind == DIFFUSE || kind == GLOSSY || alpha > MIRROR_ALPHA;
}

/** Fresnel reflectance by Schlick's approximation. */
export function schlick(atNormal: f64, facing: f64): f64 {
  const c = 1.0 - Math.min(Math.max(facing, 0), 1);
  const c2 = c * c;
  return atNormal + (1.0 - atNormal) * c2 * c2 * c;
}

/** Smith's Lambda for GGX, from the squared cosine. */
function shadowing(cosine2: f64): f64 {
  return 0.5 * (Math.sqrt(1.0 + (alpha * alpha * (1.0 - cosine2)) / cosine2) - 1.0);
}

let lobe: f64 = 0;
let lobeDensity: f64 = 0;
let halfCosine: f64 = 0;

/** The GGX lobe without Fresnel: value times cosine in `lobe`, `lobeDensity` and the angle at the facet. */
function microfacets(ox: f64, oy: f64, oz: f64, ix: f64, iy: f64, iz: f64): void {
  let hx = ox + ix;
  let hy = oy + iy;
  let hz = oz + iz;
  const scale = 1.0 / Math.sqrt(hx * hx + hy * hy + hz * hz);
  hx *= scale;
  hy *= scale;
  hz *= scale;
  const a2 = alpha * alpha;
  const q = hz * hz * (a2 - 1.0) + 1.0;
  const d = (a2 * INVERSE_PI) / (q * q);
  const lambdaO = shadowing(oz * oz);
  const common = d / (4.0 * oz);
  lobe = common / (1.0 + lambdaO + shadowing(iz * iz));
  lobeDensity = common / (1.0 + lambdaO);
  halfCosine = ox * hx + oy * hy + oz * hz;
}

/** Reflectance times cosine for a given pair of directions, both above the surface, and its density. */
export function evaluate(ox: f64, oy: f64, oz: f64, ix: f64, iy: f64, iz: f64): void {
  weightR = 0;
  weightG = 0;
  weightB = 0;
  density = 0;
  if (iz <= 0 || oz <= 0) return;
  if (kind != METAL) {
    const share = kind == GLOSSY ? 1.0 - coatShare : 1.0;
    const value = share * iz * INVERSE_PI;
    weightR = value * baseR;
    weightG = value * baseG;
    weightB = value * baseB;
    density = (kind == GLOSSY ? 1.0 - coatChance : 1.0) * iz * INVERSE_PI;
  }
  if (kind == DIFFUSE || alpha <= MIRROR_ALPHA) return;
  microfacets(ox, oy, oz, ix, iy, iz);
  if (kind == METAL) {
    weightR = lobe * schlick(baseR, halfCosine);
    weightG = lobe * schlick(baseG, halfCosine);
    weightB = lobe * schlick(baseB, halfCosine);
    density = lobeDensity;
  } else {
    const value = lobe * schlick(reflectance0, halfCosine);
    weightR += value;
    weightG += value;
    weightB += value;
    density += coatChance * lobeDensity;
  }
}

/** Draws a direction from (u, v) in [0, 1)², `choice` deciding between lobes. False when the light is absorbed. */
export function scatter(ox: f64, oy: f64, oz: f64, u: f64, v: f64, choice: f64): bool {
  const mirrored = kind == METAL || (kind == GLOSSY && choice < coatChance);
  wasDiffuse = !mirrored;
  if (!mirrored) {
    const radius = Math.sqrt(u);
    turn(v);
    inX = radius * cosine;
    inY = radius * sine;
    inZ = Math.sqrt(1.0 - u);
    if (kind == DIFFUSE) {
      weightR = baseR;
      weightG = baseG;
      weightB = baseB;
      density = inZ * INVERSE_PI;
      return inZ > 0;
    }
  } else if (alpha <= MIRROR_ALPHA) {
    inX = -ox;
    inY = -oy;
    inZ = oz;
    density = 0;
    const coat = coatShare / coatChance;
    weightR = kind == METAL ? schlick(baseR, oz) : coat;
    weightG = kind == METAL ? schlick(baseG, oz) : coat;
    weightB = kind == METAL ? schlick(baseB, oz) : coat;
    return true;
  } else {
    reflectOffFacet(ox, oy, oz, u, v);
    if (inZ <= 0) return false;
  }
  if (kind == GLOSSY && alpha <= MIRROR_ALPHA) {
    const scale = (1.0 - coatShare) / (1.0 - coatChance);
    weightR = baseR * scale;
    weightG = baseG * scale;
    weightB = baseB * scale;
    density = (1.0 - coatChance) * inZ * INVERSE_PI;
    return inZ > 0;
  }
  evaluate(ox, oy, oz, inX, inY, inZ);
  if (!(density > 1e-12)) return false;
  const scale = 1.0 / density;
  weightR *= scale;
  weightG *= scale;
  weightB *= scale;
  return true;
}

function reflectOffFacet(ox: f64, oy: f64, oz: f64, u: f64, v: f64): void {
  // Stretch to the hemisphere configuration, take a point of the cap that o sees, and shrink back.
  let sx = alpha * ox;
  let sy = alpha * oy;
  let sz = oz;
  const scale = 1.0 / Math.sqrt(sx * sx + sy * sy + sz * sz);
  sx *= scale;
  sy *= scale;
  sz *= scale;
  const cz = (1.0 - u) * (1.0 + sz) - sz;
  const rim = Math.sqrt(Math.max(0, 1.0 - cz * cz));
  turn(v);
  let hx = (rim * cosine + sx) * alpha;
  let hy = (rim * sine + sy) * alpha;
  let hz = cz + sz;
  const length = 1.0 / Math.sqrt(hx * hx + hy * hy + hz * hz);
  hx *= length;
  hy *= length;
  hz *= length;
  const twice = 2.0 * (ox * hx + oy * hy + oz * hz);
  inX = twice * hx - ox;
  inY = twice * hy - oy;
  inZ = twice * hz - oz;
}
