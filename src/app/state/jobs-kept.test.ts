import { expect, it } from "vitest";
import { blobOf, bytesOf, OutputKeeper, sizeOf } from "./jobs-kept.ts";

it("outputs are kept as they were, here at first and as blobs beyond what a page should hold", async () => {
  const keeper = new OutputKeeper();
  const large = new Uint8Array(40 * 2 ** 20).fill(7);
  const first = keeper.keep(large);
  const second = keeper.keep(large);
  const third = keeper.keep(Uint8Array.of(1, 2));
  expect([first, second, third].map((kept) => kept instanceof Blob)).toEqual([false, true, false]);
  expect([first, second, third].map(sizeOf)).toEqual([large.length, large.length, 2]);
  expect(Buffer.from(await bytesOf(second)).equals(large)).toBe(true);
  expect(await blobOf(third).arrayBuffer()).toEqual(Uint8Array.of(1, 2).buffer);
  // What the sender does with its bytes afterwards is its own affair.
  large.fill(0, 0, 1);
  expect((await bytesOf(first))[0]).toBe(7);
});
