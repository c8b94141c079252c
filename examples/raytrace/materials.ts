/** Materials of a scene file: from JSON to the 16 words the tracer reads. */
import { MATERIAL_KIND } from "./scene-layout.ts";
import {
  at,
  readChoice,
  readColor,
  readFields,
  readList,
  readNumber,
  scale,
  SceneError,
  type Fields,
  type Vector,
} from "./scene-json.ts";

/** Words of a material as README.md lists them. Colours are linear; `checker` is a cell's side, 0 for none. */
export interface Material {
  readonly kind: (typeof MATERIAL_KIND)[keyof typeof MATERIAL_KIND];
  readonly floats: readonly number[];
}

const BLACK: Vector = [0, 0, 0];
const WHITE: Vector = [1, 1, 1];

/** Window glass; also about the clear coat of a billiard ball. */
const GLASS_IOR = 1.5;

const KEYS = {
  diffuse: ["type", "color", "checker"],
  glossy: ["type", "color", "checker", "roughness", "ior"],
  metal: ["type", "color", "checker", "roughness"],
  glass: ["type", "color", "ior", "absorption"],
  light: ["type", "color", "strength"],
} as const;

const TYPES = ["diffuse", "glossy", "metal", "glass", "light"] as const;

/** Reads one material; throws a SceneError. */
export function readMaterial(value: unknown, path: string): Material {
  const type = readChoice(
    typeof value === "object" && value !== null && "type" in value ? value.type : undefined,
    at(path, "type"),
    TYPES,
  );
  const fields = readFields(value, path, KEYS[type]);
  switch (type) {
    case "diffuse":
    case "glossy":
    case "metal":
      return readOpaque(fields, path, type);
    case "glass":
      return readGlass(fields, path);
    case "light":
      return readLight(fields, path);
    default:
      return type satisfies never;
  }
}

interface Words {
  readonly color: Vector;
  readonly color2?: Vector;
  readonly checker?: number;
  readonly roughness?: number;
  readonly ior?: number;
  readonly emission?: Vector;
  readonly absorption?: Vector;
}

function material(kind: Material["kind"], words: Words): Material {
  const { color, color2 = color, checker = 0, roughness = 0, ior = GLASS_IOR } = words;
  const { emission = BLACK, absorption = BLACK } = words;
  return { kind, floats: [...color, ...color2, checker, roughness, ior, ...emission, ...absorption] };
}

function readOpaque(fields: Fields, path: string, type: "diffuse" | "glossy" | "metal"): Material {
  const shared = {
    roughness: readNumber(fields["roughness"] ?? 0, at(path, "roughness"), 0, 1),
    ior: readNumber(fields["ior"] ?? GLASS_IOR, at(path, "ior"), 1, 4),
  };
  if (fields["checker"] === undefined) {
    const color = readReflectance(fields["color"], at(path, "color"));
    return material(MATERIAL_KIND[type], { ...shared, color });
  }
  if (fields["color"] !== undefined) {
    throw new SceneError(at(path, "color"), "a checker has its colours in `checker.colors`");
  }
  const where = at(path, "checker");
  const checker = readFields(fields["checker"], where, ["colors", "size"]);
  const colors = readList(checker["colors"], at(where, "colors"), 2);
  return material(MATERIAL_KIND[type], {
    ...shared,
    color: readReflectance(colors[0], at(at(where, "colors"), 0)),
    color2: readReflectance(colors[1], at(at(where, "colors"), 1)),
    checker: readNumber(checker["size"] ?? 1, at(where, "size"), 1e-3),
  });
}

function readGlass(fields: Fields, path: string): Material {
  return material(MATERIAL_KIND.glass, {
    color: readReflectance(fields["color"] ?? WHITE, at(path, "color")),
    ior: readNumber(fields["ior"] ?? GLASS_IOR, at(path, "ior"), 1, 4),
    absorption: readColor(fields["absorption"] ?? BLACK, at(path, "absorption")),
  });
}

function readLight(fields: Fields, path: string): Material {
  const color = readColor(fields["color"] ?? WHITE, at(path, "color"));
  const strength = readNumber(fields["strength"] ?? 1, at(path, "strength"), 0);
  return material(MATERIAL_KIND.light, { color: BLACK, emission: scale(color, strength) });
}

/** A colour that gives back no more light than it takes. */
function readReflectance(value: unknown, path: string): Vector {
  const color = readColor(value, path);
  for (const [index, channel] of color.entries()) readNumber(channel, at(path, index), 0, 1);
  return color;
}
