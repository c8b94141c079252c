import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { bytesOf } from "../state/jobs-kept.ts";
import { spread } from "../state/jobs-output.ts";
import type { TiledPicture } from "../state/jobs-picture.ts";
import type { JobWork } from "../state/jobs-work.ts";
import { saveImage } from "../state/save-file.ts";
import { countText } from "../words/quantities.ts";

/** The picture as it comes, tile by tile. */
export function JobPicture({ work }: { readonly work: JobWork }): JSX.Element | null {
  const { picture } = work.order;
  return picture === undefined ? null : <Canvas work={work} picture={picture} />;
}

function Canvas({ work, picture }: { readonly work: JobWork; readonly picture: TiledPicture }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef(new Set<number>());
  const changes = work.changes.value;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context !== null && context !== undefined) void drawNew(context, work, drawn.current);
  }, [work, changes]);
  const tiles = drawn.current.size;
  const isWhole = work.phase.value.kind === "ended" && work.records.size === work.order.inputs.length;
  return (
    <figure class="job-figure">
      <canvas
        ref={canvas}
        class="job-canvas"
        width={picture.width}
        height={picture.height}
        role="img"
        aria-label={`The picture so far: ${countText(Math.max(tiles, work.records.size))} of ${countText(work.order.inputs.length)} tiles`}
      />
      {isWhole && (
        <button
          class="button button-quiet"
          type="button"
          onClick={() => void picture.png().then((png) => saveImage("picture.png", png))}
        >
          Save the picture
        </button>
      )}
    </figure>
  );
}

/** Draws the tiles that have come since. */
async function drawNew(
  context: CanvasRenderingContext2D,
  { records, order }: JobWork,
  drawn: Set<number>,
): Promise<void> {
  const fresh = [...records.values()].filter(({ index }) => !drawn.has(index));
  for (const { index } of fresh) drawn.add(index);
  await Promise.all(
    fresh.map(async ({ index, end }) => {
      const tile = order.picture?.tile(index);
      if (tile === undefined || end.kind === "failed") return;
      const { x, y, w, h } = tile;
      const rgb = await bytesOf(end.output);
      if (rgb.length === w * h * 3) context.putImageData(new ImageData(spread(rgb, w * h, 3), w, h), x, y);
    }),
  );
}
