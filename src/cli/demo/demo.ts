import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Quality } from "../../../examples/raytrace/scene.ts";
import type { UndoStack } from "../../relay/undo-stack.ts";
import { connect, type JobSummary, type Tabmesh } from "../../sdk/index.ts";
import { sha256Hex } from "../commands/map-inputs.ts";
import { pictureLines, terminalLook } from "../picture/picture-display.ts";
import { loadPictureJob, type PictureJob, STUDIO_SCENE } from "../picture/picture-job.ts";
import { PlainError } from "../plain-error.ts";
import { JobDisplay } from "../progress/job-display.ts";
import { countText } from "../quantities.ts";
import { failureLine } from "../summary.ts";
import type { Narrator } from "./narrator.ts";
import { showEvidence } from "./show-evidence.ts";
import { blockedTrouble, type DemoOptions, NO_PROVIDER_MS, openTab, startParts } from "./stage.ts";

const SIZE = { width: 640, height: 360 } as const;
export interface PictureDemoOptions extends DemoOptions {
  readonly quality: Quality;
  readonly out: string;
}

/** What the last line of --json says. */
export interface DemoResult {
  readonly ok: true;
  readonly job: string;
  readonly tasks: number;
  readonly outputSha256: string;
  readonly receiptVerified: true;
  readonly inclusionVerified: true;
  readonly earnedMicroCredits: number;
  readonly transport: "webrtc";
}

export interface DemoEnd {
  readonly result: DemoResult;
  /** Where the page is while everything stays up. */
  readonly url: string;
}

/** The whole journey, with real parts. What it starts is in `undo`. @throws when any part of it does not hold. */
export async function demonstrate(
  options: PictureDemoOptions,
  narrator: Narrator,
  undo: UndoStack,
): Promise<DemoEnd> {
  const { signal } = options;
  const relay = await startParts(narrator, undo);
  signal.throwIfAborted();
  const tab = await openTab(options, relay, narrator, undo);
  signal.throwIfAborted();
  const picture = await loadPictureJob(STUDIO_SCENE, { size: SIZE, quality: options.quality });
  const tabmesh = await connect({ relay: relay.url });
  undo.push(() => tabmesh.close());
  const summary = await narrator.step(
    "job",
    () => render(tabmesh, picture, options),
    ({ job, done }) => `${job}: ${countText(done, "tile")} rendered by the tab`,
  );
  const png = await picture.png();
  await mkdir(join(options.out, ".."), { recursive: true });
  await writeFile(options.out, png);
  const outputSha256 = sha256Hex(png);
  narrator.lines([`${options.out}  ${SIZE.width}×${SIZE.height}`, `sha256 ${outputSha256}`]);
  const earned = await showEvidence(summary, { relay, tab, testMoney: tabmesh.relay.testMoney }, narrator);
  return {
    result: {
      ok: true,
      job: summary.job,
      tasks: summary.tasks,
      outputSha256,
      receiptVerified: true,
      inclusionVerified: true,
      earnedMicroCredits: Number(earned),
      transport: "webrtc",
    },
    url: relay.url,
  };
}

async function render(
  tabmesh: Tabmesh,
  picture: PictureJob,
  options: PictureDemoOptions,
): Promise<JobSummary> {
  const { screen, signal } = options;
  const look = screen.isTTY ? terminalLook(screen) : undefined;
  if (look !== undefined) screen.write("\n");
  const display = new JobDisplay({
    screen,
    testMoney: tabmesh.relay.testMoney,
    total: picture.tiles.length,
    ...(look === undefined ? {} : { above: (columns) => pictureLines(picture.pixels, columns, look) }),
    nowMs: () => performance.now(),
  });
  const handle = await tabmesh.map(picture.module, picture.inputs, {
    signal,
    parallel: 1,
    noProviderTimeoutMs: NO_PROVIDER_MS,
    onProgress: (progress) => display.update(progress),
  });
  try {
    for await (const result of handle) {
      if (result.kind === "done") picture.place(result.index, result.output);
      else display.note(failureLine(`tile ${result.index}`, result));
    }
    const summary = await handle.summary;
    if (summary.done < picture.tiles.length)
      throw new PlainError({ what: `Only ${summary.done} of ${picture.tiles.length} tiles were rendered.` });
    return summary;
  } catch (error) {
    throw blockedTrouble(error, options);
  } finally {
    display.end();
  }
}
