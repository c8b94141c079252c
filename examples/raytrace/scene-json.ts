/**
 * Readers for parts of a scene file. Each takes a value and its JSON path, and answers with the value or throws a
 * SceneError that names the path.
 */

export type Vector = readonly [number, number, number];
export type Fields = Readonly<Record<string, unknown>>;

/** The scene file is wrong; `path` says where, as in `objects[3].radius`. */
export class SceneError extends Error {
  static override readonly name = "SceneError";
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`${path === "" ? "scene" : path}: ${problem}`);
    this.name = "SceneError";
    this.path = path;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** An object with no keys but these; a misspelt key is an error, not a default. */
export function readFields(value: unknown, path: string, keys: readonly string[]): Fields {
  if (!isFields(value)) throw new SceneError(path, `expected an object, found ${describe(value)}`);
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) {
      throw new SceneError(at(path, key), `unknown key; known here: ${keys.join(", ")}`);
    }
  }
  return value;
}

/** An object whose keys are the author's own names. */
export function readNamed(value: unknown, path: string): Fields {
  if (!isFields(value)) throw new SceneError(path, `expected an object, found ${describe(value)}`);
  return value;
}

export function at(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  return path === "" ? key : `${path}.${key}`;
}

export function readList(value: unknown, path: string, length?: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new SceneError(path, `expected a list, found ${describe(value)}`);
  if (length !== undefined && value.length !== length) {
    throw new SceneError(path, `expected ${length} entries, found ${value.length}`);
  }
  return value;
}

/** A finite number within the bounds, both included. */
export function readNumber(value: unknown, path: string, low = -1e6, high = 1e6): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new SceneError(path, `expected a number, found ${describe(value)}`);
  }
  if (value < low || value > high) {
    throw new SceneError(path, `expected a number from ${low} to ${high}, found ${value}`);
  }
  return value;
}

export function readVector(value: unknown, path: string): Vector {
  const list = readList(value, path, 3);
  return [
    readNumber(list[0], at(path, 0)),
    readNumber(list[1], at(path, 1)),
    readNumber(list[2], at(path, 2)),
  ];
}

/** A vector that may not be zero. */
export function readDirection(value: unknown, path: string): Vector {
  const vector = readVector(value, path);
  if (Math.hypot(...vector) < 1e-6) throw new SceneError(path, "expected a direction, found the zero vector");
  return vector;
}

/** A colour as linear light: "#rrggbb" (sRGB) or three numbers that are linear already. */
export function readColor(value: unknown, path: string): Vector {
  if (typeof value !== "string") {
    const color = readVector(value, path);
    for (const [index, channel] of color.entries()) readNumber(channel, at(path, index), 0, 1e6);
    return color;
  }
  if (!/^#[0-9a-f]{6}$/iu.test(value)) {
    throw new SceneError(path, `expected "#rrggbb" or three numbers, found ${describe(value)}`);
  }
  return [channelOf(value, 1), channelOf(value, 3), channelOf(value, 5)];
}

/** sRGB to linear light (IEC 61966-2-1). */
function channelOf(hex: string, start: number): number {
  const encoded = Number.parseInt(hex.slice(start, start + 2), 16) / 255;
  return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
}

export function readChoice<const Name extends string>(
  value: unknown,
  path: string,
  names: readonly Name[],
): Name {
  for (const name of names) if (name === value) return name;
  throw new SceneError(path, `expected one of ${names.join(", ")}, found ${describe(value)}`);
}

export function scale(vector: Vector, factor: number): Vector {
  return [vector[0] * factor, vector[1] * factor, vector[2] * factor];
}

export function add(a: Vector, b: Vector): Vector {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

export function subtract(a: Vector, b: Vector): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
