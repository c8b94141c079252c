/** Two real browsers over WebRTC: the mesh as a person's tab runs it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { type Browser, chromium, expect, type Page, test } from "@playwright/test";
import { build } from "vite";
import { relayAddress } from "../src/mesh/mesh-address.ts";
import { createNodeMesh } from "../src/mesh/node-mesh.ts";
import { createRelayMesh, type RelayMesh } from "../src/mesh/relay-mesh.ts";
import { untilOnline } from "../src/mesh/until-online.ts";
import type { MeshPage } from "./mesh-page.ts";

declare const meshPage: MeshPage;

const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
];
const MAX_MESH_CHUNK_BYTES = 140_000;

interface Site {
  readonly relay: RelayMesh;
  readonly origin: string;
  readonly address: string;
  stop(): Promise<void>;
}

let script = "";
let folder = "";
let site: Site;
const browsers: Browser[] = [];

async function buildPage(): Promise<string> {
  folder = await mkdtemp(join(tmpdir(), "tabmesh-mesh-"));
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      outDir: folder,
      target: "es2024",
      rolldownOptions: {
        input: join(import.meta.dirname, "mesh-page.ts"),
        output: { codeSplitting: false, entryFileNames: "page.js" },
      },
      minify: true,
    },
  });
  return await readFile(join(folder, "page.js"), "utf8");
}

async function startSite(port: number): Promise<Site> {
  const relay = await createRelayMesh({ privateKey: new Uint8Array(32).fill(9) });
  const server = createServer((request, response) => {
    response.setHeader("content-type", request.url === "/page.js" ? "text/javascript" : "text/html");
    response.end(
      request.url === "/page.js" ? script : '<!doctype html><script type="module" src="/page.js"></script>',
    );
  });
  server.on("upgrade", (request, socket, head) => relay.handleUpgrade(request, socket, head));
  await relay.start();
  await new Promise<void>((resolve) => server.listen(port, "0.0.0.0", resolve));
  const bound = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${bound.port}`;
  return {
    relay,
    origin,
    address: relayAddress(origin, relay.peerId),
    stop: async () => {
      await relay.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function openTab(options: { flags?: string[]; before?: string; origin?: string } = {}): Promise<Page> {
  const browser = await chromium.launch({
    executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
    args: [...CHROMIUM_FLAGS, ...(options.flags ?? [])],
  });
  browsers.push(browser);
  const page = await browser.newPage();
  if (options.before !== undefined) await page.addInitScript(options.before);
  await page.goto(options.origin ?? site.origin);
  await page.waitForFunction("globalThis.meshPage !== undefined");
  return page;
}

async function joinAs(
  page: Page,
  seed: number,
): Promise<{ peerId: string; addresses: readonly string[]; ms: number }> {
  return await page.evaluate(([relay, number]) => meshPage.join(relay, number), [
    site.address,
    seed,
  ] as const);
}

/** Generous: two cores may be busy with two browsers and a build. */
test.describe.configure({ timeout: 120_000 });

test.beforeAll(async () => {
  script = await buildPage();
  site = await startSite(0);
});

test.afterEach(async () => {
  await Promise.all(browsers.splice(0).map((browser) => browser.close()));
});

test.afterAll(async () => {
  await site.stop();
  await rm(folder, { recursive: true });
});

test("the mesh of a tab fits its budget", () => {
  const bytes = brotliCompressSync(script).byteLength;
  console.log(`mesh chunk: ${bytes} bytes brotli`);
  expect(bytes).toBeLessThanOrEqual(MAX_MESH_CHUNK_BYTES);
});

test("two tabs in two browsers exchange a mebibyte directly", async () => {
  const [a, b] = [await openTab(), await openTab()];
  const [joinedA, joinedB] = [await joinAs(a, 1), await joinAs(b, 2)];
  expect(joinedB.addresses[0]).toContain(`/webrtc/p2p/${joinedB.peerId}`);
  const result = await a.evaluate((to) => meshPage.echo(to, 1024 * 1024, 5), joinedB.addresses);
  const small = await a.evaluate((to) => meshPage.echo(to, 100, 101), joinedB.addresses);
  const frames = await a.evaluate((to) => meshPage.frames(to, 10_000, 64), joinedB.addresses);
  const transferMs = await a.evaluate((to) => meshPage.transfer(to, 11), joinedB.addresses);
  const framed = await a.evaluate((to) => meshPage.framed(to, 4 * 1024 * 1024), joinedB.addresses);
  console.log(
    `join ${joinedA.ms.toFixed(0)} ms, dial ${result.dialMs.toFixed(0)} ms, 100 B echo ${small.ms.toFixed(2)} ms, ` +
      `1 MiB echo ${result.ms.toFixed(1)} ms, 1 MiB one way ${transferMs.toFixed(1)} ms ` +
      `(${(1.048576 / (transferMs / 1000)).toFixed(1)} MB/s), ${frames.perSecond.toFixed(0)} frames/s echoed, ` +
      `frames of 64 KiB echoed ${framed.toFixed(1)} MB/s each way`,
  );
  expect(result.equal).toBe(true);
  expect(frames.inOrder).toBe(true);
  expect(result.transport).toMatchObject({ kind: "webrtc", limited: false, protocol: "udp" });
  expect(result.transport.localCandidate?.type).toMatch(/^(host|prflx)$/);
  expect(result.transport.remoteCandidate?.port).toBeGreaterThan(0);
});

test("twenty dials in a row all connect", { tag: "@long" }, async () => {
  const [a, b] = [await openTab(), await openTab()];
  const { addresses } = await joinAs(b, 1);
  const results: string[] = [];
  for (let round = 0; round < 20; round++) {
    await joinAs(a, 10 + round);
    results.push(await a.evaluate((to) => meshPage.refusal(to, 6_000), addresses));
    await a.evaluate(() => meshPage.stop());
  }
  expect(new Set(results)).toEqual(new Set(["connected"]));
});

test("a Node process calls a tab directly", async () => {
  const tab = await openTab();
  const { addresses } = await joinAs(tab, 3);
  const caller = await createNodeMesh({ privateKey: new Uint8Array(32).fill(4), relay: site.address });
  await caller.start();
  await untilOnline(caller, AbortSignal.timeout(10_000));
  const stream = await caller.dial(addresses, "/e2e/echo", {
    signal: AbortSignal.timeout(10_000),
    direct: true,
  });
  await stream.send(Uint8Array.of(1, 2, 3));
  await stream.close();
  const received: number[] = [];
  for await (const chunk of stream.bytes()) received.push(...chunk);
  expect(received).toEqual([1, 2, 3]);
  expect(await stream.transport()).toMatchObject({ kind: "webrtc", limited: false });
  await caller.stop();
});

test("a browser that is killed ends the streams of its peers with a failure", { tag: "@long" }, async () => {
  const [a, b] = [await openTab(), await openTab()];
  await joinAs(a, 1);
  const { addresses } = await joinAs(b, 2);
  await a.evaluate((to) => meshPage.hold(to), addresses);
  await b.context().browser()?.close();
  await expect.poll(() => a.evaluate(() => meshPage.ends()), { timeout: 60_000 }).toHaveLength(1);
  expect(await a.evaluate(() => meshPage.ends())).toEqual([expect.stringContaining("disconnected")]);
});

test(
  "a tab that vanished and came back is answered over its newest connection",
  { tag: "@long" },
  async () => {
    const b = await openTab();
    const { addresses } = await joinAs(b, 2);
    let callerId = "";
    for (let life = 0; life < 3; life++) {
      const a = await openTab();
      callerId = (await joinAs(a, 1)).peerId;
      expect(await a.evaluate((to) => meshPage.refusal(to, 15_000), addresses)).toBe("connected");
      if (life < 2) await a.context().browser()?.close();
    }
    expect(await b.evaluate((to) => meshPage.refusal([to], 8_000), `/p2p/${callerId}`)).toBe("connected");
  },
);

test("a tab comes back after its relay was restarted", { tag: "@long" }, async () => {
  const [a, b] = [await openTab(), await openTab()];
  await joinAs(a, 1);
  const { addresses } = await joinAs(b, 2);
  const port = Number(new URL(site.origin).port);
  await site.stop();
  await expect.poll(() => b.evaluate(() => meshPage.status())).toBe("reconnecting");
  site = await startSite(port);
  await expect.poll(() => site.relay.reservationCount(), { timeout: 20_000 }).toBe(2);
  await expect.poll(() => b.evaluate(() => meshPage.status())).toBe("online");
  expect(await b.evaluate(() => meshPage.addresses())).toEqual(addresses);
  expect((await a.evaluate((to) => meshPage.echo(to, 1000, 1), addresses)).equal).toBe(true);
});

test(
  "a tab whose browser has no WebRTC says so, and so does the tab that calls it",
  { tag: "@long" },
  async () => {
    const without = "delete globalThis.RTCPeerConnection; delete globalThis.webkitRTCPeerConnection;";
    const [a, b] = [await openTab({ before: without }), await openTab()];
    const joinedA = await joinAs(a, 1);
    const joinedB = await joinAs(b, 2);
    expect(await a.evaluate((to) => meshPage.refusal(to, 10_000), joinedB.addresses)).toMatch(
      /^unreachable: .*RTCPeerConnection is missing/,
    );
    expect(joinedA.addresses.join()).not.toContain("webrtc");
    expect(await b.evaluate((to) => meshPage.refusal(to, 10_000), joinedA.addresses)).toMatch(
      /^unreachable: .*no address for a direct connection/,
    );
  },
);

test(
  "where the network blocks WebRTC the caller is told that no path was found",
  { tag: "@long" },
  async () => {
    const a = await openTab({ flags: ["--webrtc-ip-handling-policy=disable_non_proxied_udp"] });
    const b = await openTab();
    await joinAs(a, 1);
    const { addresses } = await joinAs(b, 2);
    expect(await a.evaluate((to) => meshPage.refusal(to, 8_000), addresses)).toMatch(
      /^unreachable: WebRTC found no path .*TURN/,
    );
  },
);
