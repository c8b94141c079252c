import { afterEach, expect, test } from "vitest";
import { FrameStream } from "../../mesh/frame-stream.ts";
import { memoryStreamPair } from "../../mesh/memory-stream.ts";
import { type Cid, cidBytes, cidFromBytes, cidOf, RAW } from "../../protocol/cid.ts";
import type { FailureError } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { WATCH_PROTOCOL } from "../../protocol/protocol-id.ts";
import { FRAME } from "../../protocol/work-frame.ts";
import { signerOf } from "../books/books-scene.contract.ts";
import { MAX_WATCHED_LEASES } from "../limits.ts";
import { LeaseWatch } from "./lease-watch.ts";
import { WatchStream } from "./watch-stream.ts";

const US = signerOf("requester").key;
const THEM = signerOf("provider tab").key;
const OTHERS = signerOf("another tab").key;

function leaseOf(number: number): Cid {
  return cidOf(RAW, new TextEncoder().encode(`lease ${number}`));
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A requester's end of a watch stream at a relay that hears these instances. */
interface Line {
  readonly watch: LeaseWatch;
  readonly heard: Set<PeerId>;
  readonly frames: FrameStream;
  /** Leases the relay has told of. */
  readonly quiet: Cid[];
  readonly ended: Promise<FailureError | undefined>;
  ask(lease: Cid): Promise<void>;
}

function open(): Line {
  const heard = new Set<PeerId>([THEM, OTHERS]);
  const watch = new LeaseWatch((instance) => heard.has(instance));
  const [near, far] = memoryStreamPair(WATCH_PROTOCOL, US, signerOf("relay").key);
  const stream = new WatchStream(far, watch);
  expect(stream).toBeDefined();
  const frames = new FrameStream(near);
  closing.push(() => void frames.close().catch(() => undefined));
  const quiet: Cid[] = [];
  const { promise, resolve } = Promise.withResolvers<FailureError | undefined>();
  frames.onFrame((kind, payload) => {
    expect(kind).toBe(FRAME.quiet);
    quiet.push(cidFromBytes(payload));
  }, resolve);
  return {
    watch,
    heard,
    frames,
    quiet,
    ended: promise,
    ask: (lease) => frames.sendFrame(FRAME.watch, cidBytes(lease)),
  };
}

let marks = 0;

/** A lease whose provider is gone already: when it is told of, everything asked for before has been read. */
async function allRead(line: Line): Promise<void> {
  marks += 1;
  const mark = leaseOf(1_000_000 + marks);
  line.watch.granted(mark, { instance: signerOf("nobody").key, requesterKey: US });
  await line.ask(mark);
  await expect.poll(() => line.quiet.at(-1)).toBe(mark);
  line.quiet.pop();
}

test("a requester hears of its own lease, each time its provider is not heard, and of no other", async () => {
  const line = open();
  line.watch.granted(leaseOf(1), { instance: THEM, requesterKey: US });
  line.watch.granted(leaseOf(2), { instance: OTHERS, requesterKey: US });
  for (const number of [1, 2]) await line.ask(leaseOf(number));
  await allRead(line);
  expect(line.quiet).toEqual([]);
  line.watch.quiet(THEM);
  line.watch.quiet(THEM);
  await expect.poll(() => line.quiet).toEqual([leaseOf(1), leaseOf(1)]);
});

test("a provider that is gone before its lease is watched is told of at once", async () => {
  const line = open();
  line.watch.granted(leaseOf(1), { instance: THEM, requesterKey: US });
  line.heard.delete(THEM);
  await line.ask(leaseOf(1));
  await expect.poll(() => line.quiet).toEqual([leaseOf(1)]);
});

test("nobody can watch a lease of another requester, or one that is not there", async () => {
  const line = open();
  line.watch.granted(leaseOf(1), { instance: THEM, requesterKey: signerOf("victim").key });
  for (const number of [1, 7]) await line.ask(leaseOf(number));
  await allRead(line);
  line.watch.quiet(THEM);
  await allRead(line);
  expect(line.quiet).toEqual([]);
});

test("a stream that is over is told nothing more", async () => {
  const line = open();
  line.watch.granted(leaseOf(1), { instance: THEM, requesterKey: US });
  await line.ask(leaseOf(1));
  await allRead(line);
  await line.frames.close();
  await line.ended;
  line.watch.quiet(THEM);
  expect(line.quiet).toEqual([]);
});

test("who watches more leases than it may is not told of the first any more", async () => {
  const line = open();
  for (let number = 0; number <= MAX_WATCHED_LEASES; number += 1) {
    line.watch.granted(leaseOf(number), { instance: THEM, requesterKey: US });
    // oxlint-disable-next-line no-await-in-loop -- in their order
    await line.ask(leaseOf(number));
  }
  await allRead(line);
  line.watch.quiet(THEM);
  await expect.poll(() => line.quiet.length).toBeGreaterThanOrEqual(MAX_WATCHED_LEASES - 1);
  expect(line.quiet).not.toContain(leaseOf(0));
  expect(line.quiet).toContain(leaseOf(MAX_WATCHED_LEASES));
});

test.each([
  ["a frame that has no place there", FRAME.offer, cidBytes(leaseOf(1))],
  ["bytes that are no CID", FRAME.watch, new Uint8Array(36)],
  ["more bytes than a CID has", FRAME.watch, new Uint8Array(37)],
])("%s ends the stream", async (_what, kind, payload) => {
  const line = open();
  await line.frames.sendFrame(kind, payload);
  expect(await line.ended).toBeDefined();
});
