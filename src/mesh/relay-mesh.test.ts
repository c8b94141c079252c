import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, test } from "vitest";
import type { Mesh, MeshStatus, MeshStream } from "./mesh.ts";
import { createNodeMesh } from "./node-mesh.ts";
import { startTestRelay, type TestRelay } from "./test-relay.contract.ts";
import { untilOnline } from "./until-online.ts";

function soon(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

async function peer(relay: TestRelay | string, byte: number): Promise<Mesh> {
  const privateKey = new Uint8Array(32).fill(byte);
  privateKey[31] = byte >> 8;
  return await createNodeMesh({ privateKey, relay: typeof relay === "string" ? relay : relay.address });
}

test("plain HTTP and the mesh share one port, and the gate can refuse", async () => {
  let refuse = false;
  const relay = await startTestRelay({
    admit: ({ socket }) =>
      refuse ? { status: 429, reason: `too many from ${socket.remoteAddress}` } : undefined,
  });
  const a = await peer(relay, 1);
  await a.start();
  await untilOnline(a, soon());
  expect(await (await fetch(relay.origin)).text()).toMatch(/same port/);
  expect(relay.mesh.peers()).toEqual([a.peerId]);

  refuse = true;
  const told: MeshStatus[] = [];
  const b = await peer(relay, 2);
  b.onStatus((status) => told.push(status));
  await b.start();
  await expect.poll(() => told.filter(({ kind }) => kind === "reconnecting").length).toBeGreaterThan(1);
  expect(told[0]).toEqual({ kind: "connecting" });
  expect(told[1]).toMatchObject({ kind: "reconnecting", attempt: 1, reason: "the relay does not answer" });
  refuse = false;
  await untilOnline(b, soon());
  expect(relay.mesh.reservationCount()).toBe(2);
  await Promise.all([a.stop(), b.stop()]);
  await relay.stop();
});

test("the gate's names of connections lead to the peers that came by them", async () => {
  const admitted: string[] = [];
  const relay = await startTestRelay({
    admit: (_request, remote) => {
      admitted.push(remote);
      return undefined;
    },
  });
  const [a, b] = [await peer(relay, 1), await peer(relay, 2)];
  await a.start();
  await untilOnline(a, soon());
  await b.start();
  await untilOnline(b, soon());
  expect(admitted).toHaveLength(2);
  expect([relay.mesh.remotes(a.peerId), relay.mesh.remotes(b.peerId)]).toEqual(
    admitted.map((remote) => [remote]),
  );
  expect(admitted[0]).toMatch(/^\/ip[46]\/.*\/tcp\/\d+$/u);
  await Promise.all([a.stop(), b.stop()]);
  await relay.stop();
});

test("two hundred peers that connect at once through one address are all admitted and can be called", async () => {
  const relay = await startTestRelay();
  const peers = await Promise.all(Array.from({ length: 200 }, (_, index) => peer(relay, index)));
  const refused: MeshStatus[] = [];
  for (const mesh of peers) {
    mesh.onStatus((status) => {
      if (status.kind === "reconnecting") refused.push(status);
    });
  }
  await Promise.all(peers.map((mesh) => mesh.start()));
  await Promise.all(peers.map((mesh) => untilOnline(mesh, AbortSignal.timeout(60_000))));
  expect(refused).toEqual([]);
  expect(relay.mesh.reservationCount()).toBe(200);
  expect(relay.mesh.peers().length).toBe(200);
  await Promise.all(peers.map((mesh) => mesh.stop()));
  await expect.poll(() => relay.mesh.reservationCount() + relay.mesh.peers().length).toBe(0);
  await relay.stop();
}, 90_000);

test("a peer finds its relay again after a restart, says so meanwhile, and can be called again", async () => {
  const relay = await startTestRelay();
  const [a, b] = [await peer(relay, 1), await peer(relay, 2)];
  b.handle("/echo", async (stream: MeshStream) => {
    for await (const chunk of stream.bytes()) await stream.send(chunk);
  });
  await Promise.all([a.start(), b.start()]);
  await Promise.all([untilOnline(a, soon()), untilOnline(b, soon())]);
  const told: MeshStatus[] = [];
  b.onStatus((status) => told.push(status));

  await relay.stop();
  await expect.poll(() => b.status().kind).toBe("reconnecting");
  expect(b.addresses()).toEqual([]);
  const again = await startTestRelay({ port: relay.port });
  await Promise.all([untilOnline(a, soon()), untilOnline(b, soon())]);

  expect(again.mesh.reservationCount()).toBe(2);
  expect(told[0]).toMatchObject({
    kind: "reconnecting",
    attempt: 1,
    reason: expect.stringMatching(/relay closed/),
  });
  expect(told.at(-1)).toEqual({ kind: "online" });
  const stream = await a.dial(b.addresses(), "/echo", { signal: soon(), direct: true });
  expect(await stream.transport()).toMatchObject({ kind: "webrtc", limited: false });
  await Promise.all([a.stop(), b.stop()]);
  await again.stop();
});

test("a direct connection outlives the relay", async () => {
  const relay = await startTestRelay();
  const [a, b] = [await peer(relay, 1), await peer(relay, 2)];
  const seen: number[] = [];
  b.handle("/in", (stream) => {
    stream.onBytes(
      (chunk) => seen.push(...chunk),
      () => undefined,
    );
  });
  await Promise.all([a.start(), b.start()]);
  await Promise.all([untilOnline(a, soon()), untilOnline(b, soon())]);
  const stream = await a.dial(b.addresses(), "/in", { signal: soon(), direct: true });
  await relay.stop();
  await stream.send(Uint8Array.of(1, 2, 3));
  await expect.poll(() => seen).toEqual([1, 2, 3]);
  await Promise.all([a.stop(), b.stop()]);
});

test("a peer that starts again under its identity is reached again", async () => {
  const relay = await startTestRelay();
  const [a, b] = [await peer(relay, 1), await peer(relay, 2)];
  b.handle("/first", () => undefined);
  await Promise.all([a.start(), b.start()]);
  await Promise.all([untilOnline(a, soon()), untilOnline(b, soon())]);
  const addresses = b.addresses();
  await a.dial(addresses, "/first", { signal: soon(), direct: true });
  await b.stop();

  const again = await peer(relay, 2);
  again.handle("/second", () => undefined);
  await again.start();
  await untilOnline(again, soon());
  expect(again.peerId).toBe(b.peerId);
  const stream = await a.dial(addresses, "/second", { signal: soon(), direct: true });
  expect(await stream.transport()).toMatchObject({ kind: "webrtc" });
  await Promise.all([a.stop(), again.stop()]);
  await relay.stop();
});

test("a relayed connection is used only where both sides allow it, and says what it is", async () => {
  const relay = await startTestRelay();
  const [a, b] = [await peer(relay, 1), await peer(relay, 2)];
  b.handle("/relayed", (stream) => void stream.send(Uint8Array.of(42)), { allowRelayed: true });
  b.handle("/direct", () => undefined);
  await Promise.all([a.start(), b.start()]);
  await Promise.all([untilOnline(a, soon()), untilOnline(b, soon())]);
  const circuit = b.addresses().filter((address) => !address.includes("webrtc"));
  expect(circuit.length).toBeGreaterThan(0);

  const stream = await a.dial(circuit, "/relayed", { signal: soon() });
  expect(await stream.transport()).toEqual({ kind: "circuit", limited: true });
  for await (const chunk of stream.bytes()) {
    expect([...chunk]).toEqual([42]);
    break;
  }
  await expect(a.dial(circuit, "/relayed", { signal: soon(), direct: true })).rejects.toThrow(
    /^unreachable: .*no address for a direct connection/,
  );
  const refused = await a.dial(circuit, "/direct", { signal: soon() });
  const ended = Promise.withResolvers<unknown>();
  refused.onBytes(() => undefined, ended.resolve);
  expect(String(await ended.promise)).toMatch(/disconnected/);
  await Promise.all([a.stop(), b.stop()]);
  await relay.stop();
});

test("the relay calls a connected peer over the connection it holds, and can disconnect it", async () => {
  const relay = await startTestRelay();
  const a = await peer(relay, 1);
  const connected: [string, boolean][] = [];
  relay.mesh.onPeer((peerId, now) => connected.push([peerId, now]));
  const called = Promise.withResolvers<MeshStream>();
  a.handle("/call", called.resolve);
  await a.start();
  await untilOnline(a, soon());
  const stream = await relay.mesh.dial(`/p2p/${a.peerId}`, "/call", { signal: soon(), direct: true });
  expect(await stream.transport()).toEqual({ kind: "websocket", limited: false });
  expect((await called.promise).remotePeer).toBe(relay.mesh.peerId);
  expect(relay.mesh.isConnected(a.peerId)).toBe(true);
  await relay.mesh.disconnect(a.peerId);
  await expect
    .poll(() => connected.slice(0, 2))
    .toEqual([
      [a.peerId, true],
      [a.peerId, false],
    ]);
  await a.stop();
  await relay.stop();
});

test.each([
  ["a peer that left", /not connected to the relay/, false],
  ["a relay that is gone", /the relay that leads to the peer does not answer/, true],
])("dialling %s says why it failed", async (_name, why, stopRelay) => {
  const relay = await startTestRelay();
  const [a, b] = [await peer(relay, 1), await peer(relay, 2)];
  await Promise.all([a.start(), b.start()]);
  await Promise.all([untilOnline(a, soon()), untilOnline(b, soon())]);
  const addresses = b.addresses();
  await b.stop();
  await expect.poll(() => relay.mesh.reservationCount()).toBe(1);
  if (stopRelay) await relay.stop();
  await expect(a.dial(addresses, "/x", { signal: soon(), direct: true })).rejects.toThrow(why);
  await a.stop();
  if (!stopRelay) await relay.stop();
});

test("a peer without a relay is offline and says why", async () => {
  const a = await createNodeMesh({ privateKey: new Uint8Array(32).fill(9) });
  await a.start();
  expect(a.status()).toEqual({ kind: "offline", reason: "no relay is configured" });
  await a.stop();
});

/** A network path to the relay that can go dead without closing anything, as when a laptop changes its network. */
async function pathTo(port: number): Promise<{ port: number; freeze(): void; stop(): void }> {
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on("error", () => undefined);
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port: own } = server.address() as AddressInfo;
  return {
    port: own,
    freeze: () => {
      for (const socket of sockets.splice(0)) socket.unpipe().pause();
    },
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test("a path that goes dead is noticed on both sides, and another is made", async () => {
  const relay = await startTestRelay({ socketPingMs: 300 });
  const path = await pathTo(relay.port);
  const a = await createNodeMesh({
    privateKey: new Uint8Array(32).fill(1),
    relay: relay.address.replace(`/tcp/${relay.port}/`, `/tcp/${path.port}/`),
    relayCheckMs: 1_000,
  });
  const connected: boolean[] = [];
  relay.mesh.onPeer((_peerId, now) => connected.push(now));
  const told: MeshStatus[] = [];
  await a.start();
  await untilOnline(a, soon());
  a.onStatus((status) => told.push(status));
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(told).toEqual([]);

  path.freeze();
  await expect.poll(() => connected, { timeout: 5_000 }).toContain(false);
  await expect
    .poll(() => told[0], { timeout: 5_000 })
    .toMatchObject({
      kind: "reconnecting",
      reason: "the relay stopped answering",
    });
  await untilOnline(a, soon());
  expect(relay.mesh.reservationCount()).toBe(1);
  await a.stop();
  path.stop();
  await relay.stop();
});
