import { originOf, readCheckpoint } from "../../protocol/checkpoint.ts";
import { decodeUtf8 } from "../../protocol/text.ts";
import {
  bundlesOf,
  CHECKPOINT_PATH,
  decodeBundle,
  type TilePlace,
  TILE_WIDTH,
  tilePath,
} from "../../protocol/tiles.ts";
import type { LogSource } from "./log-source.ts";

/** Bytes at a path of a tiled log; `undefined` where there are none. */
export type ReadTile = (path: string) => Promise<Uint8Array | undefined>;

/** Bundles that are fetched at a time. */
const AHEAD = 8;

async function bundle(read: ReadTile, place: TilePlace): Promise<readonly Uint8Array[]> {
  const bytes = await read(tilePath(place));
  if (bytes !== undefined) return decodeBundle(bytes, place.width);
  // A log may have replaced a partial bundle by the full one.
  const full = place.width < TILE_WIDTH ? await read(tilePath({ ...place, width: TILE_WIDTH })) : undefined;
  if (full === undefined) throw new RangeError(`${tilePath(place)} is missing`);
  return decodeBundle(full, TILE_WIDTH).slice(0, place.width);
}

/** A log served or kept as C2SP tlog-tiles. @throws RangeError when there is no checkpoint, FailureError when it is none. */
export async function openTiles(place: string, read: ReadTile): Promise<LogSource> {
  const bytes = await read(CHECKPOINT_PATH);
  if (bytes === undefined) throw new RangeError(`${place} has no checkpoint: it is not a log in tiles`);
  const note = decodeUtf8(bytes);
  const head = readCheckpoint(note, originOf(note));
  return {
    place,
    head,
    note,
    async *entries() {
      const pending: Promise<readonly Uint8Array[]>[] = [];
      for (const each of bundlesOf(head.size)) {
        const next = bundle(read, each);
        // Its failure is told when its turn comes.
        next.catch(() => undefined);
        pending.push(next);
        // oxlint-disable-next-line no-await-in-loop -- in order; the next ones are on their way
        if (pending.length > AHEAD) yield (await pending.shift()) ?? [];
      }
      // oxlint-disable-next-line no-await-in-loop
      for (const next of pending) yield await next;
    },
    close: () => undefined,
  };
}
