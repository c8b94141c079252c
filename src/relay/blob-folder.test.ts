import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Cid, cidOf, RAW } from "../protocol/cid.ts";
import { MAX_BLOB_BYTES } from "../protocol/limits.ts";
import { BlobFolder } from "./blob-folder.ts";

let folder: string;
let now: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blobs-"));
  now = 1_700_000_000_000;
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(capBytes = 1_000): Promise<BlobFolder> {
  return BlobFolder.open(folder, capBytes, () => (now += 1));
}

function blob(byte: number, length = 300): { cid: Cid; bytes: Uint8Array<ArrayBuffer> } {
  const bytes = new Uint8Array(length).fill(byte);
  return { cid: cidOf(RAW, bytes), bytes };
}

function streamOf(...chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(to) {
      for (const chunk of chunks) to.enqueue(chunk);
      to.close();
    },
  });
}

async function read(blobs: BlobFolder, cid: Cid): Promise<Uint8Array | undefined> {
  const found = blobs.find(cid);
  return found === undefined ? undefined : new Uint8Array(await new Response(found.open()).arrayBuffer());
}

test("a blob comes back as it went in, also after a restart", async () => {
  const { cid, bytes } = blob(1);
  const blobs = await open();
  await blobs.put(cid, streamOf(bytes.subarray(0, 100), bytes.subarray(100)));
  expect(await read(blobs, cid)).toEqual(bytes);
  const again = await open();
  expect(await read(again, cid)).toEqual(bytes);
  expect([again.bytes, again.count]).toEqual([300, 1]);
});

test("bytes that do not hash to their CID leave nothing behind", async () => {
  const blobs = await open();
  await expect(blobs.put(blob(1).cid, streamOf(blob(2).bytes))).rejects.toThrow(/content-mismatch/);
  expect(blobs.has(blob(1).cid)).toBe(false);
  expect(readdirSync(folder)).toEqual(["uploads"]);
  expect(readdirSync(join(folder, "uploads"))).toEqual([]);
});

test("an upload that breaks off leaves nothing behind, and what a crash left is swept at start", async () => {
  const blobs = await open();
  const { cid, bytes } = blob(1);
  const broken = new ReadableStream<Uint8Array>({
    start: (to) => to.enqueue(bytes),
    pull: (to) => to.error(new Error("connection lost")),
  });
  await expect(blobs.put(cid, broken)).rejects.toThrow("connection lost");
  expect(readdirSync(join(folder, "uploads"))).toEqual([]);
  writeFileSync(join(folder, "uploads", "left"), "half");
  await open();
  expect(readdirSync(join(folder, "uploads"))).toEqual([]);
});

test("a blob above the limit is cut off", async () => {
  const blobs = await open();
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(to) {
      const chunk = new Uint8Array(4 * 1024 * 1024);
      sent += chunk.length;
      to.enqueue(chunk);
    },
  });
  await expect(blobs.put(blob(1).cid, endless)).rejects.toThrow(/too-large/);
  expect(sent).toBeLessThan(2 * MAX_BLOB_BYTES);
});

test("above the cap the blobs not asked for longest go first", async () => {
  const blobs = await open();
  const [a, b, c, d] = [blob(1), blob(2), blob(3), blob(4)];
  for (const each of [a, b, c]) {
    // oxlint-disable-next-line no-await-in-loop -- the order of use is what is tested
    await blobs.put(each.cid, streamOf(each.bytes));
  }
  expect(blobs.bytes).toBe(900);
  blobs.find(a.cid);
  await blobs.put(d.cid, streamOf(d.bytes));
  expect([a, b, c, d].map(({ cid }) => blobs.has(cid))).toEqual([true, false, true, true]);
  expect(readdirSync(folder).toSorted()).toEqual(["uploads", a.cid, c.cid, d.cid].toSorted());
});

test("putting a blob again does not count it twice", async () => {
  const blobs = await open();
  const { cid, bytes } = blob(1);
  await Promise.all([blobs.put(cid, streamOf(bytes)), blobs.put(cid, streamOf(bytes))]);
  expect([blobs.bytes, blobs.count]).toEqual([300, 1]);
});

test("files of other names are left alone", async () => {
  writeFileSync(join(folder, "README"), "mine");
  const blobs = await open(0);
  await blobs.put(blob(1).cid, streamOf(blob(1).bytes));
  expect(readdirSync(folder)).toContain("README");
});

test("so many blobs come in at a time and no more", async () => {
  const blobs = await open();
  const gates: (() => void)[] = [];
  const { cid, bytes } = blob(1);
  const slow = Array.from({ length: 32 }, () =>
    blobs.put(
      cid,
      new ReadableStream({
        start: (to) => {
          gates.push(() => {
            to.enqueue(bytes);
            to.close();
          });
        },
      }),
    ),
  );
  await expect(blobs.put(cid, streamOf(bytes))).rejects.toThrow(/rate-limited/);
  for (const release of gates) release();
  await Promise.all(slow);
  await blobs.put(cid, streamOf(bytes));
});
