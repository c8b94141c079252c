/** Pages that strangers have deployed: what they can reach of the app, on the relay's own origin and on one for them alone. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Browser, expect, type Page, test } from "@playwright/test";
import { meshPlans } from "../src/cli/deployments/mesh-plans.ts";
import { meshGateway } from "../src/cli/gateway/mesh-gateway.ts";
import { relayConfig } from "../src/relay/config.ts";
import { type Relay, startRelay } from "../src/relay/start-relay.ts";
import { freePort } from "./support/relay-process.ts";
import { contribute, launchChromium } from "./support/tab.ts";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));
const home = mkdtempSync(join(tmpdir(), "tabmesh-ingress-"));
let browser: Browser;
let shared: Relay;
let apart: Relay;

/** What a page tries with whatever is of its origin. Each answers with what it got, or with the name of the error. */
const PROBE = `
  const tried = async (work) => { try { return String(await work()); } catch (error) { return error.name; } };
  const opened = () => new Promise((resolve, reject) => {
    const asked = indexedDB.open("tabmesh");
    asked.onsuccess = () => resolve("opened"); asked.onerror = () => reject(asked.error);
  });
  const told = async () => JSON.stringify({
    origin: self.origin,
    databases: await tried(opened),
    local: await tried(() => localStorage.length),
    cookie: await tried(() => document.cookie),
    caches: await tried(() => caches.keys()),
    worker: await tried(() => navigator.serviceWorker.register("/f/script").then(() => "registered")),
  });
  told().then((text) => { document.querySelector("#told").textContent = text; });`;

const PAGE = `<!doctype html><title>deployed</title><h1 style="color: teal">A page</h1><p id="told">nothing ran</p><script>${PROBE}</script>`;

function answer(type: string, body: string): string {
  const constant = { status: 200, headers: { "content-type": type, "set-cookie": "a=b" }, body };
  return JSON.stringify({ v: 1, name: "page", params: {}, nodes: {}, result: { constant } });
}

async function deploy(url: string, name: string, plan: string): Promise<void> {
  const file = join(home, `${name}.json`);
  writeFileSync(file, plan);
  await promisify(execFile)(
    process.execPath,
    ["src/cli/main.ts", "deploy", file, "--name", name, "--http", "--relay", url],
    { cwd: FOLDER, env: { ...process.env, TABMESH_HOME: join(home, "person") } },
  );
}

async function start(config: Parameters<typeof relayConfig>[0]): Promise<Relay> {
  const staticDir = join(FOLDER, "dist");
  const all = { dataDir: ":memory:", iceServers: [], logLevel: "error", staticDir, ...config } as const;
  return startRelay(relayConfig(all), { gateway: meshGateway, plans: meshPlans });
}

test.beforeAll(async () => {
  const port = await freePort();
  [shared, apart, browser] = await Promise.all([
    start({ port: 0 }),
    start({ port, ingressOrigin: `http://localhost:${port}` }),
    launchChromium(),
  ]);
  await Promise.all([
    deploy(shared.url, "page", answer("text/html", PAGE)),
    deploy(shared.url, "script", answer("text/javascript", "self.ran = true;")),
    deploy(apart.url, "page", answer("text/html", PAGE)),
  ]);
});

test.afterAll(async () => {
  await browser.close();
  await Promise.all([shared.stop(), apart.stop()]);
  rmSync(home, { recursive: true });
});

/** The app with a person's keys in it. */
async function openApp(url: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(url);
  await contribute(page);
  return page;
}

/** Whether a script of an address would run in a page. */
async function scriptEnds(page: Page, src: string): Promise<string> {
  return page.evaluate(
    (address) =>
      new Promise<string>((resolve) => {
        const script = document.createElement("script");
        script.src = address;
        script.addEventListener("load", () => resolve("ran"));
        script.addEventListener("error", () => resolve("refused"));
        document.head.append(script);
      }),
    src,
  );
}

test("a deployed page on the relay's own origin runs no script, reads no key and becomes no service worker", async () => {
  const app = await openApp(shared.url);
  // What there is to be read: the app's own page can.
  const names = await app.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  expect(names).toContain("tabmesh");
  const page = await app.context().newPage();
  const response = await page.goto(`${shared.url}/f/page`);
  const headers = response?.headers() ?? {};
  expect(headers["content-security-policy"]).toMatch(/^sandbox;/u);
  expect(headers["x-content-type-options"]).toBe("nosniff");
  expect(headers["set-cookie"]).toBeUndefined();
  await expect(page.locator("h1")).toHaveCSS("color", "rgb(0, 128, 128)");
  await expect(page.locator("#told")).toHaveText("nothing ran");
  // Even by the hand of a debugger, which runs scripts where pages may not, it has no origin.
  expect(await page.evaluate(() => self.origin)).toBe("null");
  expect(
    await page.evaluate(() => navigator.serviceWorker?.controller?.scriptURL ?? "none").catch(() => "none"),
  ).toBe("none");
  // Nor does the app's own origin take anything of it for its own, whoever asks there.
  expect(await scriptEnds(app, "/f/script")).toBe("refused");
  const worker = await app.evaluate(() =>
    navigator.serviceWorker.register("/f/script", { scope: "/f/" }).then(
      () => "registered",
      (error: unknown) => (error instanceof Error ? error.name : "refused"),
    ),
  );
  expect(worker).not.toBe("registered");
});

test("on an origin for deployments alone a page runs, with nothing of the app, and the app is not there", async () => {
  const app = await openApp(apart.url);
  const page = await app.context().newPage();
  await page.goto(`${apart.url}/f/page`);
  expect(new URL(page.url()).hostname).toBe("localhost");
  await expect(page.locator("#told")).toContainText("origin");
  const told: unknown = JSON.parse((await page.locator("#told").textContent()) ?? "");
  expect(told).toEqual({
    origin: "null",
    databases: "SecurityError",
    local: "SecurityError",
    cookie: "SecurityError",
    caches: "SecurityError",
    worker: expect.stringMatching(/^(?:SecurityError|TypeError|InvalidStateError)$/u),
  });
  const front = await page.request.get(`http://localhost:${new URL(apart.url).port}/`);
  expect(front.status()).toBe(404);
});
