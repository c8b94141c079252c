/** Objects of a scene file: from JSON to spheres, planes, quads and triangles. */
import {
  add,
  at,
  cross,
  readChoice,
  readDirection,
  readFields,
  readList,
  readNumber,
  readVector,
  SceneError,
  subtract,
  type Fields,
  type Vector,
} from "./scene-json.ts";

/** Numbers of one shape in the order of its record, after the material's index. */
export interface Shape {
  readonly material: number;
  readonly floats: readonly number[];
}

export interface Shapes {
  readonly spheres: Shape[];
  readonly planes: Shape[];
  readonly quads: Shape[];
  readonly triangles: Shape[];
}

const KEYS = {
  sphere: ["shape", "material", "center", "radius"],
  plane: ["shape", "material", "point", "normal"],
  quad: ["shape", "material", "corner", "edges"],
  triangle: ["shape", "material", "points"],
  box: ["shape", "material", "center", "size", "turn"],
} as const;

const NAMES = ["sphere", "plane", "quad", "triangle", "box"] as const;

/** What an object's `material` may name, and which of those shine. */
export interface Palette {
  readonly indices: ReadonlyMap<string, number>;
  readonly lights: ReadonlySet<number>;
}

/** Appends one object to the shapes it is made of; throws a SceneError. */
export function readObject(value: unknown, path: string, palette: Palette, shapes: Shapes): void {
  const shape = readChoice(
    typeof value === "object" && value !== null && "shape" in value ? value.shape : undefined,
    at(path, "shape"),
    NAMES,
  );
  const fields = readFields(value, path, KEYS[shape]);
  const material = readMaterialName(fields["material"], at(path, "material"), palette);
  switch (shape) {
    case "sphere": {
      const center = readVector(fields["center"], at(path, "center"));
      const radius = readNumber(fields["radius"], at(path, "radius"), 1e-4);
      shapes.spheres.push({ material, floats: [...center, radius] });
      return;
    }
    case "plane":
      shapes.planes.push({ material, floats: readPlane(fields, path, palette.lights.has(material)) });
      return;
    case "quad":
      shapes.quads.push({ material, floats: readQuad(fields, path) });
      return;
    case "triangle":
      shapes.triangles.push({ material, floats: readTriangle(fields, path) });
      return;
    case "box":
      for (const floats of readBox(fields, path)) shapes.quads.push({ material, floats });
      return;
    default:
      shape satisfies never;
  }
}

function readMaterialName(value: unknown, path: string, palette: Palette): number {
  const index = typeof value === "string" ? palette.indices.get(value) : undefined;
  if (index !== undefined) return index;
  const known = [...palette.indices.keys()].join(", ");
  throw new SceneError(path, `expected the name of a material (${known}), found ${JSON.stringify(value)}`);
}

function readPlane(fields: Fields, path: string, shines: boolean): readonly number[] {
  if (shines)
    throw new SceneError(at(path, "material"), "a plane has no end and cannot be a light; use a quad");
  return [
    ...readVector(fields["point"], at(path, "point")),
    ...readDirection(fields["normal"], at(path, "normal")),
  ];
}

function readQuad(fields: Fields, path: string): readonly number[] {
  const corner = readVector(fields["corner"], at(path, "corner"));
  const where = at(path, "edges");
  const edges = readList(fields["edges"], where, 2);
  return flat(corner, readVector(edges[0], at(where, 0)), readVector(edges[1], at(where, 1)), where);
}

function readTriangle(fields: Fields, path: string): readonly number[] {
  const where = at(path, "points");
  const points = readList(fields["points"], where, 3);
  const corner = readVector(points[0], at(where, 0));
  const second = subtract(readVector(points[1], at(where, 1)), corner);
  const third = subtract(readVector(points[2], at(where, 2)), corner);
  return flat(corner, second, third, where);
}

function flat(corner: Vector, u: Vector, v: Vector, path: string): readonly number[] {
  if (Math.hypot(...cross(u, v)) < 1e-9) throw new SceneError(path, "these span no area");
  return [...corner, ...u, ...v];
}

/** Six quads, their normals outwards; `turn` is in degrees about the vertical axis through the centre. */
function readBox(fields: Fields, path: string): readonly (readonly number[])[] {
  const center = readVector(fields["center"], at(path, "center"));
  const size = readVector(fields["size"], at(path, "size"));
  for (const [axis, side] of size.entries()) readNumber(side, at(at(path, "size"), axis), 1e-4);
  const angle = (readNumber(fields["turn"] ?? 0, at(path, "turn"), -360, 360) * Math.PI) / 180;
  const x: Vector = [Math.cos(angle) * size[0], 0, -Math.sin(angle) * size[0]];
  const y: Vector = [0, size[1], 0];
  const z: Vector = [Math.sin(angle) * size[2], 0, Math.cos(angle) * size[2]];
  const half = add(add(x, y), z).map((side) => side / 2);
  const low = subtract(center, [half[0] ?? 0, half[1] ?? 0, half[2] ?? 0]);
  return [
    [...low, ...y, ...x],
    [...low, ...z, ...y],
    [...low, ...x, ...z],
    [...add(low, z), ...x, ...y],
    [...add(low, x), ...y, ...z],
    [...add(low, y), ...z, ...x],
  ];
}
