import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type Command, Option } from "commander";
import type { Quality } from "../../../examples/raytrace/scene.ts";
import { addJobFlags, type JobFlags, limitsOf } from "../job-flags.ts";
import { pictureLines, terminalLook } from "../picture/picture-display.ts";
import { loadPictureJob, type PictureJob, QUALITIES } from "../picture/picture-job.ts";
import { type Exit, PlainError } from "../plain-error.ts";
import { parseSize, type Size } from "../quantities.ts";
import { carry } from "../requester.ts";
import { exitOf, failureLine, summaryJson, summaryText } from "../summary.ts";
import { writeAll } from "../write-all.ts";
import { sha256Hex } from "./map-inputs.ts";

interface RenderFlags extends JobFlags {
  readonly out: string;
  readonly quality: Quality;
  readonly size: Size;
  readonly live?: boolean;
}

/** With --live the file is written again after that time at the earliest. */
const LIVE_MS = 500;

/** Writes the picture as it is, again and again while tiles arrive, never twice at once. */
class LivePicture {
  readonly #job: PictureJob;
  readonly #path: string;
  #writing: Promise<void> | undefined;
  #writtenMs = Number.NEGATIVE_INFINITY;

  constructor(job: PictureJob, path: string) {
    this.#job = job;
    this.#path = path;
  }

  changed(): void {
    if (this.#writing !== undefined || performance.now() - this.#writtenMs < LIVE_MS) return;
    this.#writtenMs = performance.now();
    // A picture that cannot be written now is told of at the end, when it has to be.
    this.#writing = this.#write()
      .catch(() => undefined)
      .finally(() => {
        this.#writing = undefined;
      });
  }

  async #write(): Promise<void> {
    await writeFile(this.#path, await this.#job.png());
  }

  async ended(): Promise<void> {
    await this.#writing;
  }
}

async function renderScene(scene: string, flags: RenderFlags): Promise<Exit> {
  const job = await loadPictureJob(scene, flags);
  await mkdir(dirname(flags.out), { recursive: true });
  const live = flags.live === true ? new LivePicture(job, flags.out) : undefined;
  const look = process.stderr.isTTY ? terminalLook(process.stderr) : undefined;
  const { summary, testMoney } = await carry(flags, {
    module: job.module,
    inputs: job.inputs,
    count: job.tiles.length,
    options: limitsOf(flags),
    onResult(result, display) {
      if (result.kind === "failed") {
        display.note(failureLine(`tile ${result.index}`, result));
        return;
      }
      job.place(result.index, result.output);
      live?.changed();
    },
    ...(look === undefined ? {} : { above: (columns) => pictureLines(job.pixels, columns, look) }),
  });
  await live?.ended();
  const exit = exitOf(summary);
  if (summary.done === 0 && !summary.cancelled)
    throw new PlainError({ what: "No tile was rendered.", advice: "The lines above say why." });
  const png = await job.png();
  await writeFile(flags.out, png);
  if (flags.json === true) {
    const told = { ok: exit === 0, out: flags.out, sha256: sha256Hex(png), ...summaryJson(summary) };
    await writeAll(process.stdout, `${JSON.stringify(told)}\n`);
  } else if (flags.quiet !== true) {
    process.stderr.write(`${summaryText(summary, testMoney)} The picture is ${flags.out}.\n`);
  }
  return exit;
}

export function addRenderCommand(program: Command, end: (exit: Exit) => void): void {
  const command = program
    .command("render")
    .description("render a scene file to a picture, tile by tile")
    .argument("<scene>", "scene file (JSON), such as examples/raytrace/scenes/studio.json")
    .requiredOption("-o, --out <file>", "picture to write, PNG")
    .addOption(
      new Option("--quality <quality>", "paths per pixel").choices([...QUALITIES]).default("standard"),
    )
    .addOption(
      new Option("--size <pixels>", "width and height")
        .argParser(parseSize)
        .default({ width: 640, height: 360 }, "640x360"),
    )
    .option("--live", "rewrite the file while tiles arrive")
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh render examples/raytrace/scenes/studio.json -o studio.png --quality draft\n\n" +
        "Providers can read inputs: they see the scene.",
    )
    .action(async (scene: string, flags: RenderFlags) => end(await renderScene(scene, flags)));
  addJobFlags(command);
}
