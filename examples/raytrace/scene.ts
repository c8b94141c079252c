/**
 * A scene file, made into the inputs of a job: one per tile, each with the whole scene, so that a task needs nothing
 * but its bytes. Pure: runs in a browser and in Node.
 */
import { readMaterial } from "./materials.ts";
import { readObject, type Shape, type Shapes } from "./objects.ts";
import {
  COUNTS_BYTES,
  FLAT_BYTES,
  HEADER_BYTES,
  MAGIC,
  MATERIAL_BYTES,
  MATERIAL_KIND,
  MAX_BOUNCES,
  MAX_RECORDS,
  MAX_SAMPLES,
  MAX_SIDE,
  MAX_TILE_PIXELS,
  PLANE_BYTES,
  SPHERE_BYTES,
  VERSION,
  WORLD_FLOATS,
} from "./scene-layout.ts";
import {
  at,
  readColor,
  readDirection,
  readFields,
  readList,
  readNamed,
  readNumber,
  readVector,
  scale,
  SceneError,
  subtract,
  type Vector,
} from "./scene-json.ts";

export { SceneError } from "./scene-json.ts";

const SCENE_KEYS = ["title", "camera", "exposure", "sky", "sun", "haze", "materials", "objects"] as const;

/** Reads a scene file (parsed JSON) into the bytes the tracer takes; throws a SceneError that names the JSON path. */
export function encodeScene(json: unknown): Uint8Array {
  const scene = readFields(json, "", SCENE_KEYS);
  const world = readWorld(scene);
  const named = Object.entries(readNamed(scene["materials"], "materials"));
  const materials = named.map(([name, value]) => readMaterial(value, at("materials", name)));
  const palette = {
    indices: new Map(named.map(([name], index) => [name, index])),
    lights: new Set(materials.flatMap(({ kind }, index) => (kind === MATERIAL_KIND.light ? [index] : []))),
  };
  const shapes: Shapes = { spheres: [], planes: [], quads: [], triangles: [] };
  for (const [index, value] of readList(scene["objects"], "objects").entries()) {
    readObject(value, at("objects", index), palette, shapes);
  }
  const { spheres, planes, quads, triangles } = shapes;
  const groups = [materials, spheres, planes, quads, triangles];
  if (groups.some((group) => group.length > MAX_RECORDS)) {
    throw new SceneError("objects", `more than ${MAX_RECORDS} of one shape`);
  }
  const writer = new Words(
    COUNTS_BYTES +
      WORLD_FLOATS * 4 +
      materials.length * MATERIAL_BYTES +
      spheres.length * SPHERE_BYTES +
      planes.length * PLANE_BYTES +
      (quads.length + triangles.length) * FLAT_BYTES,
  );
  for (const group of groups) writer.integer(group.length);
  writer.integer(0);
  writer.floats(world);
  for (const { kind, floats } of materials) {
    writer.integer(kind);
    writer.floats(floats);
  }
  for (const group of [spheres, planes, quads, triangles]) writeShapes(writer, group);
  return writer.bytes;
}

function writeShapes(writer: Words, shapes: readonly Shape[]): void {
  for (const { material, floats } of shapes) {
    writer.integer(material);
    writer.floats(floats);
  }
}

/** Little-endian 32-bit words, one after the other. */
class Words {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #next = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  integer(value: number): void {
    this.#view.setUint32(this.#next, value, true);
    this.#next += 4;
  }

  floats(values: readonly number[]): void {
    for (const value of values) {
      this.#view.setFloat32(this.#next, value, true);
      this.#next += 4;
    }
  }
}

/** Camera, exposure, sky, sun and haze: the 32 numbers of README.md's table. */
function readWorld(scene: Readonly<Record<string, unknown>>): readonly number[] {
  const sun = readSun(scene["sun"]);
  return [
    ...readCamera(scene["camera"]),
    readNumber(scene["exposure"] ?? 1, "exposure", 1e-6),
    ...readSky(scene["sky"]),
    ...sun.direction,
    ...sun.irradiance,
    sun.degrees,
    readHaze(scene["haze"]),
    0,
    0,
  ];
}

const CAMERA_KEYS = ["from", "at", "up", "fov", "aperture", "focus"] as const;

function readCamera(value: unknown): readonly number[] {
  const camera = readFields(value, "camera", CAMERA_KEYS);
  const from = readVector(camera["from"], "camera.from");
  const target = readVector(camera["at"], "camera.at");
  const up = readDirection(camera["up"] ?? [0, 1, 0], "camera.up");
  const distance = Math.hypot(...subtract(target, from));
  if (distance < 1e-6) throw new SceneError("camera.at", "the camera looks at where it stands");
  return [
    ...from,
    ...target,
    ...up,
    readNumber(camera["fov"] ?? 40, "camera.fov", 1, 150),
    readNumber(camera["aperture"] ?? 0, "camera.aperture", 0, 1e3),
    readNumber(camera["focus"] ?? distance, "camera.focus", 1e-3),
  ];
}

function readSky(value: unknown): readonly number[] {
  const sky = readFields(value ?? {}, "sky", ["zenith", "horizon", "ground", "strength"]);
  const strength = readNumber(sky["strength"] ?? 1, "sky.strength", 0, 1e4);
  const horizon = readColor(sky["horizon"] ?? [0, 0, 0], "sky.horizon");
  const zenith = sky["zenith"] === undefined ? horizon : readColor(sky["zenith"], "sky.zenith");
  const ground = sky["ground"] === undefined ? horizon : readColor(sky["ground"], "sky.ground");
  return [...scale(zenith, strength), ...scale(horizon, strength), ...scale(ground, strength)];
}

interface Sun {
  readonly direction: Vector;
  readonly irradiance: Vector;
  readonly degrees: number;
}

function readSun(value: unknown): Sun {
  if (value === undefined) return { direction: [0, 1, 0], irradiance: [0, 0, 0], degrees: 0 };
  const sun = readFields(value, "sun", ["direction", "color", "strength", "size"]);
  const color = readColor(sun["color"] ?? [1, 1, 1], "sun.color");
  return {
    direction: readDirection(sun["direction"], "sun.direction"),
    irradiance: scale(color, readNumber(sun["strength"] ?? 1, "sun.strength", 0, 1e4)),
    degrees: readNumber(sun["size"] ?? 0.53, "sun.size", 0.1, 60),
  };
}

function readHaze(value: unknown): number {
  if (value === undefined) return 0;
  const haze = readFields(value, "haze", ["distance"]);
  return readNumber(haze["distance"], "haze.distance", 1e-2);
}

/** Where a tile lies, in pixels from the picture's upper left corner. */
export interface Tile {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** A tile, and the bytes that a task renders it from. */
export interface TileInput extends Tile {
  readonly bytes: Uint8Array;
}

/** Paths per pixel: `draft` to see that it works, `standard` to look at, `fine` to keep. */
export const QUALITY = { draft: 8, standard: 128, fine: 512 } as const;
export type Quality = keyof typeof QUALITY;

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly tilesX: number;
  readonly tilesY: number;
  /** Paths per pixel. */
  readonly samples: number;
  /** Longest path; Russian roulette ends most of them earlier. */
  readonly bounces?: number;
  /** Another seed gives another noise over the same picture. */
  readonly seed?: number;
}

/** Bounces enough for light to pass through a few glass balls. */
const DEFAULT_BOUNCES = 12;

/** The default job: 144 tasks of 40×40 pixels. */
export const DEFAULT_PICTURE: Picture = {
  width: 640,
  height: 360,
  tilesX: 16,
  tilesY: 9,
  samples: QUALITY.standard,
};

/**
 * One input per tile, row by row from the upper left. Where the picture does not divide evenly, tiles differ by a
 * pixel. `scene` is what encodeScene made. Throws a RangeError for sizes that the tracer would refuse.
 */
export function tileInputs(scene: Uint8Array, picture: Picture): readonly TileInput[] {
  const { width, height, tilesX, tilesY, samples, bounces = DEFAULT_BOUNCES, seed = 0 } = picture;
  requireInteger("width", width, 1, MAX_SIDE);
  requireInteger("height", height, 1, MAX_SIDE);
  requireInteger("tilesX", tilesX, 1, width);
  requireInteger("tilesY", tilesY, 1, height);
  requireInteger("samples", samples, 1, MAX_SAMPLES);
  requireInteger("bounces", bounces, 1, MAX_BOUNCES);
  requireInteger("seed", seed, 0, 0xffffffff);
  requireInteger(
    "pixels of a tile",
    Math.ceil(width / tilesX) * Math.ceil(height / tilesY),
    1,
    MAX_TILE_PIXELS,
  );
  const inputs: TileInput[] = [];
  for (let row = 0; row < tilesY; row++) {
    const y = edge(row, tilesY, height);
    const h = edge(row + 1, tilesY, height) - y;
    for (let column = 0; column < tilesX; column++) {
      const x = edge(column, tilesX, width);
      const w = edge(column + 1, tilesX, width) - x;
      const header = [MAGIC, VERSION, width, height, x, y, w, h, samples, bounces, seed, scene.length];
      const writer = new Words(HEADER_BYTES + scene.length);
      for (const word of header) writer.integer(word);
      writer.bytes.set(scene, HEADER_BYTES);
      inputs.push({ x, y, w, h, bytes: writer.bytes });
    }
  }
  return inputs;
}

function edge(index: number, tiles: number, length: number): number {
  return Math.floor((index * length) / tiles);
}

function requireInteger(what: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new RangeError(`${what}: expected a whole number from ${low} to ${high}, found ${value}`);
}

/** Copies one tile's output (RGB8, row by row) into a picture of that width; throws a RangeError if it does not fit. */
export function placeTile(image: Uint8Array, width: number, tile: Tile, rgb: Uint8Array): void {
  const { x, y, w, h } = tile;
  if (rgb.length !== w * h * 3) {
    throw new RangeError(`tile at ${x},${y}: expected ${w * h * 3} bytes, found ${rgb.length}`);
  }
  if (x < 0 || x + w > width || y < 0 || (y + h) * width * 3 > image.length) {
    throw new RangeError(`tile at ${x},${y} of ${w}×${h} lies outside the picture`);
  }
  for (let row = 0; row < h; row++) {
    image.set(rgb.subarray(row * w * 3, (row + 1) * w * 3), ((y + row) * width + x) * 3);
  }
}

/** The whole picture, RGB8, from its tiles and their outputs in the same order; throws a RangeError on a mismatch. */
export function assemble(
  size: { readonly width: number; readonly height: number },
  tiles: readonly Tile[],
  outputs: readonly Uint8Array[],
): Uint8Array {
  if (tiles.length !== outputs.length) {
    throw new RangeError(`expected ${tiles.length} outputs, found ${outputs.length}`);
  }
  const image = new Uint8Array(size.width * size.height * 3);
  for (const [index, tile] of tiles.entries()) {
    placeTile(image, size.width, tile, outputs[index] ?? new Uint8Array(0));
  }
  return image;
}
