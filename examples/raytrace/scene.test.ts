import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { assemble, DEFAULT_PICTURE, encodeScene, SceneError, tileInputs } from "./scene.ts";

const camera = { from: [0, 1, 5], at: [0, 1, 0] };
const materials = { red: { type: "diffuse", color: "#ff0000" }, lamp: { type: "light" } };
const ball = { shape: "sphere", center: [0, 1, 0], radius: 1, material: "red" };
const valid = { camera, materials, objects: [ball] };

function errorOf(json: unknown): SceneError {
  try {
    encodeScene(json);
  } catch (error) {
    if (error instanceof SceneError) return error;
    throw error;
  }
  throw new Error("the scene was accepted");
}

describe("encodeScene", () => {
  it("writes 152 bytes, 64 per material and 20 per sphere", () => {
    expect(encodeScene(valid)).toHaveLength(152 + 2 * 64 + 20);
  });

  it("turns a hexadecimal colour into linear light", () => {
    const grey = { ...valid, materials: { red: { type: "diffuse", color: "#808080" } } };
    const view = new DataView(encodeScene(grey).buffer);
    expect(view.getFloat32(156, true)).toBeCloseTo(0.21586, 5);
  });

  it.each([
    ["camera", { ...valid, camera: undefined }],
    ["camera.from[1]", { ...valid, camera: { ...camera, from: [0, "1", 5] } }],
    ["camera.from", { ...valid, camera: { ...camera, from: [0, 1] } }],
    ["camera.at", { ...valid, camera: { ...camera, at: camera.from } }],
    ["camera.zoom", { ...valid, camera: { ...camera, zoom: 2 } }],
    ["camera.fov", { ...valid, camera: { ...camera, fov: 0 } }],
    ["exposure", { ...valid, exposure: Number.NaN }],
    ["sky.horizon", { ...valid, sky: { horizon: "blue" } }],
    ["sun.direction", { ...valid, sun: { direction: [0, 0, 0] } }],
    ["haze.distance", { ...valid, haze: {} }],
    ["colour", { ...valid, colour: "#ffffff" }],
    ["materials", { ...valid, materials: [] }],
    ["materials.red.type", { ...valid, materials: { red: { type: "velvet" } } }],
    ["materials.red.color[0]", { ...valid, materials: { red: { type: "diffuse", color: [2, 0, 0] } } }],
    ["materials.red.ior", { ...valid, materials: { red: { type: "metal", color: "#ffffff", ior: 2 } } }],
    [
      "materials.red.checker.colors",
      { ...valid, materials: { red: { type: "glossy", checker: { colors: ["#000000"] } } } },
    ],
    ["objects", { ...valid, objects: ball }],
    ["objects[1].radius", { ...valid, objects: [ball, { ...ball, radius: -1 }] }],
    ["objects[0].material", { ...valid, objects: [{ ...ball, material: "blue" }] }],
    ["objects[0].shape", { ...valid, objects: [{ ...ball, shape: "torus" }] }],
    [
      "objects[0].edges",
      {
        ...valid,
        objects: [
          {
            shape: "quad",
            corner: [0, 0, 0],
            edges: [
              [1, 0, 0],
              [2, 0, 0],
            ],
            material: "red",
          },
        ],
      },
    ],
    [
      "objects[0].material",
      { ...valid, objects: [{ shape: "plane", point: [0, 0, 0], normal: [0, 1, 0], material: "lamp" }] },
    ],
    [
      "objects[0].size[2]",
      { ...valid, objects: [{ shape: "box", center: [0, 0, 0], size: [1, 1, 0], material: "red" }] },
    ],
  ])("names the path %s", (path, json) => {
    const error = errorOf(json);
    expect(error.path).toBe(path);
    expect(error.message.startsWith(`${path}: `)).toBe(true);
  });

  it("says what it expected and what it found", () => {
    expect(errorOf({ ...valid, objects: [{ ...ball, radius: "big" }] }).message).toBe(
      'objects[0].radius: expected a number, found "big"',
    );
  });

  it.each(["studio", "cornell", "marbles"])("reads the scene %s", async (name) => {
    const text = await readFile(new URL(`scenes/${name}.json`, import.meta.url), "utf8");
    expect(encodeScene(JSON.parse(text)).length).toBeGreaterThan(500);
  });
});

describe("tileInputs", () => {
  const scene = encodeScene(valid);

  it("cuts the default picture into 144 tiles of 40 by 40", () => {
    const tiles = tileInputs(scene, DEFAULT_PICTURE);
    expect(tiles).toHaveLength(144);
    expect(new Set(tiles.map(({ w, h }) => `${w}×${h}`))).toEqual(new Set(["40×40"]));
  });

  it("covers every pixel once when the sizes do not divide", () => {
    const tiles = tileInputs(scene, { width: 17, height: 11, tilesX: 5, tilesY: 3, samples: 1 });
    const covered = assemble(
      { width: 17, height: 11 },
      tiles,
      tiles.map(({ w, h }) => new Uint8Array(w * h * 3).fill(1)),
    );
    expect(covered.every((byte) => byte === 1)).toBe(true);
    expect(tiles.reduce((sum, { w, h }) => sum + w * h, 0)).toBe(17 * 11);
  });

  it.each([
    ["width", { width: 0 }],
    ["tilesX", { tilesX: 641 }],
    ["samples", { samples: 1.5 }],
    ["bounces", { bounces: 65 }],
    ["pixels of a tile", { width: 16_384, height: 16_384, tilesX: 1, tilesY: 1 }],
  ])("refuses a bad %s", (name, change) => {
    expect(() => tileInputs(scene, { ...DEFAULT_PICTURE, ...change })).toThrow(new RegExp(`^${name}: `, "u"));
  });
});

describe("assemble", () => {
  const tile = { x: 0, y: 0, w: 2, h: 1 };

  it("refuses an output of the wrong length", () => {
    expect(() => assemble({ width: 2, height: 1 }, [tile], [new Uint8Array(5)])).toThrow("expected 6 bytes");
  });

  it("refuses a tile outside the picture", () => {
    expect(() => assemble({ width: 1, height: 1 }, [tile], [new Uint8Array(6)])).toThrow("outside");
  });

  it("refuses a missing output", () => {
    expect(() => assemble({ width: 2, height: 1 }, [tile], [])).toThrow("expected 1 outputs");
  });
});
