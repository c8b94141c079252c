import { concatBytes } from "./bytes.ts";
import { MAX_ENTRY_BYTES } from "./limits.ts";
import { HASH_BYTES } from "./merkle.ts";
import { WireError } from "./wire-error.ts";

/** The log as static resources: C2SP tlog-tiles. A tile is a row of hashes, a bundle the entries under a tile of level 0. */

/** Levels of the tree that one tile stands for, and how wide a full one is. */
const TILE_HEIGHT = 8;
export const TILE_WIDTH: number = 2 ** TILE_HEIGHT;

/** Eight levels each: tile level 6 covers 2^56 entries, more than an index can count. */
const MAX_TILE_LEVEL = 6;

/** Path of the signed head below a log's prefix. */
export const CHECKPOINT_PATH = "/checkpoint";

/** One resource below a log's prefix: hashes of a tile level, or entries. */
export interface TilePlace {
  readonly level: number | "entries";
  /** Place within its level. */
  readonly index: number;
  /** Hashes or entries in it, 1 to TILE_WIDTH. */
  readonly width: number;
}

/** 1234067 as "x001/x234/067". */
function indexPath(index: number): string {
  const groups: string[] = [];
  for (let rest = index; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1000))
    groups.unshift(`${groups.length === 0 ? "" : "x"}${String(rest % 1000).padStart(3, "0")}`);
  return groups.join("/");
}

/** The path of a tile or bundle, as in "/tile/0/x001/234.p/12". */
export function tilePath({ level, index, width }: TilePlace): string {
  return `/tile/${level}/${indexPath(index)}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}

const TILE_PATH =
  /^\/tile\/(?<level>entries|\d{1,2})\/(?<index>(?:x\d{3}\/){0,5}\d{3})(?:\.p\/(?<width>[1-9]\d{0,2}))?$/u;

/** What a path names; `undefined` for any other path than the one that `tilePath` gives. */
export function parseTilePath(path: string): TilePlace | undefined {
  const groups = TILE_PATH.exec(path)?.groups;
  if (groups === undefined) return undefined;
  const level: TilePlace["level"] = groups["level"] === "entries" ? "entries" : Number(groups["level"]);
  const index = Number((groups["index"] ?? "").replaceAll(/[x/]/gu, ""));
  const width = Number(groups["width"] ?? TILE_WIDTH);
  const place: TilePlace = { level, index, width };
  const isPlace = Number.isSafeInteger(index) && (level === "entries" || level <= MAX_TILE_LEVEL);
  return isPlace && width <= TILE_WIDTH && tilePath(place) === path ? place : undefined;
}

/** Entries under one hash of a tile level. */
export function entriesBelow(level: TilePlace["level"]): number {
  return level === "entries" ? 1 : TILE_WIDTH ** level;
}

/** How many hashes or entries a tile place has in a log of `size` entries; 0 when it is beyond its end. */
export function tileWidth({ level, index }: Pick<TilePlace, "level" | "index">, size: number): number {
  const there = Math.floor(size / entriesBelow(level)) - index * TILE_WIDTH;
  return Math.min(TILE_WIDTH, Math.max(0, there));
}

/** Level of the tree that a tile level's hashes are of. */
export function treeLevel(tileLevel: number): number {
  return tileLevel * TILE_HEIGHT;
}

/** All bundles of a log of `size` entries, in order. */
export function* bundlesOf(size: number): Generator<TilePlace> {
  for (let index = 0; index * TILE_WIDTH < size; index += 1)
    yield { level: "entries", index, width: Math.min(TILE_WIDTH, size - index * TILE_WIDTH) };
}

/** An entry bundle: each entry behind its length, 16 bits, most significant first. @throws RangeError above MAX_ENTRY_BYTES */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concatBytes(...entries.flatMap((entry) => [lengthOf(entry), entry]));
}

function lengthOf({ length }: Uint8Array): Uint8Array {
  if (length > MAX_ENTRY_BYTES) throw new RangeError(`an entry of ${length} bytes`);
  return Uint8Array.of(length >> 8, length & 0xff);
}

/** The entries of a bundle, as views of its bytes. @throws WireError unless it is exactly `width` whole entries */
export function decodeBundle(bundle: Uint8Array, width: number): readonly Uint8Array[] {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bundle.length && entries.length < width) {
    const length = (bundle[at] ?? 0) * 256 + (bundle[at + 1] ?? 0);
    const entry = bundle.subarray(at + 2, at + 2 + length);
    if (at + 2 > bundle.length || entry.length < length) throw new WireError("entry bundle: ends too early");
    entries.push(entry);
    at += 2 + length;
  }
  if (entries.length < width || at < bundle.length)
    throw new WireError(`entry bundle: has not exactly ${width} entries`);
  return entries;
}

/** The hashes of a tile, by which proofs are made. @throws WireError unless it is exactly `width` hashes wide */
export function decodeTile(tile: Uint8Array, width: number): readonly Uint8Array[] {
  if (tile.length !== width * HASH_BYTES) throw new WireError(`tile: has not exactly ${width} hashes`);
  return Array.from({ length: width }, (_, i) => tile.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}
