import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readArtefact, sha256 } from "../artefact.ts";
import { compileAssemblyScript } from "../compile-assemblyscript.ts";
import { loadBytesFunction } from "../run-bytes.ts";
import { assemble, encodeScene, tileInputs, type Picture } from "./scene.ts";
import { HEADER_BYTES } from "./scene-layout.ts";

const { wasm, recordedSha256 } = await readArtefact(new URL("raytrace.wasm", import.meta.url));
const render = await loadBytesFunction(wasm);

async function readScene(name: string): Promise<Uint8Array> {
  return encodeScene(JSON.parse(await readFile(new URL(`scenes/${name}.json`, import.meta.url), "utf8")));
}

function renderPicture(scene: Uint8Array, picture: Picture): Uint8Array {
  const tiles = tileInputs(scene, picture);
  return assemble(
    picture,
    tiles,
    tiles.map(({ bytes }) => render(bytes)),
  );
}

const SMALL: Picture = { width: 50, height: 29, tilesX: 1, tilesY: 1, samples: 5 };

/** One pixel, one path. */
const TINY: Picture = { width: 1, height: 1, tilesX: 1, tilesY: 1, samples: 1, bounces: 4 };

/** Compiling takes seconds; on a machine that does other things besides, a minute. */
const COMPILING_MS = 120_000;

const CAMERA = { from: [0, 0, 5], at: [0, 0, 0], fov: 4 };

const BALL_IN_GLOWING_ROOM = encodeScene({
  camera: CAMERA,
  materials: { grey: { type: "diffuse", color: [0.5, 0.5, 0.5] }, lamp: { type: "light" } },
  objects: [
    { shape: "sphere", center: [0, 0, 0], radius: 1, material: "grey" },
    { shape: "box", center: [0, 0, 0], size: [20, 20, 20], material: "lamp" },
  ],
});

describe("the committed tracer", () => {
  it("is what its SHA-256 says", () => {
    expect(sha256(wasm)).toBe(recordedSha256);
  });

  it(
    "is what the compiler makes of its source",
    async () => {
      const rebuilt = await compileAssemblyScript(new URL("tracer/raytrace.as.ts", import.meta.url));
      expect(sha256(rebuilt)).toBe(recordedSha256);
    },
    COMPILING_MS,
  );

  it("imports nothing, and exports what the ABI asks for and no more", async () => {
    const module = await WebAssembly.compile(wasm);
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    expect(
      WebAssembly.Module.exports(module)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(["memory", "tabmesh_alloc", "tabmesh_run"]);
  });
});

describe("a picture", () => {
  it.each(["studio", "cornell", "marbles"])("of %s has the same bytes however it is tiled", async (name) => {
    const scene = await readScene(name);
    const whole = renderPicture(scene, SMALL);
    expect(renderPicture(scene, { ...SMALL, tilesX: 7, tilesY: 4 })).toEqual(whole);
    expect(renderPicture(scene, { ...SMALL, tilesX: 50, tilesY: 1 })).toEqual(whole);
  });

  it("has the same bytes every time, and others with another seed", async () => {
    const scene = await readScene("studio");
    const first = renderPicture(scene, SMALL);
    expect(renderPicture(scene, SMALL)).toEqual(first);
    expect(renderPicture(scene, { ...SMALL, seed: 1 })).not.toEqual(first);
  });

  it("has the same bytes on every machine", async () => {
    const digests: Record<string, string> = {};
    for (const name of ["studio", "cornell", "marbles"]) {
      digests[name] = sha256(renderPicture(await readScene(name), SMALL));
    }
    expect(digests).toMatchInlineSnapshot(`
      {
        "cornell": "e34412ec96d555d347ade9829c5c6c88be7c93778115433659ed6ae0564712b3",
        "marbles": "e7bb032e6a610c1e11db2a29fe1e96e6b11a6e0636bcc53279de7ab555c98d7b",
        "studio": "e1d418e280530c320494b240fb4daf5c7f245db7920112cde65b9d131fcf49a2",
      }
    `);
  });

  it("of a ball under an even sky shows its albedo (a white furnace)", () => {
    for (const albedo of [0.1, 0.5, 0.9]) expect(firstByte(ballUnderSky(albedo), 1)).toBe(evenSky(albedo));
  });

  it("of a ball in a glowing room shows its albedo: light samples and lucky paths add up to one", () => {
    expect(Math.abs(firstByte(BALL_IN_GLOWING_ROOM, 4096) - evenSky(0.5))).toBeLessThanOrEqual(1);
  });
});

function firstByte(scene: Uint8Array, samples: number): number {
  return renderPicture(scene, { ...TINY, samples })[0] ?? 0;
}

/** What the tone curve makes of a radiance. */
function evenSky(radiance: number): number {
  const sky = { horizon: [radiance, radiance, radiance] };
  return firstByte(encodeScene({ camera: CAMERA, sky, materials: {}, objects: [] }), 1);
}

function ballUnderSky(albedo: number): Uint8Array {
  return encodeScene({
    camera: CAMERA,
    sky: { horizon: [1, 1, 1] },
    materials: { grey: { type: "diffuse", color: [albedo, albedo, albedo] } },
    objects: [{ shape: "sphere", center: [0, 0, 0], radius: 1, material: "grey" }],
  });
}

describe("input that is not a task", () => {
  const sceneBytes = encodeScene({
    camera: { from: [0, 0, 5], at: [0, 0, 0] },
    sky: { horizon: [1, 1, 1] },
    materials: { a: { type: "diffuse", color: [1, 1, 1] }, b: { type: "light" } },
    objects: [
      { shape: "sphere", center: [0, 0, 0], radius: 1, material: "a" },
      { shape: "plane", point: [0, -1, 0], normal: [0, 1, 0], material: "a" },
      { shape: "box", center: [3, 0, 0], size: [1, 1, 1], material: "b" },
    ],
  });
  const valid = tileInputs(sceneBytes, TINY)[0]?.bytes ?? new Uint8Array(0);

  function withWord(offset: number, value: number): Uint8Array {
    const bytes = valid.slice();
    new DataView(bytes.buffer).setUint32(offset, value, true);
    return bytes;
  }

  it("is told apart from input that is", () => {
    expect(render(valid)).toHaveLength(3);
  });

  it.each([
    ["nothing", new Uint8Array(0)],
    ["a header alone", valid.slice(0, HEADER_BYTES)],
    ["one byte too few", valid.slice(0, -1)],
    ["one byte too many", Uint8Array.of(...valid, 0)],
    ["another magic", withWord(0, 0)],
    ["another version", withWord(4, 2)],
    ["no width", withWord(8, 0)],
    ["a tile right of the picture", withWord(16, 1)],
    ["a tile that wraps around", withWord(24, 0xffffffff)],
    ["a tile without rows", withWord(28, 0)],
    ["no samples", withWord(32, 0)],
    ["too many samples", withWord(32, 65_537)],
    ["too many bounces", withWord(36, 65)],
    ["more materials than there are", withWord(HEADER_BYTES, 3)],
    ["counts that wrap around", withWord(HEADER_BYTES + 4, 0xffffffff)],
    ["a camera at infinity", withWord(HEADER_BYTES + 24, 0x7f800000)],
    ["a camera that is not a number", withWord(HEADER_BYTES + 24, 0x7fc00000)],
    ["a material of no kind", withWord(HEADER_BYTES + 152, 9)],
    ["a shape of no material", withWord(HEADER_BYTES + 152 + 128, 2)],
    ["a plane that shines", withWord(HEADER_BYTES + 152 + 128 + 20, 1)],
  ])("gives an empty output: %s", (_what, bytes) => {
    expect(render(bytes)).toHaveLength(0);
  });

  it("gives pixels, nothing, or a trap, whatever bytes of the scene are changed", () => {
    const changes = fc.array(fc.tuple(fc.nat(sceneBytes.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(changes, (changed) => {
        const bytes = valid.slice();
        for (const [offset, value] of changed) bytes[HEADER_BYTES + offset] = value;
        try {
          expect([0, 3]).toContain(render(bytes).length);
        } catch (error) {
          expect(error).toBeInstanceOf(WebAssembly.RuntimeError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
