import { readFile } from "node:fs/promises";
import { encodePng } from "../../../examples/raytrace/png.ts";
import {
  encodeScene,
  type Picture,
  placeTile,
  QUALITY,
  type Quality,
  SceneError,
  type TileInput,
  tileInputs,
} from "../../../examples/raytrace/scene.ts";
import { EXIT, PlainError } from "../plain-error.ts";
import type { Size } from "../quantities.ts";
import type { Pixels } from "./preview.ts";

/** Tiles of about that many pixels each way: a task of some hundredths of a second, and a picture that grows evenly. */
const TILE_SIDE = 40;

const RAYTRACE: URL = new URL("../../../examples/raytrace/", import.meta.url);
/** The scene that ships with the tracer. */
export const STUDIO_SCENE: URL = new URL("scenes/studio.json", RAYTRACE);

export const QUALITIES: readonly Quality[] = ["draft", "standard", "fine"];

export interface PictureOptions {
  readonly size: Size;
  readonly quality: Quality;
}

/** One picture as a job: its function, an input for each tile, and the pixels that have come so far. */
export class PictureJob {
  readonly module: Uint8Array;
  readonly tiles: readonly TileInput[];
  readonly pixels: Pixels;
  readonly #rgb: Uint8Array;

  constructor(module: Uint8Array, tiles: readonly TileInput[], { width, height }: Size) {
    this.module = module;
    this.tiles = tiles;
    this.#rgb = new Uint8Array(width * height * 3);
    this.pixels = { width, height, rgb: this.#rgb };
  }

  get inputs(): readonly Uint8Array[] {
    return this.tiles.map(({ bytes }) => bytes);
  }

  /** @throws RangeError when the output is not a tile of that size. */
  place(index: number, output: Uint8Array): void {
    const tile = this.tiles[index];
    if (tile === undefined) throw new RangeError(`there is no tile ${index}`);
    placeTile(this.#rgb, this.pixels.width, tile, output);
  }

  png(): Promise<Uint8Array> {
    return encodePng(this.#rgb, this.pixels.width, this.pixels.height);
  }
}

function picture({ size, quality }: PictureOptions): Picture {
  return {
    ...size,
    tilesX: Math.max(1, Math.round(size.width / TILE_SIDE)),
    tilesY: Math.max(1, Math.round(size.height / TILE_SIDE)),
    samples: QUALITY[quality],
  };
}

/** Reads a scene file into a job. @throws PlainError when the scene is wrong, naming the place. */
export async function loadPictureJob(scene: string | URL, options: PictureOptions): Promise<PictureJob> {
  const text = await readFile(scene, "utf8");
  try {
    const tiles = tileInputs(encodeScene(JSON.parse(text)), picture(options));
    return new PictureJob(await readFile(new URL("raytrace.wasm", RAYTRACE)), tiles, options.size);
  } catch (error) {
    if (!(error instanceof SceneError || error instanceof RangeError || error instanceof SyntaxError))
      throw error;
    throw new PlainError({
      what: `${String(scene)} cannot be rendered.`,
      why: error.message,
      advice:
        "examples/raytrace/scenes has scenes that work; examples/raytrace/README.md says what one holds.",
      exit: EXIT.usage,
      cause: error,
    });
  }
}
