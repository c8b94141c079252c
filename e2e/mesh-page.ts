/** The page behind `mesh.spec.ts`: a tab that joins the mesh and does what the test tells it. */
import type { FailureError } from "../src/protocol/failure.ts";
import { FrameStream } from "../src/mesh/frame-stream.ts";
import type { Mesh, MeshStream, TransportInfo } from "../src/mesh/mesh.ts";
import { createTabMesh } from "../src/mesh/tab-mesh.ts";
import { untilOnline } from "../src/mesh/until-online.ts";

const ECHO = "/e2e/echo";
const FRAMES = "/e2e/frames";
const SINK = "/e2e/sink";
/** What one transfer of the bare measurement carries. */
const TRANSFER_BYTES = 1024 * 1024;
let mesh: Mesh | undefined;
let open: MeshStream | undefined;
const ends: string[] = [];

function joined(): Mesh {
  if (mesh === undefined) throw new Error("not joined");
  return mesh;
}

function soon(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

const page = {
  async join(
    relay: string,
    seed: number,
  ): Promise<{ peerId: string; addresses: readonly string[]; ms: number }> {
    const begun = performance.now();
    mesh = await createTabMesh({ privateKey: new Uint8Array(32).fill(seed), relay });
    mesh.handle(ECHO, async (stream) => {
      for await (const chunk of stream.bytes()) await stream.send(chunk);
      await stream.close();
    });
    mesh.handle(FRAMES, (stream) => {
      const frames = new FrameStream(stream);
      frames.onFrame(
        (kind, payload) => frames.sendFrame(kind, payload),
        () => void frames.close(),
      );
    });
    mesh.handle(SINK, (stream) => {
      let received = 0;
      stream.onBytes(
        (chunk) => {
          received += chunk.length;
          if (received % TRANSFER_BYTES === 0) void stream.send(Uint8Array.of(1));
        },
        () => undefined,
      );
    });
    await mesh.start();
    await untilOnline(mesh, soon());
    return { peerId: mesh.peerId, addresses: mesh.addresses(), ms: performance.now() - begun };
  },

  status: (): string => joined().status().kind,

  addresses: (): readonly string[] => joined().addresses(),

  /** Sends `bytes` and reads them back. Times are medians over `rounds`. */
  async echo(
    to: readonly string[],
    bytes: number,
    rounds: number,
  ): Promise<{ dialMs: number; ms: number; equal: boolean; transport: TransportInfo }> {
    const begun = performance.now();
    const stream = await joined().dial(to, ECHO, { signal: soon(), direct: true });
    const dialMs = performance.now() - begun;
    const reader = stream.bytes()[Symbol.asyncIterator]();
    const sent = Uint8Array.from({ length: bytes }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
    const times: number[] = [];
    let equal = true;
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      const sending = sendAll(stream, sent);
      equal &&= await readsBack(reader, sent);
      await sending;
      times.push(performance.now() - start);
    }
    const transport = await stream.transport();
    stream.abort(await ended());
    return { dialMs, ms: times.toSorted((a, b) => a - b)[rounds >> 1] ?? 0, equal, transport };
  },

  /** Round trips of small frames, `inFlight` at a time. */
  async frames(
    to: readonly string[],
    count: number,
    inFlight: number,
  ): Promise<{ perSecond: number; inOrder: boolean }> {
    const stream = new FrameStream(await joined().dial(to, FRAMES, { signal: soon(), direct: true }));
    const done = Promise.withResolvers<void>();
    const payload = new Uint8Array(100);
    let sent = 0;
    let received = 0;
    let inOrder = true;
    const send = (): void => {
      new DataView(payload.buffer).setUint32(0, (sent += 1));
      void stream.sendFrame(1, payload);
    };
    stream.onFrame(
      (_kind, echoed) => {
        inOrder &&= new DataView(echoed.buffer, echoed.byteOffset).getUint32(0) === (received += 1);
        if (received === count) done.resolve();
        else if (sent < count) send();
      },
      (failure) => done.reject(failure),
    );
    const begun = performance.now();
    for (let index = 0; index < inFlight; index++) send();
    await done.promise;
    const seconds = (performance.now() - begun) / 1000;
    stream.abort(await ended());
    return { perSecond: count / seconds, inOrder };
  },

  /** Median time of a transfer of 1 MiB one way over the bare stream, acknowledged by a byte, in ms. */
  async transfer(to: readonly string[], rounds: number): Promise<number> {
    const stream = await joined().dial(to, SINK, { signal: soon(), direct: true });
    const reader = stream.bytes()[Symbol.asyncIterator]();
    const sent = new Uint8Array(TRANSFER_BYTES);
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const begun = performance.now();
      await stream.send(sent);
      await reader.next();
      times.push(performance.now() - begun);
    }
    stream.abort(await ended());
    return times.toSorted((a, b) => a - b)[rounds >> 1] ?? 0;
  },

  /** The same in frames of 64 KiB that come back: MB/s each way. */
  async framed(to: readonly string[], bytes: number): Promise<number> {
    const stream = new FrameStream(await joined().dial(to, FRAMES, { signal: soon(), direct: true }));
    let back = 0;
    const done = Promise.withResolvers<void>();
    stream.onFrame(
      (_kind, payload) => {
        if ((back += payload.length) >= bytes) done.resolve();
      },
      (failure) => done.reject(failure),
    );
    const begun = performance.now();
    for (let at = 0; at < bytes; at += 65_536) await stream.sendFrame(2, new Uint8Array(65_536));
    await done.promise;
    const ms = performance.now() - begun;
    stream.abort(await ended());
    return bytes / 1e6 / (ms / 1000);
  },

  /** Keeps a stream open and notes how it ends. */
  async hold(to: readonly string[]): Promise<void> {
    open = await joined().dial(to, ECHO, { signal: soon(), direct: true });
    open.onBytes(
      () => undefined,
      (failure) => ends.push(failure?.message ?? "complete"),
    );
    await open.send(Uint8Array.of(1));
  },

  ends: (): readonly string[] => ends,

  /** What a dial fails with. */
  async refusal(to: readonly string[], ms: number): Promise<string> {
    try {
      await joined().dial(to, ECHO, { signal: AbortSignal.timeout(ms), direct: true });
      return "connected";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },

  /** What joining fails with. */
  async joinRefusal(relay: string): Promise<string> {
    try {
      await createTabMesh({ privateKey: new Uint8Array(32), relay });
      return "joined";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },

  stop: (): Promise<void> => joined().stop(),
};

async function sendAll(stream: MeshStream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += 65_536) await stream.send(bytes.slice(at, at + 65_536));
}

async function readsBack(reader: AsyncIterator<Uint8Array>, expected: Uint8Array): Promise<boolean> {
  let at = 0;
  let equal = true;
  while (at < expected.length) {
    const { value, done } = await reader.next();
    if (done === true) return false;
    for (let index = 0; index < value.length; index++) equal &&= value[index] === expected[at + index];
    at += value.length;
  }
  return equal;
}

async function ended(): Promise<FailureError> {
  const { FailureError: Failure } = await import("../src/protocol/failure.ts");
  return new Failure("disconnected", "the test is done with it");
}

export type MeshPage = typeof page;

Object.assign(globalThis, { meshPage: page });
