import { expect, test } from "vitest";
import { memoryStreamPair } from "../mesh/memory-stream.ts";
import type { MeshStream, TransportInfo } from "../mesh/mesh.ts";
import { isPeerId } from "../protocol/peer-id.ts";
import { WorkLinks } from "./work-links.ts";

const HERE = "12D3KooWGjMCDvrHvUrYpBvNJQZRbV5SK5fMkuqjEXvCSTvF3iJF";
const THERE = "12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo";

/** A stream to a requester whose connection is of some kind: which one is up to the browser. */
function streamOver(kind: TransportInfo["kind"], peer: string = THERE): MeshStream {
  const [near] = memoryStreamPair("/tabmesh/work/1", HERE, peer);
  return Object.assign(near, { transport: () => Promise.resolve({ kind, limited: false }) });
}

test("a requester is listed with how it is connected for as long as its session lives, once however many it has", async () => {
  const links = new WorkLinks();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  await links.follow(streamOver("webrtc"), first.promise);
  await links.follow(streamOver("webrtc"), second.promise);
  expect(isPeerId(THERE)).toBe(true);
  expect(links.list()).toEqual([{ peer: THERE, over: "webrtc" }]);
  first.resolve();
  await expect.poll(() => links.list()).toHaveLength(1);
  second.resolve();
  await expect.poll(() => links.list()).toEqual([]);
});

test("what was over before its kind was known, or is of no kind that is told, is not listed", async () => {
  const links = new WorkLinks();
  await links.follow(streamOver("webrtc"), Promise.reject(new Error("lost")));
  await links.follow(streamOver("memory"), new Promise(() => undefined));
  await links.follow(streamOver("webrtc", "somebody"), new Promise(() => undefined));
  expect(links.list()).toEqual([]);
});
