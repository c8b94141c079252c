import { afterEach, expect, test } from "vitest";
import { FrameStream } from "../mesh/frame-stream.ts";
import { createMemoryNetwork } from "../mesh/memory-mesh.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { type Cid, cidBytes, cidFromBytes, cidOf, RAW } from "../protocol/cid.ts";
import { signerFromSeed } from "../protocol/ed25519.ts";
import { WATCH_PROTOCOL } from "../protocol/protocol-id.ts";
import { FRAME } from "../protocol/work-frame.ts";
import { Lookout } from "./lookout.ts";

const LEASE = cidOf(RAW, Uint8Array.of(1));
const OTHER = cidOf(RAW, Uint8Array.of(2));

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function joined(network: ReturnType<typeof createMemoryNetwork>, fill: number): Promise<Mesh> {
  const { key } = await signerFromSeed(crypto.subtle, new Uint8Array(32).fill(fill));
  const mesh = network.join(key);
  await mesh.start();
  closing.push(() => void mesh.stop());
  return mesh;
}

/** A lookout and the relay's ends of its streams. */
async function open(): Promise<{
  readonly lookout: Lookout;
  readonly streams: FrameStream[];
  readonly asked: Cid[];
  dials: number;
}> {
  const network = createMemoryNetwork();
  const [here, relay] = [await joined(network, 1), await joined(network, 2)];
  const asked: Cid[] = [];
  const streams: FrameStream[] = [];
  relay.handle(WATCH_PROTOCOL, (stream) => {
    const frames = new FrameStream(stream);
    streams.push(frames);
    frames.onFrame(
      (kind, payload) => {
        expect(kind).toBe(FRAME.watch);
        asked.push(cidFromBytes(payload));
      },
      () => undefined,
    );
  });
  const scene = { streams, asked, dials: 0 };
  const dial: Mesh["dial"] = (...how) => {
    scene.dials += 1;
    return here.dial(...how);
  };
  const lookout = new Lookout({ mesh: { dial }, relay: `/p2p/${relay.peerId}` });
  closing.push(() => lookout.close());
  return Object.assign(scene, { lookout });
}

test("one stream serves all leases, and each is told of its own provider", async () => {
  const { lookout, streams, asked } = await open();
  const told: string[] = [];
  lookout.watch(LEASE, () => told.push("one"));
  lookout.watch(OTHER, () => told.push("other"));
  await expect.poll(() => asked).toEqual([LEASE, OTHER]);
  expect(streams).toHaveLength(1);
  for (const lease of [OTHER, OTHER, LEASE]) await streams[0]?.sendFrame(FRAME.quiet, cidBytes(lease));
  await expect.poll(() => told).toEqual(["other", "other", "one"]);
});

test("a lease that is over is not told of any more", async () => {
  const { lookout, streams, asked } = await open();
  const told: string[] = [];
  const leave = lookout.watch(LEASE, () => told.push("over"));
  lookout.watch(OTHER, () => told.push("goes on"));
  await expect.poll(() => asked).toHaveLength(2);
  leave();
  for (const lease of [LEASE, OTHER]) await streams[0]?.sendFrame(FRAME.quiet, cidBytes(lease));
  await expect.poll(() => told).toEqual(["goes on"]);
});

test("after the relay was away its stream is opened again, and what is still watched is asked for", async () => {
  const { lookout, streams, asked } = await open();
  lookout.watch(LEASE, () => undefined)();
  lookout.watch(OTHER, () => undefined);
  await expect.poll(() => streams).toHaveLength(1);
  await streams[0]?.close();
  await expect.poll(() => streams).toHaveLength(2);
  await expect.poll(() => asked.at(-1)).toBe(OTHER);
});

test("a relay that does not know such streams is asked once", async () => {
  const network = createMemoryNetwork();
  const [here, relay] = [await joined(network, 1), await joined(network, 2)];
  let dials = 0;
  const ended = Promise.withResolvers<unknown>();
  const dial: Mesh["dial"] = async (...how) => {
    dials += 1;
    try {
      return await here.dial(...how);
    } catch (error) {
      ended.resolve(error);
      throw error;
    }
  };
  const lookout = new Lookout({ mesh: { dial }, relay: `/p2p/${relay.peerId}` });
  lookout.watch(LEASE, () => undefined);
  expect(await ended.promise).toMatchObject({ message: expect.stringMatching(/^version-mismatch/u) });
  await new Promise((resolve) => setTimeout(resolve, 10));
  lookout.watch(OTHER, () => undefined);
  expect(dials).toBe(1);
});

test("nothing is opened before a lease is watched, nor after the end", async () => {
  const scene = await open();
  expect(scene.dials).toBe(0);
  scene.lookout.close();
  scene.lookout.watch(LEASE, () => undefined);
  expect(scene.dials).toBe(0);
});
