import { expect, it } from "vitest";
import { STDERR_HEAD_BYTES, STDERR_TAIL_BYTES } from "../limits.ts";
import { text } from "../wat.contract.ts";
import { ErrorSink, OutputSink } from "./byte-sinks.ts";

it("standard output takes exactly its limit", () => {
  const sink = new OutputSink(3);
  sink.write(Uint8Array.of(1, 2));
  sink.write(Uint8Array.of(3));
  expect([...sink.take()]).toEqual([1, 2, 3]);
  expect(() => sink.write(Uint8Array.of(4))).toThrow(/output-too-large: more than 3/);
});

it.each([1, 7, 1_000, 50_000, 200_000])(
  "standard error keeps both ends, written %d bytes at a time",
  (step) => {
    const all = Uint8Array.from({ length: 200_000 }, (_, i) => 97 + (Math.floor(i / 10_000) % 26));
    const sink = new ErrorSink();
    for (let at = 0; at < all.length; at += step) sink.write(all.subarray(at, at + step));
    const [head, tail] = text(sink.take()).split(/\n\[134464 bytes left out\]\n/);
    expect(head).toBe(text(all.subarray(0, STDERR_HEAD_BYTES)));
    expect(tail).toBe(text(all.subarray(-STDERR_TAIL_BYTES)));
  },
);

it("standard error that fits is whole", () => {
  const sink = new ErrorSink();
  const bytes = new Uint8Array(STDERR_HEAD_BYTES + STDERR_TAIL_BYTES).fill(120);
  sink.write(bytes);
  expect(sink.take()).toEqual(bytes);
});
