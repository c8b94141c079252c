/** Where functions run: what code there could reach, should it ever get out of WebAssembly. */
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, expect, test } from "@playwright/test";
import { findFirefox } from "../src/cli/browser/find-chromium.ts";
import { escapeProbe, NAMES_PROBE, runProbe } from "./support/escape-probe.ts";
import { openFirefoxTab } from "./support/firefox-tab.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { contribute, launchChromium } from "./support/tab.ts";

const firefox = findFirefox(process.env);
if (firefox === undefined)
  console.log("skipped: escapes in Firefox (install firefox-esr or set FIREFOX_PATH)");

/** In a block of strict code, so that its names are not the realm's. */
const LOCK_DOWN = stripTypeScriptTypes(
  readFileSync(new URL("../src/sandbox/lock-down-realm.ts", import.meta.url), "utf8"),
).replaceAll("export function", "function");

let relay: RelayProcess;
let browser: Browser;
/** A stranger's server that answers everybody: nothing may ever reach it. */
let outside: Server;
const reached: string[] = [];

test.beforeAll(async () => {
  relay = await startRelayProcess({
    dataDir: mkdtempSync(join(tmpdir(), "tabmesh-sandbox-")),
    port: await freePort(),
  });
  browser = await launchChromium();
  outside = createServer((request, response) => {
    reached.push(request.url ?? "");
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Cross-Origin-Resource-Policy", "cross-origin");
    response.setHeader("Content-Type", "text/javascript");
    response.end("1");
  }).listen(0, "127.0.0.1");
  outside.on("upgrade", (request, socket) => {
    reached.push(`upgrade ${request.url}`);
    socket.destroy();
  });
  await once(outside, "listening");
});
test.afterAll(async () => {
  await browser.close();
  outside.closeAllConnections();
  outside.close();
  await relay.kill();
});

function probe(): string {
  const { port } = outside.address() as AddressInfo;
  return escapeProbe(`http://127.0.0.1:${port}`, relay.url);
}

/** The same place with the realm locked down, as functions find it. */
const LOCKED_PROBE = `(() => { "use strict"; ${LOCK_DOWN}\nlockDownRealm(globalThis); })();\n${NAMES_PROBE}`;

function expectNoNames(heard: Record<string, string>): void {
  const { WebAssembly: works, ...names } = heard;
  expect(works).toBe("true");
  expect(Object.keys(names).length).toBeGreaterThan(20);
  expect(new Set(Object.values(names))).toEqual(new Set(["undefined"]));
}

/** No way led anywhere: the engine said no, or nothing came of it. */
function expectNoWayOut(heard: Record<string, string>): void {
  expect(heard).toMatchObject({ compiles: "true", pong: "" });
  const names = heard["names"]?.split("|") ?? [];
  expect(names.length).toBeGreaterThan(30);
  for (const name of names) expect(heard[name] ?? "denied: silence", name).toMatch(/^denied: /u);
  expect(heard).not.toHaveProperty("broadcast");
  expect(heard).not.toHaveProperty("heard");
  expect(heard).not.toHaveProperty("shared memory handed over");
  expect(reached).toEqual([]);
}

test.beforeEach(() => {
  reached.length = 0;
});

test("the probe finds its ways out where they are open: a worker of an ordinary page", async () => {
  const page = await browser.newPage();
  const { port } = outside.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/`);
  const heard = await page.evaluate(runProbe, { script: probe(), where: "page" } as const);
  expect(heard).toMatchObject({
    indexedDB: "opened",
    caches: "opened",
    "origin-private files": "opened",
    "thread from a blob": "message",
    "fetch of a stranger": "fetched",
    "importScripts of a stranger": "imported",
    "import of data": "imported",
    XMLHttpRequest: "load",
    eval: "evaluated",
    broadcast: "from the thread",
    heard: "from the page",
    compiles: "true",
  });
  expect(reached).toEqual(expect.arrayContaining(["/fetch", "/import", "/xhr", "upgrade /"]));
  await page.close();
});

test("from the frame alone there is no storage, no channel, no network and no further script", async () => {
  const page = await browser.newPage();
  await page.goto(relay.url);
  const heard = await page.evaluate(runProbe, { script: probe(), where: "frame" } as const);
  expect(heard["origin"]).toBe("null");
  expectNoWayOut(heard);
  await page.close();
});

test("behind the frame stands a realm that has no names left to try", async () => {
  const page = await browser.newPage();
  await page.goto(relay.url);
  expectNoNames(await page.evaluate(runProbe, { script: LOCKED_PROBE, where: "frame" } as const));
  await page.close();
});

test(
  "in Firefox the frame denies the same, and the realm has no names left either",
  { tag: "@long" },
  async () => {
    test.skip(firefox === undefined, "no Firefox here: install firefox-esr or set FIREFOX_PATH");
    if (firefox === undefined) return;
    const tab = await openFirefoxTab(firefox, relay.url);
    try {
      const heard = await tab.page.evaluate(runProbe, { script: probe(), where: "frame" } as const);
      expect(heard["origin"]).toBe("null");
      expectNoWayOut(heard);
      expectNoNames(await tab.page.evaluate(runProbe, { script: LOCKED_PROBE, where: "frame" } as const));
    } finally {
      await tab.browser.close();
    }
  },
);

test(
  "the app's own threads live in that frame, and it is gone when the person stops",
  { tag: "@long" },
  async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(relay.url);
    await contribute(page);
    const frame = page.locator("iframe[sandbox='allow-scripts'][src='/sandbox.html']");
    await expect(frame).toHaveCount(1);
    await expect.poll(() => page.workers().length).toBeGreaterThan(0);
    expect(page.workers().map((worker) => worker.url())).toEqual([expect.stringMatching(/^blob:null\//u)]);
    await page.getByRole("switch").click();
    await expect(frame).toHaveCount(0);
    await context.close();
  },
);

test(
  "the frame comes up when the relay is away, from what the service worker keeps",
  { tag: "@long" },
  async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(relay.url);
    await contribute(page);
    await expect
      .poll(async () =>
        page.evaluate(
          async () => (await caches.match("/sandbox.html", { ignoreSearch: true })) !== undefined,
        ),
      )
      .toBe(true);
    await page.reload();
    await context.setOffline(true);
    const isOpen = await page.evaluate(async () => {
      const frame = document.createElement("iframe");
      frame.src = "/sandbox.html";
      const isLoaded = new Promise((resolve) => frame.addEventListener("load", resolve));
      document.body.append(frame);
      await isLoaded;
      const { port1, port2 } = new MessageChannel();
      const answer = new Promise((resolve) => {
        port1.addEventListener("message", ({ data }) => resolve(data.kind), { once: true });
        setTimeout(() => resolve("silence"), 3_000);
      });
      port1.start();
      frame.contentWindow?.postMessage("connect", "*", [port2]);
      return answer;
    });
    expect(isOpen).toBe("open");
    await context.close();
  },
);
