import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Cid, cidOf, DAG_CBOR, RAW } from "../protocol/cid.ts";
import { openBrowserStore, type BrowserStore } from "./browser-store.ts";
import { openDatabase } from "./database.ts";

const KIB = 1024;
const CAP = 10 * KIB;

let name: string;
let store: BrowserStore;

beforeEach(async () => {
  name = `blobs-${crypto.randomUUID()}`;
  store = await openBrowserStore(name, { blobCapBytes: CAP });
});
afterEach(() => {
  store.close();
});

function blob(fill: number, size: number = 4 * KIB): { readonly cid: Cid; readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(size).fill(fill);
  return { cid: cidOf(RAW, bytes), bytes };
}

async function keep(fill: number, size?: number): Promise<Cid> {
  const { cid, bytes } = blob(fill, size);
  expect(await store.blobs.put(cid, bytes)).toBe(true);
  return cid;
}

async function present(...cids: readonly Cid[]): Promise<readonly boolean[]> {
  return Promise.all(cids.map(async (cid) => store.blobs.has(cid)));
}

describe("the blob cache", () => {
  test("gives back what was put under its CID, of either codec", async () => {
    const { bytes } = blob(1);
    await store.blobs.put(cidOf(RAW, bytes), bytes);
    await store.blobs.put(cidOf(DAG_CBOR, bytes), bytes);
    expect(await store.blobs.get(cidOf(RAW, bytes))).toEqual(bytes);
    expect(await store.blobs.get(cidOf(DAG_CBOR, bytes))).toEqual(bytes);
    expect(await store.blobs.get(blob(2).cid)).toBeUndefined();
  });

  test("keeps a part of a larger buffer as that part alone", async () => {
    const whole = Uint8Array.of(9, 1, 2, 3, 9);
    const part = whole.subarray(1, 4);
    const cid = cidOf(RAW, part);
    await store.blobs.put(cid, part);
    expect(await store.blobs.get(cid)).toEqual(Uint8Array.of(1, 2, 3));
    expect((await store.blobs.usage()).bytes).toBe(3);
  });

  test("refuses bytes under the identifier of others", async () => {
    await expect(store.blobs.put(blob(1).cid, blob(2).bytes)).rejects.toMatchObject({ code: 20008 });
    expect(await store.blobs.has(blob(1).cid)).toBe(false);
  });

  test("counts bytes once, whatever is put twice or deleted", async () => {
    const first = await keep(1);
    await keep(1);
    await keep(2);
    expect(await store.blobs.usage()).toEqual({ bytes: 8 * KIB, blobs: 2, capBytes: CAP });
    await store.blobs.delete(first);
    await store.blobs.delete(first);
    expect(await store.blobs.usage()).toEqual({ bytes: 4 * KIB, blobs: 1, capBytes: CAP });
  });

  test("drops the least recently used beyond its cap", async () => {
    const [a, b] = [await keep(1), await keep(2)];
    await store.blobs.get(a);
    const c = await keep(3);
    expect(await present(a, b, c)).toEqual([true, false, true]);
    expect((await store.blobs.usage()).bytes).toBe(8 * KIB);
  });

  test("drops as many as it must for a large one", async () => {
    const small = [await keep(1, 3 * KIB), await keep(2, 3 * KIB), await keep(3, 3 * KIB)];
    const large = await keep(4, CAP);
    expect(await present(...small, large)).toEqual([false, false, false, true]);
    expect((await store.blobs.usage()).bytes).toBe(CAP);
  });

  test("declines what is larger than the whole cache and keeps the rest", async () => {
    const a = await keep(1);
    const { cid, bytes } = blob(2, CAP + 1);
    expect(await store.blobs.put(cid, bytes)).toBe(false);
    expect(await present(a, cid)).toEqual([true, false]);
  });

  test("deletes a blob that no longer hashes to its CID and reports it as absent", async () => {
    const cid = await keep(1);
    const database = await openDatabase(name, () => {});
    const damaged = blob(1).bytes;
    damaged[100] = 0xff;
    await database.put("blobs", damaged.buffer, cid);
    expect(await store.blobs.get(cid)).toBeUndefined();
    expect(await store.blobs.has(cid)).toBe(false);
    expect((await store.blobs.usage()).bytes).toBe(0);
    database.close();
  });

  test("does not take a record of another type for a blob", async () => {
    const { cid } = blob(1);
    const database = await openDatabase(name, () => {});
    await database.put("blobs", "text", cid);
    database.close();
    expect(await store.blobs.get(cid)).toBeUndefined();
  });

  test("has true totals after many puts at once", async () => {
    await Promise.all([1, 2, 3, 4, 5, 6].map(async (fill) => keep(fill, 3 * KIB)));
    expect(await store.blobs.usage()).toEqual({ bytes: 9 * KIB, blobs: 3, capBytes: CAP });
  });
});
