/* oxlint-disable no-await-in-loop -- order and back-pressure are what is tested */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FailureError } from "../protocol/failure.ts";
import { FrameStream } from "./frame-stream.ts";
import { FRAME_WINDOW_BYTES } from "./limits.ts";
import type { Mesh, MeshStream, TransportInfo } from "./mesh.ts";

/** Two started peers that can call each other. */
export interface MeshPair {
  readonly caller: Mesh;
  readonly callee: Mesh;
  /** Peers that are not there: an id nobody has, under an otherwise good address. */
  readonly nobody: readonly string[];
  readonly transport: TransportInfo["kind"];
  stop(): Promise<void>;
}

const TIMEOUT_MS = 20_000;

function soon(): AbortSignal {
  return AbortSignal.timeout(TIMEOUT_MS);
}

/** What every mesh must do. Runs against the memory mesh and against libp2p. */
export function meshContract(name: string, setUp: () => Promise<MeshPair>): void {
  // oxlint-disable-next-line vitest/valid-title -- the name of the implementation
  describe(name, () => {
    let pair: MeshPair;
    let protocols = 0;
    beforeAll(async () => {
      pair = await setUp();
    }, TIMEOUT_MS);
    afterAll(() => pair.stop(), TIMEOUT_MS);

    /** A stream of a protocol of its own: the caller's end, and the callee's. */
    async function connect(): Promise<{ near: MeshStream; far: MeshStream }> {
      const protocol = `/contract/${(protocols += 1)}`;
      const answered = Promise.withResolvers<MeshStream>();
      const forget = pair.callee.handle(protocol, answered.resolve);
      const near = await pair.caller.dial(pair.callee.addresses(), protocol, {
        signal: soon(),
        direct: true,
      });
      const far = await answered.promise;
      forget();
      return { near, far };
    }

    test("both sides are online and know each other's identity", async () => {
      expect([pair.caller.status().kind, pair.callee.status().kind]).toEqual(["online", "online"]);
      const { near, far } = await connect();
      expect(near.remotePeer).toBe(pair.callee.peerId);
      expect(far.remotePeer).toBe(pair.caller.peerId);
      expect(near.protocol).toBe(far.protocol);
      near.abort(reason());
    });

    test("a mebibyte comes back as it was sent", async () => {
      const { near, far } = await connect();
      const echoing = (async () => {
        for await (const chunk of far.bytes()) await far.send(chunk.slice());
        await far.close();
      })();
      const sent = pattern(1024 * 1024);
      const received = collect(near);
      for (let at = 0; at < sent.length; at += 60_000) await near.send(sent.slice(at, at + 60_000));
      await near.close();
      expect(Buffer.compare(Buffer.from(await received), Buffer.from(sent))).toBe(0);
      await echoing;
    });

    test("the transport is direct, and read from the connection", async () => {
      const { near, far } = await connect();
      for (const stream of [near, far]) {
        const info = await stream.transport();
        expect(info).toMatchObject({ kind: pair.transport, limited: false });
        if (info.kind === "webrtc") {
          expect(info.localCandidate?.type).toMatch(/^(host|prflx|srflx)$/);
          expect(info.remoteCandidate?.port).toBeGreaterThan(0);
        }
      }
      near.abort(reason());
    });

    test("a side that closed may still read; the other reads to the end", async () => {
      const { near, far } = await connect();
      await near.send(pattern(100));
      await near.close();
      await near.close();
      expect((await collect(far)).length).toBe(100);
      await far.send(pattern(70_000));
      await far.close();
      expect((await collect(near)).length).toBe(70_000);
      await expect(near.send(pattern(1))).rejects.toThrow(/disconnected/);
    });

    test("an aborted stream ends with a failure on both sides", async () => {
      const { near, far } = await connect();
      const farEnd = endOf(far);
      await near.send(pattern(10));
      near.abort(reason());
      expect((await endOf(near))?.message).toMatch(/bad-receipt/);
      expect((await farEnd)?.message).toMatch(/disconnected/);
      await expect(near.send(pattern(1))).rejects.toThrow(/bad-receipt/);
      await expect(far.send(pattern(1))).rejects.toThrow(/disconnected/);
    });

    test("what a handler throws aborts its stream", async () => {
      const forget = pair.callee.handle("/contract/throws", () => {
        throw new Error("on purpose");
      });
      const dial = pair.caller.dial(pair.callee.addresses(), "/contract/throws", { signal: soon() });
      expect(await refusalOf(dial)).toMatch(/disconnected/);
      forget();
    });

    test("twenty thousand small frames arrive in order", async () => {
      const { near, far } = await connect();
      const frames = new FrameStream(near);
      const seen: number[] = [];
      const ended = Promise.withResolvers<FailureError | undefined>();
      new FrameStream(far).onFrame((_kind, payload) => {
        seen.push(new DataView(payload.buffer, payload.byteOffset).getUint32(0));
      }, ended.resolve);
      const payload = new Uint8Array(40);
      for (let index = 0; index < 20_000; index++) {
        new DataView(payload.buffer).setUint32(0, index);
        const sent = frames.sendFrame(1 + (index % 9), payload);
        if (index % 50 === 0) await sent;
      }
      await frames.close();
      expect(await ended.promise).toBeUndefined();
      expect(seen).toEqual(Array.from({ length: 20_000 }, (_, index) => index));
    });

    test("a slow reader of frames holds the sender back, and loses nothing", async () => {
      const { near, far } = await connect();
      const frames = new FrameStream(near);
      let handedOver = 0;
      const sending = (async () => {
        for (let index = 0; index < 96; index++) {
          await frames.sendFrame(1, new Uint8Array(64 * 1024).fill(index));
          handedOver += 64 * 1024;
        }
        await frames.close();
      })();
      const gate = Promise.withResolvers<void>();
      const ended = Promise.withResolvers<FailureError | undefined>();
      const seen: number[] = [];
      new FrameStream(far).onFrame((_kind, payload) => {
        seen.push(payload[0] ?? -1);
        return gate.promise;
      }, ended.resolve);
      await expect.poll(() => handedOver).toBeGreaterThanOrEqual(FRAME_WINDOW_BYTES - 128 * 1024);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(handedOver).toBeLessThan(FRAME_WINDOW_BYTES + 256 * 1024);
      expect(seen).toEqual([0]);
      gate.resolve();
      await sending;
      expect(await ended.promise).toBeUndefined();
      expect(seen).toEqual(Array.from({ length: 96 }, (_, index) => index));
    });

    test("an oversized frame aborts the stream for both", async () => {
      const { near, far } = await connect();
      const ended = Promise.withResolvers<FailureError | undefined>();
      new FrameStream(far).onFrame(() => undefined, ended.resolve);
      await near.send(Uint8Array.of(0x7f, 0, 0, 0, 1));
      expect((await ended.promise)?.message).toMatch(/frame-too-large/);
      expect((await endOf(near))?.message).toMatch(/disconnected/);
    });

    test("nobody at the address is unreachable, in words", async () => {
      const dial = pair.caller.dial(pair.nobody, "/contract/x", { signal: soon(), direct: true });
      await expect(dial).rejects.toThrow(/^unreachable: .*peer/);
    });

    test("a protocol that the peer does not speak is a version mismatch", async () => {
      const dial = pair.caller.dial(pair.callee.addresses(), "/contract/unknown/9", { signal: soon() });
      await expect(dial).rejects.toThrow(/^version-mismatch: .*unknown/);
    });

    test("a dial that is aborted fails with the reason given", async () => {
      const stop = new AbortController();
      const why = new Error("changed my mind");
      const dial = pair.caller.dial(pair.nobody, "/contract/x", { signal: stop.signal, direct: true });
      stop.abort(why);
      await expect(dial).rejects.toBe(why);
      const plain = new AbortController();
      const second = pair.caller.dial(pair.nobody, "/contract/x", { signal: plain.signal, direct: true });
      plain.abort();
      await expect(second).rejects.toMatchObject({ name: "AbortError" });
    });

    test("a peer cannot open more streams of a protocol than allowed", async () => {
      const { near: other, far: otherFar } = await connect();
      const forget = pair.callee.handle("/contract/few", () => undefined, { maxStreamsPerPeer: 2 });
      const dial = (): Promise<MeshStream> =>
        pair.caller.dial(pair.callee.addresses(), "/contract/few", { signal: soon() });
      const streams = [await dial(), await dial()];
      expect(await refusalOf(dial())).toMatch(/disconnected/);
      for (const stream of streams) await stream.send(pattern(1));
      await other.send(pattern(10));
      await other.close();
      expect((await collect(otherFar)).length).toBe(10);
      for (const stream of [...streams, other]) stream.abort(reason());
      forget();
    });

    test("a bare stream that nobody reads is cut off instead of filling memory", async () => {
      const { near, far } = await connect();
      const sending = (async () => {
        for (let sent = 0; sent < 64; sent++) await near.send(new Uint8Array(1024 * 1024));
      })();
      const first = await Promise.race([
        sending.then(() => "sent it all").catch(() => "cut off"),
        settled(1500),
      ]);
      expect(first).not.toBe("sent it all");
      far.abort(reason());
      near.abort(reason());
      await sending.catch(() => undefined);
    });

    test("a peer that leaves ends its streams with a failure, not as if they were complete", async () => {
      const { near, far } = await connect();
      await far.send(pattern(10));
      const chunks: Uint8Array[] = [];
      const ended = Promise.withResolvers<FailureError | undefined>();
      near.onBytes((chunk) => chunks.push(chunk), ended.resolve);
      await expect.poll(() => chunks.length).toBe(1);
      await pair.callee.stop();
      await pair.callee.stop();
      expect((await ended.promise)?.message).toMatch(/disconnected/);
      expect(pair.callee.status().kind).toBe("offline");
      expect(pair.callee.addresses()).toEqual([]);
    });
  });
}

async function collect(stream: MeshStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream.bytes()) parts.push(part);
  return new Uint8Array(await new Blob(parts.map((part) => part.slice())).arrayBuffer());
}

/** How a stream that the peer does not want ends: before it is open or right after. */
async function refusalOf(dial: Promise<MeshStream>): Promise<string | undefined> {
  try {
    return (await endOf(await dial))?.message;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function endOf(stream: MeshStream): Promise<FailureError | undefined> {
  const ended = Promise.withResolvers<FailureError | undefined>();
  stream.onBytes(() => undefined, ended.resolve);
  return await ended.promise;
}

function reason(): FailureError {
  return new FailureError("bad-receipt", "the test ends it");
}

async function settled(ms: number): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return "waiting";
}

/** Bytes in which a swap or a gap shows. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8) * 7) & 0xff;
  return bytes;
}
