/**
 * Renders a scene on this machine alone, tile by tile, without metering: the picture to compare a mesh's with.
 * `node examples/raytrace/render.ts [SCENE.json] [-o OUT.png] [--quality draft|standard|fine] [--samples N]`
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { loadBytesFunction } from "../run-bytes.ts";
import { encodePng } from "./png.ts";
import { assemble, DEFAULT_PICTURE, encodeScene, QUALITY, tileInputs } from "./scene.ts";
import { readChoice } from "./scene-json.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", short: "o", default: "out.png" },
    quality: { type: "string", default: "standard" },
    samples: { type: "string" },
    width: { type: "string", default: String(DEFAULT_PICTURE.width) },
    height: { type: "string", default: String(DEFAULT_PICTURE.height) },
  },
});

const sceneFile = positionals[0] ?? new URL("scenes/studio.json", import.meta.url);
const quality = readChoice(values.quality, "--quality", ["draft", "standard", "fine"]);
const picture = {
  ...DEFAULT_PICTURE,
  width: Number(values.width),
  height: Number(values.height),
  samples: values.samples === undefined ? QUALITY[quality] : Number(values.samples),
};

const scene = encodeScene(JSON.parse(await readFile(sceneFile, "utf8")));
const wasm = await readFile(new URL("raytrace.wasm", import.meta.url));
const render = await loadBytesFunction(Uint8Array.from(wasm));
const tiles = tileInputs(scene, picture);
const started = performance.now();
const outputs = tiles.map(({ bytes }) => render(bytes));
const seconds = (performance.now() - started) / 1000;
const image = assemble(picture, tiles, outputs);
await writeFile(values.out, await encodePng(image, picture.width, picture.height));
process.stdout.write(
  `${values.out}: ${tiles.length} tiles, ${picture.samples} samples per pixel, ${seconds.toFixed(1)} s\n`,
);
