/* oxlint-disable no-await-in-loop -- sending one after the other is what is tested */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FailureError } from "../protocol/failure.ts";
import { MAX_FRAME_BYTES } from "../protocol/limits.ts";
import { encodeFrame, FrameParser } from "./frame-parser.ts";
import { FrameStream } from "./frame-stream.ts";
import { FRAME_WINDOW_BYTES } from "./limits.ts";
import { memoryStreamPair } from "./memory-stream.ts";

function pair(): { near: FrameStream; far: FrameStream; rawFar: ReturnType<typeof memoryStreamPair>[1] } {
  const [a, b] = memoryStreamPair("/test/1", "A", "B");
  return { near: new FrameStream(a), far: new FrameStream(b), rawFar: b };
}

test("frames come out as they went in, however the bytes are cut", () => {
  const frame = fc.record({
    kind: fc.integer({ min: 1, max: 255 }),
    payload: fc.uint8Array({ maxLength: 40 }),
  });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(400)), (frames, cuts) => {
      const bytes = Uint8Array.from(frames.flatMap(({ kind, payload }) => [...encodeFrame(kind, [payload])]));
      const found: { kind: number; payload: Uint8Array }[] = [];
      const parser = new FrameParser(
        () => 40,
        (kind, payload) => found.push({ kind, payload: payload.slice() }),
      );
      const edges = [...cuts.filter((cut) => cut < bytes.length), bytes.length].toSorted((x, y) => x - y);
      let start = 0;
      for (const end of edges) {
        parser.push(bytes.subarray(start, end));
        start = end;
      }
      expect(found).toEqual(frames);
      expect(parser.atBoundary).toBe(true);
    }),
  );
});

test("a length above the limit is refused before anything is allocated", () => {
  const parser = new FrameParser(
    () => 10,
    () => undefined,
  );
  expect(() => parser.push(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1))).toThrow(/frame-too-large/);
});

test("small frames of one tick leave in one send", async () => {
  const [a, b] = memoryStreamPair("/test/1", "A", "B");
  const chunks: Uint8Array[] = [];
  b.onBytes(
    (chunk) => chunks.push(chunk),
    () => undefined,
  );
  const near = new FrameStream(a);
  for (let kind = 1; kind <= 20; kind++) void near.sendFrame(kind, Uint8Array.of(kind), Uint8Array.of(0));
  await near.close();
  await expect.poll(() => chunks.length).toBe(1);
  expect(chunks[0]?.length).toBe(20 * 7);
});

test("parts may be reused as soon as sendFrame returns", async () => {
  const { near, far } = pair();
  const part = Uint8Array.of(1, 2, 3);
  const sent = near.sendFrame(9, part);
  part.fill(0);
  await sent;
  await near.close();
  for await (const frame of far.frames()) expect([...frame.payload]).toEqual([1, 2, 3]);
});

test("a reader that waits holds the sender back within the window, then gets everything in order", async () => {
  const { near, far } = pair();
  const total = 100;
  let handedOver = 0;
  const sending = (async () => {
    for (let index = 0; index < total; index++) {
      const payload = new Uint8Array(MAX_FRAME_BYTES).fill(index);
      await near.sendFrame(1, payload);
      handedOver += payload.length;
    }
    await near.close();
  })();
  const gate = Promise.withResolvers<void>();
  const seen: number[] = [];
  const ended = Promise.withResolvers<FailureError | undefined>();
  far.onFrame((_kind, payload) => {
    seen.push(payload[0] ?? -1);
    return gate.promise;
  }, ended.resolve);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(seen).toEqual([0]);
  expect(handedOver).toBeGreaterThan(FRAME_WINDOW_BYTES / 2);
  expect(handedOver).toBeLessThan(FRAME_WINDOW_BYTES + 3 * MAX_FRAME_BYTES);
  gate.resolve();
  await sending;
  expect(await ended.promise).toBeUndefined();
  expect(seen).toEqual(Array.from({ length: total }, (_, index) => index));
});

test("an oversized frame aborts the stream on both sides", async () => {
  const [a, b] = memoryStreamPair("/test/1", "A", "B");
  const far = new FrameStream(b);
  const farEnd = Promise.withResolvers<FailureError | undefined>();
  far.onFrame(() => undefined, farEnd.resolve);
  const nearEnd = Promise.withResolvers<FailureError | undefined>();
  a.onBytes(() => undefined, nearEnd.resolve);
  await a.send(Uint8Array.of(0, 1, 0, 1, 7));
  expect((await farEnd.promise)?.message).toMatch(/frame-too-large: frame of kind 7: 65537 bytes/);
  expect((await nearEnd.promise)?.message).toMatch(/disconnected/);
});

test("a frame above the limit of its kind is refused at the sender, and the stream stays", async () => {
  const [a, b] = memoryStreamPair("/test/1", "A", "B");
  const near = new FrameStream(a, { maxBytes: (kind) => (kind === 2 ? 4 : 8) });
  const far = new FrameStream(b);
  await expect(near.sendFrame(2, new Uint8Array(5))).rejects.toThrow(/frame-too-large/);
  await near.sendFrame(3, new Uint8Array(5));
  await near.close();
  const kinds: number[] = [];
  for await (const frame of far.frames()) kinds.push(frame.kind);
  expect(kinds).toEqual([3]);
});

test("a peer that ignores the window is cut off", async () => {
  const [a, b] = memoryStreamPair("/test/1", "A", "B");
  const far = new FrameStream(b);
  const ended = Promise.withResolvers<FailureError | undefined>();
  far.onFrame(() => new Promise<void>(() => undefined), ended.resolve);
  const frame = encodeFrame(1, [new Uint8Array(MAX_FRAME_BYTES)]);
  for (let sent = 0; sent < 2 * FRAME_WINDOW_BYTES; sent += frame.length)
    await a.send(frame).catch(() => undefined);
  expect((await ended.promise)?.message).toMatch(/malformed-frame: .*window/);
});

test.each([
  ["a stream that ends within a frame", Uint8Array.of(0, 0, 0, 9, 1, 1)],
  ["credit of a wrong size", Uint8Array.of(0, 0, 0, 1, 0, 1)],
])("%s is malformed", async (_name, bytes) => {
  const [a, b] = memoryStreamPair("/test/1", "A", "B");
  const ended = Promise.withResolvers<FailureError | undefined>();
  new FrameStream(b).onFrame(() => undefined, ended.resolve);
  await a.send(bytes);
  await a.close();
  expect((await ended.promise)?.message).toMatch(/malformed-frame/);
});

test("what the handler throws aborts the stream, and a sender that waits is told", async () => {
  const { near, far } = pair();
  const ended = Promise.withResolvers<FailureError | undefined>();
  far.onFrame(() => {
    throw new FailureError("bad-receipt", "no");
  }, ended.resolve);
  const sending = (async () => {
    for (;;) await near.sendFrame(1, new Uint8Array(MAX_FRAME_BYTES));
  })();
  await expect(sending).rejects.toThrow(/disconnected/);
  expect((await ended.promise)?.message).toMatch(/bad-receipt/);
});
