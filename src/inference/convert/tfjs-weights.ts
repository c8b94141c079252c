/** Weights of a TensorFlow.js model by name. */
export interface WeightFile {
  /** All values of a weight, whatever its shape; integers become floats. */
  vector(name: string): Float32Array;
  /** The same of one whose last dimension is `columns`. */
  matrix(name: string, columns: number): Float32Array;
}

interface Weight {
  readonly shape: readonly number[];
  readonly integers: boolean;
  readonly offset: number;
  readonly count: number;
}

/**
 * Reads `model.json`'s manifest: values of 32 bits, little-endian, one behind the other over all shards.
 * @throws RangeError for a manifest that does not fit the shards
 */
export function readManifest(json: string, shards: ReadonlyMap<string, Uint8Array>): WeightFile {
  const weights = new Map<string, Weight>();
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const group of list(field(parseJson(json, "model.json"), "weightsManifest"))) {
    for (const path of list(field(group, "paths"))) parts.push(shard(shards, String(path)));
    for (const entry of list(field(group, "weights"))) {
      const shape = list(field(entry, "shape")).map(Number);
      const count = shape.reduce((product, size) => product * size, 1);
      const name = String(field(entry, "name"));
      const type = field(entry, "dtype");
      if (
        !Number.isSafeInteger(count) ||
        count < 0 ||
        field(entry, "quantization") !== undefined ||
        (type !== "float32" && type !== "int32")
      )
        throw new RangeError(`weight ${name} is not stored in 32 bits`);
      weights.set(name, { shape, integers: type === "int32", offset, count });
      offset += 4 * count;
    }
  }
  const bytes = joined(parts);
  if (bytes.length !== offset)
    throw new RangeError(`the shards have ${bytes.length} bytes, the manifest ${offset}`);
  const view = new DataView(bytes.buffer);
  const find = (name: string): Weight => {
    const weight = weights.get(name);
    if (weight === undefined) throw new RangeError(`the model has no weight ${name}`);
    return weight;
  };
  const vector = (name: string): Float32Array => {
    const { integers, offset: at, count } = find(name);
    return Float32Array.from({ length: count }, (_, i) =>
      integers ? view.getInt32(at + 4 * i, true) : view.getFloat32(at + 4 * i, true),
    );
  };
  return {
    vector,
    matrix: (name, columns) => {
      const { shape } = find(name);
      if (shape.at(-1) !== columns)
        throw new RangeError(`weight ${name} is ${shape.join(" by ")}, not by ${columns}`);
      return vector(name);
    },
  };
}

/** Files that the manifest names, in their order. @throws RangeError for no manifest, or names that are not plain ones */
export function manifestPaths(json: string): readonly string[] {
  const groups = list(field(parseJson(json, "model.json"), "weightsManifest"));
  return groups
    .flatMap((group) => list(field(group, "paths")))
    .map((path) => {
      if (typeof path !== "string" || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/u.test(path))
        throw new RangeError("model.json names shards that are not files beside it");
      return path;
    });
}

function shard(shards: ReadonlyMap<string, Uint8Array>, path: string): Uint8Array {
  const bytes = shards.get(path);
  if (bytes === undefined) throw new RangeError(`the shard ${path} is missing`);
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** @throws RangeError that names the file */
export function parseJson(json: string, file: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new RangeError(`${file} is not JSON`, { cause: error });
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new RangeError("model.json has no manifest of weights");
}
