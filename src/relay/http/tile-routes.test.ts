import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { parseCheckpoint } from "../../protocol/checkpoint.ts";
import { leafHash, MerkleTree, verifyInclusion } from "../../protocol/merkle.ts";
import { keyFromPeerId } from "../../protocol/peer-id.ts";
import { bundlesOf, decodeBundle, decodeTile, tilePath } from "../../protocol/tiles.ts";
import { microCredits } from "../../protocol/units.ts";
import { ORIGIN } from "../books/books-scene.contract.ts";
import { openRelayScene, refusalOf, type RelayScene } from "../relay-scene.contract.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map(async (close) => close()));
});

/** A relay whose log has `size` entries. */
async function openLog(size: number, addressBurst = 1_000): Promise<RelayScene> {
  const relay = await openRelayScene({ addressBurst });
  closing.push(() => relay.close());
  const { books, requester } = relay.scene;
  const missing = size - books.size();
  await Promise.all(
    Array.from({ length: missing }, (_, i) => books.grant(requester.key, microCredits(1), `grant ${i}`)),
  );
  return relay;
}

async function bytesOf(relay: RelayScene, path: string): Promise<Uint8Array> {
  const response = await relay.http.request(path);
  expect(response.status, path).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

describe("the log as tiles", () => {
  test("is read from the checkpoint and the bundles alone, and proves itself", async () => {
    const relay = await openLog(600);
    const note = new TextDecoder().decode(await bytesOf(relay, "/checkpoint"));
    const head = parseCheckpoint(note, ORIGIN, keyFromPeerId(relay.scene.books.keys().log));
    expect(head.size).toBe(600);
    const tree = new MerkleTree();
    for (const place of bundlesOf(head.size))
      for (const entry of decodeBundle(await bytesOf(relay, tilePath(place)), place.width))
        tree.append(leafHash(entry));
    expect(tree.root()).toEqual(head.root);
    const tiles = new Map<string, readonly Uint8Array[]>();
    for (const [level, index, width] of [
      [0, 0, 256],
      [0, 1, 256],
      [0, 2, 88],
      [1, 0, 2],
    ] as const)
      tiles.set(
        `${level} ${index}`,
        decodeTile(await bytesOf(relay, tilePath({ level, index, width })), width),
      );
    expect(tiles.get("0 1")?.[3]).toEqual(tree.node(0, 259));
    expect(tiles.get("0 2")?.[87]).toEqual(tree.node(0, 599));
    expect(tiles.get("1 0")).toEqual([tree.node(8, 0), tree.node(8, 1)]);
    expect(verifyInclusion(tree.node(0, 599), 599, 600, tree.inclusionProof(599), head.root)).toBe(true);
  });

  test("keeps serving the partial tiles of every earlier size", async () => {
    const relay = await openLog(300);
    const { books } = relay.scene;
    const whole = await bytesOf(relay, "/tile/0/000");
    expect(await bytesOf(relay, "/tile/0/000.p/7")).toEqual(whole.subarray(0, 7 * 32));
    expect(decodeBundle(await bytesOf(relay, "/tile/entries/000.p/7"), 7)).toEqual(books.kept.entries(0, 7));
  });

  test("may be kept for ever, but for its head, and read from any page", async () => {
    const { http } = await openLog(3);
    const tile = await http.request("/tile/0/000.p/3");
    expect(tile.headers.get("content-type")).toBe("application/octet-stream");
    expect(tile.headers.get("cache-control")).toMatch(/immutable/u);
    expect(tile.headers.get("access-control-allow-origin")).toBe("*");
    expect(tile.headers.get("content-security-policy")).toMatch(/sandbox/u);
    const head = await http.request("/checkpoint");
    expect(head.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(head.headers.get("cache-control")).toBe("no-store");
  });

  test("compresses bundles for whoever asks for it", async () => {
    const relay = await openLog(40);
    const packed = await relay.http.request("/tile/entries/000.p/40", {
      headers: { "Accept-Encoding": "gzip, br" },
    });
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    expect(packed.headers.get("vary")).toBe("Accept-Encoding");
    const plain = await bytesOf(relay, "/tile/entries/000.p/40");
    expect(new Uint8Array(gunzipSync(Buffer.from(await packed.arrayBuffer())))).toEqual(plain);
  });

  test.each([
    ["a tile that is not full yet", "/tile/0/000"],
    ["more hashes than there are", "/tile/0/000.p/41"],
    ["a level that has no hash yet", "/tile/1/000.p/1"],
    ["a bundle beyond the end", "/tile/entries/001.p/1"],
    ["another spelling of a number", "/tile/0/0"],
    ["nothing that is a tile", "/tile/data/000"],
  ])("has not: %s", async (_, path) => {
    const relay = await openLog(40);
    const response = await relay.http.request(path);
    expect(response.status).toBe(404);
    expect(response.headers.get("cache-control") ?? "").not.toMatch(/immutable/u);
    expect(await refusalOf(response)).toMatch(/not-found/u);
  });

  test("counts against the limit of an address", async () => {
    const relay = await openLog(3, 2);
    await bytesOf(relay, "/checkpoint");
    await bytesOf(relay, "/tile/0/000.p/3");
    expect((await relay.http.request("/tile/0/000.p/3")).status).toBe(429);
  });
});
