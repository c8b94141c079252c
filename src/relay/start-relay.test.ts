import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { createLogView } from "../ledger/log-view.ts";
import { createNodeMesh } from "../mesh/node-mesh.ts";
import { createRelayClient } from "../mesh/relay-client.ts";
import { untilOnline } from "../mesh/until-online.ts";
import { OfferLine } from "../provider/offer-line.ts";
import { ABIS } from "../protocol/messages/session.ts";
import { FailureError } from "../protocol/failure.ts";
import { openEnvelope, seal } from "../protocol/envelope.ts";
import { header } from "../protocol/header.ts";
import { type Job, jobMessage } from "../protocol/messages/job.ts";
import { leaseMessage } from "../protocol/messages/lease.ts";
import type { RelayInfo } from "../protocol/relay-api.ts";
import { microCredits } from "../protocol/units.ts";
import { jobBody, openScene, seedOf, sessionOf, signerOf } from "./books/books-scene.contract.ts";
import { verifyNative } from "./books/native-keys.ts";
import { relayConfig, type RelayConfig } from "./config.ts";
import { type Relay, startRelay } from "./start-relay.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) {
    // oxlint-disable-next-line no-await-in-loop -- in reverse order
    await close();
  }
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "relay-"));
  closing.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function start(changes: Partial<RelayConfig> = {}): Promise<Relay> {
  const config = { port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent" as const, ...changes };
  const relay = await startRelay(relayConfig(config));
  closing.push(() => relay.stop());
  return relay;
}

function clientOf(relay: Relay): ReturnType<typeof createRelayClient> {
  return createRelayClient({ baseUrl: relay.url, fetch });
}

test("a relay answers on its port, says where its mesh is, and stops for good", async () => {
  const relay = await start({ name: "a test" });
  const info = await clientOf(relay).info();
  expect(info).toMatchObject({
    name: "a test",
    origin: relay.origin,
    asset: `test:${relay.origin}`,
    peer: relay.peer,
    addresses: [`/ip4/127.0.0.1/tcp/${relay.port}/ws/p2p/${relay.peer}`],
  });
  expect(relay.origin).toMatch(/^localhost\/[0-9a-f]{8}$/);
  expect(await (await fetch(`${relay.url}/healthz`)).json()).toEqual({
    ok: true,
    books: true,
    disk: true,
    mesh: true,
  });
  await Promise.all([relay.stop(), relay.stop()]);
  await expect(clientOf(relay).info()).rejects.toThrow(/disconnected/);
});

test("after a restart the relay is the same: keys, money, log, blobs", async () => {
  const dataDir = folder();
  const { key } = signerOf("requester");
  const blob = new Uint8Array(5_000).fill(5);
  const first = await start({ dataDir });
  const before = await clientOf(first).info();
  await first.books.grant(key, microCredits(7), "a test");
  const trusted = { logKey: before.keys.log, checkpoint: await clientOf(first).checkpoint() };
  const { policy } = before;
  const cid = cidOf(RAW, blob);
  await clientOf(first).putBlob(cid, blob);
  await first.stop();

  const second = await start({ dataDir });
  const client = clientOf(second);
  const after = await client.info();
  expect({ ...after, addresses: [], now: 0 }).toEqual({ ...before, addresses: [], now: 0 });
  expect((await client.account(key)).available).toBe(7n);
  expect(await client.getBlob(cid, 10_000)).toEqual(blob);
  expect(await client.getBlob(policy, 10_000)).toBeDefined();
  const log = createLogView({
    origin: after.origin,
    trusted,
    fetchCheckpoint: () => client.checkpoint(),
    fetchConsistency: (from, to) => client.consistency(from, to),
    verify: (...claim) => Promise.resolve(verifyNative(...claim)),
    remember: () => Promise.resolve(),
  });
  await log.refresh();
});

test("keys are for their owner alone", async () => {
  const dataDir = folder();
  await start({ dataDir });
  expect(statSync(join(dataDir, "keys.json")).mode & 0o777).toBe(0o600);
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
});

test("a folder serves one relay at a time", async () => {
  const dataDir = folder();
  const first = await start({ dataDir });
  await expect(start({ dataDir })).rejects.toThrow(/another relay runs on/);
  expect((await clientOf(first).info()).origin).toBe(first.origin);
  await first.stop();
  await start({ dataDir });
});

test("a relay that cannot start leaves nothing behind", async () => {
  const dataDir = folder();
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  closing.push(() => taken.close());
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await expect(start({ dataDir, port })).rejects.toThrow(/EADDRINUSE/);
  await start({ dataDir });
});

test("an origin is fixed at the first start", async () => {
  const dataDir = folder();
  const first = await start({ dataDir, origin: "relay.example/log" });
  expect(first.origin).toBe("relay.example/log");
  await first.stop();
  await expect(start({ dataDir, origin: "other.example/log" })).rejects.toThrow(
    /cannot become other.example/,
  );
  expect((await start({ dataDir })).origin).toBe("relay.example/log");
});

/** A provider's mesh and offer line, as a tab has them. */
async function offerer(
  relay: Relay,
  info: RelayInfo,
): Promise<{ line: OfferLine; leave: () => Promise<void> }> {
  const mesh = await createNodeMesh({ privateKey: seedOf("provider tab"), relay: info.addresses[0]! });
  closing.push(() => mesh.stop());
  await mesh.start();
  await untilOnline(mesh, AbortSignal.timeout(20_000));
  const line = await OfferLine.open(
    {
      mesh,
      relay: info.addresses[0]!,
      ground: info,
      root: signerOf("provider").key,
      signer: await sessionOf("provider", "provider tab", Date.now(), Date.now() + 60_000),
      verify: (...claim) => Promise.resolve(verifyNative(...claim)),
      tariffMin: info.tariff,
      capacity: () => ({ workers: 2, free: 2, memoryBytes: 1 << 28, abis: ABIS }),
      note: () => undefined,
      now: Date.now,
    },
    AbortSignal.timeout(20_000),
  );
  return { line, leave: () => mesh.stop() };
}

async function jobFor(info: RelayInfo, name: string): Promise<Uint8Array> {
  const scene = await openScene();
  scene.books.close();
  const { key } = signerOf(name);
  const changes: Partial<Job> = {
    ...header(info.origin, info.asset),
    requester: key,
    payer: key,
    issuedAt: Date.now(),
    expires: Date.now() + 60_000,
    tariffMax: info.tariff,
  };
  return seal(jobMessage, jobBody(scene, changes), [signerOf(name)]);
}

test("a provider's offer reaches a job: a lease for its instance, with addresses it can be called at", async () => {
  const relay = await start();
  const client = clientOf(relay);
  const info = await client.info();
  const { leave } = await offerer(relay, info);
  const job = await jobFor(info, "newcomer");
  const answer = await client.submitJob(job);
  expect(answer.leases).toHaveLength(1);
  const { body } = openEnvelope(leaseMessage, answer.leases[0]!.lease);
  expect(body.instance).toBe(signerOf("provider tab").key);
  expect(answer.leases[0]!.addresses.join()).toContain("/p2p-circuit/");
  expect(answer.available).toBe(10_000_000n - 10_000n);
  await leave();
  const second = await jobFor(info, "newcomer");
  await expect
    .poll(() =>
      client
        .submitJob(second)
        .catch((error: unknown) => (error instanceof FailureError ? error.message : "")),
    )
    .toBe("no-provider: no provider is connected");
});

/** Status of a WebSocket upgrade through a proxy: 101 when the mesh has taken it. */
async function upgrade(relay: Relay, forwardedFor: string): Promise<number> {
  const asked = request({
    port: relay.port,
    host: "127.0.0.1",
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "x-forwarded-for": forwardedFor,
    },
  });
  const status = Promise.withResolvers<number>();
  asked.on("upgrade", (_response, socket) => {
    status.resolve(101);
    socket.on("error", () => undefined);
    closing.push(() => socket.destroy());
  });
  asked.on("response", (response) => {
    response.resume();
    status.resolve(response.statusCode ?? 0);
  });
  asked.on("error", status.reject);
  asked.end();
  return status.promise;
}

test("two hundred tabs that come at once through one proxy are all let in, each by its own address", async () => {
  const relay = await start({ trustedProxies: ["127.0.0.1"], connectRate: { burst: 2, perSecond: 1 } });
  const statuses = await Promise.all(
    Array.from({ length: 200 }, (_, index) => upgrade(relay, `192.0.2.${index}`)),
  );
  expect(statuses.filter((status) => status !== 101)).toEqual([]);
  const crowd = await Promise.all(Array.from({ length: 5 }, () => upgrade(relay, "198.51.100.1")));
  expect(crowd.filter((status) => status === 429)).toHaveLength(3);
});

test("two hundred tabs that come at once from one address are all let in as the relay is by default", async () => {
  const relay = await start();
  const statuses = await Promise.all(Array.from({ length: 200 }, () => upgrade(relay, "")));
  expect(statuses.filter((status) => status !== 101)).toEqual([]);
});

test("a relay that was killed comes back with everything it had acknowledged", async () => {
  const dataDir = folder();
  const script = `
    import { startRelay } from ${JSON.stringify(new URL("start-relay.ts", import.meta.url).href)};
    import { relayConfig } from ${JSON.stringify(new URL("config.ts", import.meta.url).href)};
    const config = relayConfig({ port: 0, dataDir: ${JSON.stringify(dataDir)}, iceServers: [], logLevel: "silent" });
    const relay = await startRelay(config);
    for (let count = 1; ; count += 1) {
      const { index } = await relay.books.grant(${JSON.stringify(signerOf("requester").key)}, 1n, "grant " + count);
      process.stdout.write(index + "\\n");
    }`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let acknowledged = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (chunk) => (acknowledged += String(chunk)));
  await expect.poll(() => acknowledged.split("\n").length, { timeout: 20_000 }).toBeGreaterThan(50);
  child.kill("SIGKILL");
  await once(child, "close");
  const lines = acknowledged.split("\n").slice(0, -1);

  const relay = await start({ dataDir });
  const available = relay.books.account(signerOf("requester").key).available;
  expect(available).toBeGreaterThanOrEqual(BigInt(lines.length));
  for (const line of lines) expect(relay.books.entry(Number(line))).toBeDefined();
  expect(relay.books.size()).toBe(2 + Number(available));
});

test("events come over the network as they happen, and a listener that leaves is forgotten", async () => {
  const relay = await start();
  const { key } = signerOf("requester");
  async function streams(): Promise<string | undefined> {
    const text = await (await fetch(`${relay.url}/metrics`)).text();
    return /^tabmesh_event_streams (\d+)$/mu.exec(text)?.[1];
  }
  const leaving = new AbortController();
  const seen: bigint[] = [];
  for await (const event of clientOf(relay).events(key, { signal: leaving.signal })) {
    if (event.kind === "account") seen.push(event.data.available);
    if (seen.length === 1) {
      expect(await streams()).toBe("1");
      await relay.books.grant(key, microCredits(3), "a test");
    }
    if (seen.length === 2) leaving.abort();
  }
  expect(seen).toEqual([0n, 3n]);
  await expect.poll(streams).toBe("0");
});
