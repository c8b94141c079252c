import { createHash } from "node:crypto";
import { loadPictureJob, STUDIO_SCENE } from "../../src/cli/picture/picture-job.ts";
import type { JobOptions, JobProgress, JobSummary, MapResult, Tabmesh } from "../../src/sdk/index.ts";

export interface PictureRun {
  /** SHA-256 of all pixels, hex. */
  readonly hash: string;
  /** Tiles that came once each, as results. */
  readonly results: readonly MapResult[];
  readonly summary: JobSummary;
  readonly elapsedMs: number;
}

export interface PictureRunOptions {
  readonly width: number;
  readonly height: number;
  readonly quality: "draft" | "standard";
  readonly job: JobOptions;
  /** Told how many tiles are there, and the last one. */
  readonly onTile?: (count: number, total: number, result: MapResult) => void;
  readonly onProgress?: (progress: JobProgress) => void;
}

/** Renders the studio by a job, with whoever is there. @throws Error where a tile has failed */
export async function renderPicture(client: Tabmesh, options: PictureRunOptions): Promise<PictureRun> {
  const { width, height, quality, onTile, onProgress } = options;
  const picture = await loadPictureJob(STUDIO_SCENE, { size: { width, height }, quality });
  const begun = performance.now();
  const handle = await client.map(picture.module, picture.inputs, {
    ...options.job,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const results: MapResult[] = [];
  for await (const result of handle) {
    if (result.kind === "failed") throw new Error(`tile ${result.index}: ${result.detail}`);
    picture.place(result.index, result.output);
    results.push(result);
    onTile?.(results.length, picture.tiles.length, result);
  }
  const elapsedMs = performance.now() - begun;
  const hash = createHash("sha256").update(picture.pixels.rgb).digest("hex");
  return { hash, results, summary: await handle.summary, elapsedMs };
}

/** How many tiles did not come exactly once. */
export function lostTiles({ results }: Pick<PictureRun, "results">, total: number): number {
  const seen = new Set(results.map(({ index }) => index));
  return total - seen.size + (results.length - seen.size);
}
