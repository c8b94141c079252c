import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { LogSource } from "../../relay/fsck/log-source.ts";
import type { ReadTile } from "../../relay/fsck/tile-source.ts";
import { PlainError } from "../plain-error.ts";

/** Longest answer that is read: a bundle of the largest entries. */
const MAX_TILE_BYTES: number = 256 * (64 * 1024 + 2);
/** A relay that is asked too often says how long to wait; it is asked again this many times. */
const PATIENCE = 60;
const ANSWER_TIMEOUT_MS = 60_000;

export function isUrl(text: string): boolean {
  return /^https?:\/\//u.test(text);
}

async function fetchTile(url: string, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
  for (let asked = 0; ; asked += 1) {
    const deadline = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    // oxlint-disable-next-line no-await-in-loop -- asked again when the relay says so
    const response = await fetch(url, {
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    if (response.status === 429 && asked < PATIENCE) {
      const seconds = Number(response.headers.get("retry-after") ?? 1);
      // oxlint-disable-next-line no-await-in-loop
      await wait(
        Math.min(60, Math.max(1, seconds)) * 1_000,
        undefined,
        signal === undefined ? {} : { signal },
      );
      continue;
    }
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`${url} answers ${response.status}`);
    if (Number(response.headers.get("content-length") ?? 0) > MAX_TILE_BYTES)
      throw new Error(`${url} is too large to be a part of a log`);
    // oxlint-disable-next-line no-await-in-loop
    return new Uint8Array(await response.arrayBuffer());
  }
}

function overHttp(base: string, signal: AbortSignal | undefined): ReadTile {
  const prefix = base.replace(/\/+$/u, "");
  return async (path) => fetchTile(`${prefix}${path}`, signal);
}

function inFolder(folder: string): ReadTile {
  return async (path) => {
    try {
      return new Uint8Array(await readFile(join(folder, path)));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  };
}

const SQLITE = "SQLite format 3\u0000";

async function isSqlite(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(SQLITE.length), 0, SQLITE.length, 0);
    return buffer.toString("latin1") === SQLITE;
  } finally {
    await file.close();
  }
}

async function openBooks(path: string): Promise<LogSource> {
  const { openBooksFile } = await import("../../relay/fsck/books-source.ts");
  try {
    return openBooksFile(path);
  } catch (error) {
    if (error instanceof Error && /locked/u.test(error.message))
      throw new PlainError({
        what: `A relay runs on ${path}.`,
        why: "It alone may read its books.",
        advice: "Check it with --relay and its URL, or check a copy that `npx tabmesh relay backup` makes.",
        cause: error,
      });
    throw error;
  }
}

/**
 * A log by where it is: a relay's URL, a relay's folder or database, or a folder of C2SP tiles.
 * @throws PlainError when there is no log.
 */
export async function openLog(place: string, signal?: AbortSignal): Promise<LogSource> {
  const { openTiles } = await import("../../relay/fsck/tile-source.ts");
  if (isUrl(place)) {
    try {
      return await openTiles(place, overHttp(place, signal));
    } catch (error) {
      if (error instanceof RangeError || signal?.aborted === true) throw error;
      throw new PlainError({
        what: `No log is to be read at ${place}.`,
        why: error instanceof Error ? error.message : String(error),
        advice: "Give the URL of a relay that runs, as in https://relay.example.",
        cause: error,
      });
    }
  }
  if (!(await stat(place)).isDirectory()) {
    if (await isSqlite(place)) return openBooks(place);
    throw new PlainError({
      what: `${place} is no log.`,
      advice:
        "Give a relay's folder, its books.sqlite, a folder with a checkpoint and tiles, or a URL. " +
        "Proofs and evidence are for `npx tabmesh verify`.",
    });
  }
  const { dataPaths } = await import("../../relay/data-dir.ts");
  const { books } = dataPaths(place);
  if ((await stat(books).catch(() => undefined)) !== undefined) return openBooks(books);
  if ((await stat(join(place, "checkpoint")).catch(() => undefined)) !== undefined)
    return openTiles(place, inFolder(place));
  throw new PlainError({
    what: `${place} holds no log.`,
    why: "There is neither a relay's books.sqlite in it nor a checkpoint with tiles.",
    advice: "Name a relay's folder with --data-dir, or its URL with --relay.",
  });
}
