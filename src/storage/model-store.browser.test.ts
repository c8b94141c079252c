import { openDB } from "idb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cdp } from "vitest/browser";
import { MODEL_CHUNK_BYTES } from "../protocol/limits.ts";
import {
  chunkCid,
  chunkRange,
  encodeManifest,
  manifestCid,
  type ModelManifest,
} from "../protocol/model-manifest.ts";
import { type Cid, cidOf, RAW } from "../protocol/cid.ts";
import { type BrowserStore, openBrowserStore } from "./browser-store.ts";

const CHUNKS = 5;

interface Sample {
  readonly cid: Cid;
  readonly manifest: ModelManifest;
  readonly bytes: Uint8Array<ArrayBuffer>;
  chunk(index: number): Uint8Array;
}

/** A file of four chunks and 1,000 bytes, unlike that of any other seed. */
async function sample(seed: number): Promise<Sample> {
  const bytes = new Uint8Array((CHUNKS - 1) * MODEL_CHUNK_BYTES + 1_000);
  for (let at = 0; at < bytes.length; at += 97) bytes[at] = seed + at / 97;
  const manifest = {
    v: 1,
    entry: "embed",
    name: `sample ${seed}`,
    licence: "CC0-1.0",
    size: bytes.length,
    memory: bytes.length,
    context: 8,
    dimensions: 4,
  } as const;
  const chunks = new Uint8Array(CHUNKS * 32);
  for (let i = 0; i < CHUNKS; i += 1) {
    const { from, to } = chunkRange(manifest, i);
    chunks.set(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.subarray(from, to))), i * 32);
  }
  const whole: ModelManifest = { ...manifest, chunks };
  return {
    cid: manifestCid(whole),
    manifest: whole,
    bytes,
    chunk(index) {
      const { from, to } = chunkRange(whole, index);
      return bytes.subarray(from, to);
    },
  };
}

/** A file of the origin's private file system, behind the store's back. */
async function overwrite(
  name: string,
  cid: Cid,
  index: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const root = await navigator.storage.getDirectory();
  const folder = await (await root.getDirectoryHandle(`${name}-models`)).getDirectoryHandle(cid);
  const writable = await (await folder.getFileHandle(String(index))).createWritable();
  await writable.write(bytes);
  await writable.close();
}

describe("the store of models", () => {
  let name = "";
  let store: BrowserStore;
  let one: Sample;

  beforeEach(async () => {
    name = `store-${crypto.randomUUID()}`;
    store = await openBrowserStore(name);
    one = await sample(1);
  });
  afterEach(() => store.close());

  async function keep(model: Sample, ...indices: readonly number[]): Promise<void> {
    const draft = await store.models.open(model.cid, model.manifest);
    await Promise.all(indices.map((index) => draft.write(index, model.chunk(index))));
  }

  async function reopen(): Promise<void> {
    store.close();
    store = await openBrowserStore(name);
  }

  test("gives back the file whose chunks were written, in any order", async () => {
    const draft = await store.models.open(one.cid, one.manifest);
    expect(draft.missing()).toEqual([0, 1, 2, 3, 4]);
    expect(await store.models.file(one.cid)).toBeUndefined();
    for (const index of [3, 0, 4, 1, 2]) await draft.write(index, one.chunk(index));
    expect(draft.missing()).toEqual([]);
    for (const file of [await draft.finish(), await store.models.file(one.cid)]) {
      expect(file?.size).toBe(one.bytes.length);
      expect(new Uint8Array((await file?.arrayBuffer()) ?? new ArrayBuffer(0))).toEqual(one.bytes);
    }
    // A part across the edge of two chunks, as a reader in another thread asks for it.
    const from = MODEL_CHUNK_BYTES - 10;
    const part = (await store.models.file(one.cid))?.slice(from, from + 20);
    expect(new Uint8Array((await part?.arrayBuffer()) ?? new ArrayBuffer(0))).toEqual(
      one.bytes.subarray(from, from + 20),
    );
  });

  test("goes on where it was when the tab went away", async () => {
    await keep(one, 0, 3);
    await reopen();
    expect(await store.models.list()).toMatchObject([
      { cid: one.cid, manifest: one.manifest, bytes: 2 * MODEL_CHUNK_BYTES, complete: false },
    ]);
    const draft = await store.models.open(one.cid, one.manifest);
    expect(draft.missing()).toEqual([1, 2, 4]);
    for (const index of draft.missing()) await draft.write(index, one.chunk(index));
    expect(new Uint8Array(await (await draft.finish()).arrayBuffer())).toEqual(one.bytes);
    expect(await store.models.list()).toMatchObject([{ bytes: one.bytes.length, complete: true }]);
  });

  test("takes a file that is not closed for one that is not there", async () => {
    const draft = await store.models.open(one.cid, one.manifest);
    await draft.write(0, one.chunk(0));
    const root = await navigator.storage.getDirectory();
    const folder = await (await root.getDirectoryHandle(`${name}-models`)).getDirectoryHandle(one.cid);
    const writable = await (await folder.getFileHandle("1", { create: true })).createWritable();
    await writable.write(new Uint8Array(one.chunk(1)));
    // Neither closed nor marked: as if the tab had died here.
    await reopen();
    expect((await store.models.open(one.cid, one.manifest)).missing()).toEqual([1, 2, 3, 4]);
    await writable.abort();
  });

  test("finds what the disk has damaged since the last start, and asks for it again", async () => {
    await keep(one, 0, 1, 2, 3);
    const damaged = new Uint8Array(one.chunk(2));
    damaged[7] = 1;
    await overwrite(name, one.cid, 2, damaged);
    await overwrite(name, one.cid, 1, damaged.slice(0, 100));
    await reopen();
    const draft = await store.models.open(one.cid, one.manifest);
    await draft.write(4, one.chunk(4));
    await expect(draft.finish()).rejects.toMatchObject({ name: "StorageError", trouble: "unreadable" });
    expect(draft.missing()).toEqual([1, 2]);
    for (const index of draft.missing()) await draft.write(index, one.chunk(index));
    expect(new Uint8Array(await (await draft.finish()).arrayBuffer())).toEqual(one.bytes);
  });

  test("does not hand out a whole model of which a file was lost", async () => {
    await keep(one, 0, 1, 2, 3, 4);
    expect((await store.models.file(one.cid))?.size).toBe(one.bytes.length);
    await overwrite(name, one.cid, 3, new Uint8Array(5));
    expect(await store.models.file(one.cid)).toBeUndefined();
    expect((await store.models.open(one.cid, one.manifest)).missing()).toEqual([3]);
  });

  test("gives chunks and manifests to others by their own CIDs, hashed anew", async () => {
    const two = await sample(2);
    await keep(one, 0, 4);
    await keep(two, 1);
    const { models } = store;
    expect(await models.chunk(chunkCid(one.manifest, 4))).toEqual(one.chunk(4));
    expect(await models.chunk(chunkCid(two.manifest, 1))).toEqual(two.chunk(1));
    expect(await models.chunk(chunkCid(one.manifest, 1))).toBeUndefined();
    expect(await models.chunk(cidOf(RAW, Uint8Array.of(1)))).toBeUndefined();
    expect(await models.chunk(one.cid)).toEqual(encodeManifest(one.manifest));
    const damaged = new Uint8Array(one.chunk(0));
    damaged[0] = 99;
    await overwrite(name, one.cid, 0, damaged);
    expect(await models.chunk(chunkCid(one.manifest, 0))).toBeUndefined();
    expect((await models.open(one.cid, one.manifest)).missing()).toEqual([0, 1, 2, 3]);
  });

  test("removes a model with all its files, also under a download", async () => {
    const two = await sample(2);
    await keep(two, 0);
    const draft = await store.models.open(one.cid, one.manifest);
    await draft.write(0, one.chunk(0));
    expect((await store.models.room()).usedBytes).toBe(2 * MODEL_CHUNK_BYTES);
    await store.models.remove(one.cid);
    await expect(draft.write(1, one.chunk(1))).rejects.toMatchObject({ name: "StorageError" });
    expect((await store.models.list()).map(({ cid }) => cid)).toEqual([two.cid]);
    expect(await store.models.chunk(chunkCid(one.manifest, 0))).toBeUndefined();
    expect((await store.models.room()).usedBytes).toBe(MODEL_CHUNK_BYTES);
    expect((await store.models.open(one.cid, one.manifest)).missing()).toHaveLength(CHUNKS);
    await store.models.remove(one.cid);
    await store.models.remove(one.cid);
  });

  test("clears away what a tab has left that died while a model was deleted", async () => {
    const root = await navigator.storage.getDirectory();
    const models = await root.getDirectoryHandle(`${name}-models`, { create: true });
    const two = await sample(2);
    await keep(one, 0);
    const left = await models.getDirectoryHandle("left-over", { create: true });
    await left.getFileHandle("0", { create: true });
    await keep(two, 0);
    const names: string[] = [];
    for await (const each of models.keys()) names.push(each);
    expect(names.toSorted()).toEqual([one.cid, two.cid].toSorted());
  });

  test("takes no manifest for another one's, and no chunk of another length", async () => {
    const two = await sample(2);
    await expect(store.models.open(one.cid, two.manifest)).rejects.toMatchObject({ code: 20008 });
    const draft = await store.models.open(one.cid, one.manifest);
    await expect(draft.write(4, one.chunk(0))).rejects.toThrow("chunk 4 has 1000 bytes");
  });

  test("passes over records that make no sense", async () => {
    await keep(one, 0);
    const database = await openDB(name);
    await database.put("models", { manifest: "text" }, "some");
    await database.put(
      "models",
      { manifest: encodeManifest(one.manifest), have: new Uint8Array(1) },
      "other",
    );
    database.close();
    expect((await store.models.list()).map(({ cid }) => cid)).toEqual([one.cid]);
  });

  test("says before a download that it will not fit, and grows no record of it", async () => {
    await keep(one, 0, 1);
    const two = await sample(2);
    await grant(3 * MODEL_CHUNK_BYTES);
    try {
      await expect(store.models.open(two.cid, two.manifest)).rejects.toMatchObject({
        name: "StorageError",
        trouble: "full",
        message: expect.stringMatching(/^the model needs 4\.2 MB more/u),
      });
      expect((await store.models.list()).map(({ cid }) => cid)).toEqual([one.cid]);
      // Of the other one, what is missing fits.
      expect((await store.models.open(one.cid, one.manifest)).missing()).toEqual([2, 3, 4]);
    } finally {
      await grant(undefined);
    }
    expect((await store.models.open(two.cid, two.manifest)).missing()).toHaveLength(CHUNKS);
  });

  test("tells when the disk is full in the middle, and goes on when it is not", async () => {
    const draft = await store.models.open(one.cid, one.manifest);
    await draft.write(0, one.chunk(0));
    await grant(1_000);
    try {
      await expect(draft.write(1, one.chunk(1))).rejects.toMatchObject({ trouble: "full" });
      expect(draft.missing()).toEqual([1, 2, 3, 4]);
    } finally {
      await grant(undefined);
    }
    await draft.write(1, one.chunk(1));
    expect(draft.missing()).toEqual([2, 3, 4]);
  });
});

/** Sets the origin's true quota, so many bytes above what is used; the browser's own one again without a number. */
async function grant(bytes: number | undefined): Promise<void> {
  const { usage = 0 } = await navigator.storage.estimate();
  await cdp().send("Storage.overrideQuotaForOrigin", {
    origin: location.origin,
    ...(bytes === undefined ? {} : { quotaSize: usage + bytes }),
  });
}

describe("a database of version 1", () => {
  test("keeps all it has when models come to it", async () => {
    const name = `store-${crypto.randomUUID()}`;
    const first = await openDB(name, 1, {
      upgrade(database) {
        for (const store of [
          "identity",
          "settings",
          "consents",
          "relays",
          "relayUrls",
          "blobs",
          "blobTotals",
        ])
          database.createObjectStore(store);
        database.createObjectStore("outbox").createIndex("byUpdate", "updatedAt");
        database.createObjectStore("blobUses").createIndex("byUse", "use");
      },
    });
    await first.put("settings", { theme: "dark", workers: 2 }, "page");
    first.close();
    const store = await openBrowserStore(name);
    expect(await store.settings.load()).toEqual({ theme: "dark", workers: 2 });
    expect(await store.models.list()).toEqual([]);
    const one = await sample(1);
    await (await store.models.open(one.cid, one.manifest)).write(0, one.chunk(0));
    expect(await store.models.list()).toHaveLength(1);
    store.close();
  });
});
