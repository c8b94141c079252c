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

describe("the committed tracer", () => {
  it("is what its SHA-256 says", () => {
    expect(sha256(wasm)).toBe(recordedSha256);
  });

  it("is what the compiler makes of its source", async () => {
    const rebuilt = await compileAssemblyScript(new URL("tracer/raytrace.as.ts", import.meta.url));
    expect(sha256(rebuilt)).toBe(recordedSha256);
  });

  it("imports nothing, and exports what the ABI asks for and no more", async () => {
    const module = await WebAssembly.compile(wasm);
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    expect(WebAssembly.Module.exports(module).map(({ name }) => name).toSorted()).toEqual([
      "memory",
      "tabmesh_alloc",
      "tabmesh_run",
    ]);
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
        "marbles": "66af0cdf305147eb06f061b118526d05f136b7f6bed25fa88d52b86ef104eb6c",
        "studio": "e1d418e280530c320494b240fb4daf5c7f245db7920112cde65b9d131fcf49a2",
      }
    `);
  });

  it("shows a lit wall as bright as theory says", () => {
    // A white furnace: a grey ball under an even sky of radiance 1 reflects exactly its albedo everywhere.
    const furnace = (albedo: number): number => {
      const scene = encodeScene({
        camera: { from: [0, 0, 5], at: [0, 0, 0], fov: 10 },
        sky: { horizon: [1, 1, 1] },
        materials: { grey: { type: "diffuse", color: [albedo, albedo, albedo] } },
        objects: [{ shape: "sphere", center: [0, 0, 0], radius: 1, material: "grey" }],
      });
      return renderPicture(scene, TINY)[0] ?? 0;
    };
    const sky = (radiance: number): number => {
      const scene = encodeScene({
        camera: { from: [0, 0, 5], at: [0, 0, 0] },
        sky: { horizon: [radiance, radiance, radiance] },
        materials: {},
        objects: [],
      });
      return renderPicture(scene, TINY)[0] ?? 0;
    };
    for (const albedo of [0.1, 0.5, 0.9]) expect(furnace(albedo)).toBe(sky(albedo));
  });

  it("keeps the energy of a light, sampled or hit", () => {
    // A ball inside a large even light sees radiance 1 from everywhere: both strategies together must add up to it.
    const shell = (radiance: number, samples: number): number => {
      const scene = encodeScene({
        camera: { from: [0, 0, 5], at: [0, 0, 0], fov: 4 },
        materials: {
          grey: { type: "diffuse", color: [0.5, 0.5, 0.5] },
          lamp: { type: "light", strength: radiance },
        },
        objects: [
          { shape: "sphere", center: [0, 0, 0], radius: 1, material: "grey" },
          { shape: "box", center: [0, 0, 0], size: [20, 20, 20], material: "lamp" },
        ],
      });
      return renderPicture(scene, { ...TINY, width: 4, height: 4, samples })[0] ?? 0;
    };
    const target = renderPicture(
      encodeScene({
        camera: { from: [0, 0, 5], at: [0, 0, 0] },
        sky: { horizon: [0.5, 0.5, 0.5] },
        materials: {},
        objects: [],
      }),
      TINY,
    )[0];
    expect(Math.abs(shell(1, 4096) - (target ?? 0))).toBeLessThanOrEqual(2);
  });
});

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
    const changes = fc.array(fc.tuple(fc.nat(sceneBytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
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
