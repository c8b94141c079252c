import { encodePng } from "../../../examples/raytrace/png.ts";
import {
  encodeScene,
  placeTile,
  QUALITY,
  type Quality,
  type Tile,
  type TileInput,
  tileInputs,
} from "../../../examples/raytrace/scene.ts";
// oxlint-disable-next-line import/default -- made by the bundler, see bundled.d.ts
import cornell from "../../../examples/raytrace/scenes/cornell.json?url";
// oxlint-disable-next-line import/default
import marbles from "../../../examples/raytrace/scenes/marbles.json?url";
// oxlint-disable-next-line import/default
import studio from "../../../examples/raytrace/scenes/studio.json?url";
import type { JobInput } from "./jobs-inputs.ts";
import { loadAsset } from "./jobs-asset.ts";

/** Scenes that come with the path tracer. */
export type SceneName = "studio" | "marbles" | "cornell";

const SCENE_URLS: Readonly<Record<SceneName, string>> = { studio, marbles, cornell };

export const SCENES: readonly { readonly name: SceneName; readonly title: string }[] = [
  { name: "studio", title: "Studio" },
  { name: "marbles", title: "Marbles" },
  { name: "cornell", title: "Cornell box" },
];

export const PICTURE_WIDTHS: readonly number[] = [320, 640, 1280];

/** What is to be rendered. */
export interface PictureChoice {
  readonly scene: SceneName;
  /** Pixels; the picture is 16 by 9. */
  readonly width: number;
  readonly quality: Quality;
}

export const FIRST_PICTURE: PictureChoice = { scene: "studio", width: 640, quality: "draft" };

/** Tiles of about that many pixels each way, as the command line has them: the same picture is the same tasks. */
const TILE_SIDE = 40;

/** A picture as a job: an input for each tile, and the pixels that have come so far. */
export class TiledPicture {
  readonly width: number;
  readonly height: number;
  readonly inputs: readonly JobInput[];
  readonly #tiles: readonly TileInput[];
  readonly #rgb: Uint8Array;

  constructor(tiles: readonly TileInput[], width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#tiles = tiles;
    this.#rgb = new Uint8Array(width * height * 3);
    this.inputs = tiles.map(({ bytes }, index) => ({
      name: `tile ${index + 1}`,
      size: bytes.length,
      read: () => Promise.resolve(bytes),
    }));
  }

  tile(index: number): Tile | undefined {
    return this.#tiles[index];
  }

  /** Puts a tile in its place. @returns whether the output is one of that size. */
  place(index: number, output: Uint8Array): boolean {
    const tile = this.#tiles[index];
    if (tile === undefined || output.length !== tile.w * tile.h * 3) return false;
    placeTile(this.#rgb, this.width, tile, output);
    return true;
  }

  /** The picture so far; its pixels are those of the command line. */
  async png(): Promise<Blob> {
    const bytes = await encodePng(this.#rgb, this.width, this.height);
    return new Blob([new Uint8Array(bytes)], { type: "image/png" });
  }

  /** The same picture with nothing in it. */
  blank(): TiledPicture {
    return new TiledPicture(this.#tiles, this.width, this.height);
  }
}

/** @throws TypeError when the scene cannot be loaded. */
export async function planPicture({ scene, width, quality }: PictureChoice): Promise<TiledPicture> {
  const json: unknown = JSON.parse(new TextDecoder().decode(await loadAsset(SCENE_URLS[scene])));
  const height = Math.round((width * 9) / 16);
  const tiles = tileInputs(encodeScene(json), {
    width,
    height,
    tilesX: Math.max(1, Math.round(width / TILE_SIDE)),
    tilesY: Math.max(1, Math.round(height / TILE_SIDE)),
    samples: QUALITY[quality],
  });
  return new TiledPicture(tiles, width, height);
}
