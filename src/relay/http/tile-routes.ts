import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { FailureError } from "../../protocol/failure.ts";
import {
  CHECKPOINT_PATH,
  encodeBundle,
  parseTilePath,
  TILE_WIDTH,
  treeLevel,
  tileWidth,
} from "../../protocol/tiles.ts";
import type { TilePlace } from "../../protocol/tiles.ts";
import type { Books } from "../books.ts";
import { addressGroup } from "../client-address.ts";
import type { RelayContext, RelayHttp } from "./http-env.ts";
import type { HttpParts } from "./http-parts.ts";
import { BLOB_POLICY } from "./security-headers.ts";

/** The log as C2SP tlog-tiles, below the relay's own origin, for any tool that reads such logs. `place` has slashes in it. */
export const TILE_PATHS: { readonly checkpoint: "/checkpoint"; readonly tile: "/tile/:place" } = {
  checkpoint: CHECKPOINT_PATH,
  tile: "/tile/:place",
};

const FOREVER = "public, max-age=31536000, immutable";

/** Entries come from strangers, and pages of any origin may read the log. */
const OPEN = {
  "Access-Control-Allow-Origin": "*",
  "Cross-Origin-Resource-Policy": "cross-origin",
  "Content-Security-Policy": BLOB_POLICY,
};

const compress: (content: Uint8Array) => Promise<Uint8Array> = promisify(gzip);

/** Bytes of a tile or bundle. @throws FailureError `not-found` where the log has not that many hashes or entries there. */
function contentOf(books: Books, place: TilePlace): Uint8Array<ArrayBuffer> {
  const { level, index, width } = place;
  if (width > tileWidth(place, books.size()))
    throw new FailureError("not-found", "the log does not reach as far as this tile yet");
  const first = index * TILE_WIDTH;
  return level === "entries"
    ? encodeBundle(books.kept.entries(first, width))
    : books.hashes(treeLevel(level), first, width);
}

async function answer(
  c: RelayContext,
  content: Uint8Array<ArrayBuffer>,
  isEntries: boolean,
): Promise<Response> {
  const headers = {
    ...OPEN,
    "Content-Type": "application/octet-stream",
    "Cache-Control": FOREVER,
    ...(isEntries ? { Vary: "Accept-Encoding" } : {}),
  };
  if (!isEntries || !/\bgzip\b/u.test(c.req.header("accept-encoding") ?? ""))
    return c.body(content, 200, headers);
  return c.body(new Uint8Array(await compress(content)), 200, { ...headers, "Content-Encoding": "gzip" });
}

export function addTileRoutes(http: RelayHttp, { books, addressLimit }: HttpParts): void {
  http.get(TILE_PATHS.checkpoint, async (c) => {
    addressLimit.take(addressGroup(c.get("address")));
    return c.body(await books.checkpoint(), 200, {
      ...OPEN,
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "no-store",
    });
  });

  http.get(`${TILE_PATHS.tile}{.+}`, async (c) => {
    addressLimit.take(addressGroup(c.get("address")));
    const place = parseTilePath(c.req.path);
    if (place === undefined) throw new FailureError("not-found", "there is no such tile");
    return answer(c, contentOf(books, place), place.level === "entries");
  });
}
