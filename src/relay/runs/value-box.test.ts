import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type Cid, cidOf, RAW } from "../../protocol/cid.ts";
import { BlobFolder } from "../blob-folder.ts";
import { openScene, type Scene } from "../books/books-scene.contract.ts";
import { refusal, registered } from "../books/run-scene.contract.ts";
import { RunMail } from "./run-mail.ts";
import { ValueBox } from "./value-box.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed())
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await close();
});

/** Sixty bytes, each value others. */
function valueOf(mark: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(60).fill(mark);
}

const VALUES = [1, 2, 3].map((mark) => cidOf(RAW, valueOf(mark)));

/** Bytes that come when somebody says so. */
function slow(bytes: Uint8Array): {
  readonly body: ReadableStream<Uint8Array>;
  readonly end: () => void;
  readonly fail: () => void;
} {
  let control: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(to) {
      control = to;
      to.enqueue(bytes);
    },
  });
  return { body, end: () => control?.close(), fail: () => control?.error(new Error("they hung up")) };
}

interface Opened {
  readonly scene: Scene;
  readonly run: Cid;
  readonly mail: RunMail;
  readonly blobs: BlobFolder;
  readonly values: ValueBox;
}

/** A run of whose values 100 bytes are kept. */
async function open(): Promise<Opened> {
  const scene = await openScene();
  closing.push(() => scene.books.close());
  const folder = mkdtempSync(join(tmpdir(), "value-box-"));
  closing.push(() => rmSync(folder, { recursive: true }));
  const blobs = await BlobFolder.open(folder, 1_000, () => scene.clock.now);
  const mail = new RunMail(":memory:");
  closing.push(() => mail.close());
  const { id: run, body } = await registered(scene);
  const bytes = { plan: new Uint8Array(), params: new Uint8Array() };
  mail.openBox({ run, payer: body.payer, name: "", ...bytes, keptUntil: body.notAfter, values: VALUES });
  return { scene, run, mail, blobs, values: new ValueBox(scene.books, mail, blobs, 100) };
}

async function put({ values, run }: Opened, mark: number, announced = 0): Promise<void> {
  await values.put(run, cidOf(RAW, valueOf(mark)), announced, new Blob([valueOf(mark)]).stream());
}

test("values that come at the same time have the room of a run together, and leave it where they break off", async () => {
  const opened = await open();
  const { run, values, mail, blobs } = opened;
  const left = (): number => values.room.left(opened.scene.requester.key, "valueBytes");
  const before = left();
  const first = slow(valueOf(1));
  const coming = refusal(values.put(run, VALUES[0]!, 0, first.body));
  await expect.poll(left).toBe(before - 60);
  expect(await refusal(put(opened, 2))).toMatch(/room for 40 bytes more/u);
  expect(await refusal(put(opened, 2, 60))).toMatch(/room for 40 bytes more/u);
  first.fail();
  expect(await coming).toMatch(/they hung up/u);
  expect(left()).toBe(before);
  expect(VALUES.map((cid) => blobs.isKept(cid))).toEqual([false, false, false]);
  await put(opened, 2, 60);
  expect(await refusal(put(opened, 3))).toMatch(/room for 40 bytes more/u);
  expect(mail.box(run)?.valueBytes).toBe(60);
  expect(mail.bytes().valueBytes).toBe(60);
});

test("what is among the blobs already needs room in a run like anything else", async () => {
  const opened = await open();
  for (const mark of [1, 2])
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await opened.blobs.put(VALUES[mark - 1]!, new Blob([valueOf(mark)]).stream());
  await put(opened, 1);
  expect(await refusal(put(opened, 2))).toMatch(/room for 40 bytes more/u);
  expect(opened.blobs.isKept(VALUES[1]!)).toBe(false);
});

test("a value that two bring at once is kept until its run is forgotten, and one that comes after that is not kept", async () => {
  const opened = await open();
  const { run, values, blobs } = opened;
  const small = new Uint8Array(20).fill(4);
  const cid = cidOf(RAW, small);
  opened.mail.addName(run, cid);
  const both = [slow(small), slow(small)];
  const coming = both.map(({ body }) => values.put(run, cid, 0, body));
  for (const { end } of both) end();
  await Promise.all(coming);
  expect(opened.mail.box(run)?.valueBytes).toBe(20);
  const late = slow(valueOf(1));
  const lost = refusal(values.put(run, VALUES[0]!, 0, late.body));
  values.forget(run);
  late.end();
  expect(await lost).toMatch(/is gone/u);
  expect([cid, VALUES[0]!].map((each) => blobs.isKept(each))).toEqual([false, false]);
});
