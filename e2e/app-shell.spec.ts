/** The page as a first visitor, a person without a mouse, an offline person and a returning person meet it. */
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, expect, type Page, test } from "@playwright/test";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { contribute, launchChromium } from "./support/tab.ts";

/** Brotli bytes of script that a first visit may cost. */
const MAX_FIRST_LOAD_BYTES = 45_000;
/** A name that leads to this machine, but that a browser does not trust over plain HTTP as it trusts localhost. */
const PLAIN_HOST = "relay.test";

let relay: RelayProcess;
let browser: Browser;

test.beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "tabmesh-app-"));
  relay = await startRelayProcess({ dataDir, port: await freePort() });
  browser = await launchChromium([`--host-resolver-rules=MAP ${PLAIN_HOST} 127.0.0.1`]);
});
test.afterAll(async () => {
  await browser.close();
  await relay.kill();
});

async function visit(context: BrowserContext, path: string = "/"): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${relay.url}${path}`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  return page;
}

/** Names of scripts the browser was sent, with the bytes that took. */
function watchScripts(page: Page): Map<string, number> {
  const scripts = new Map<string, number>();
  page.on("requestfinished", async (request) => {
    const { pathname } = new URL(request.url());
    if (!pathname.endsWith(".js")) return;
    scripts.set(pathname, 0);
    scripts.set(pathname, (await request.sizes()).responseBodySize);
  });
  return scripts;
}

async function cachedPaths(page: Page): Promise<readonly string[]> {
  return page.evaluate(async () => {
    const names = await caches.keys();
    const all = await Promise.all(
      names.map(async (name) =>
        (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname),
      ),
    );
    return all.flat();
  });
}

async function serviceWorkerReady(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
}

/** What nobody loads before they consent, search, look at earnings, or have a model. */
const LATER =
  /start-provider|peer-mesh|search-page|sandbox\.worker|inference\.worker|model-store|models-panel|chart|receipt-verification/u;

test("before consent no more than 45 kB of script arrive, and nothing of mesh, provider, sandbox or chart", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const scripts = watchScripts(page);
  await page.goto(relay.url);
  await expect(page.locator(".relay-badge .chip")).toBeVisible();
  await serviceWorkerReady(page);
  await page.waitForLoadState("networkidle");
  const shell = [...scripts].filter(([path]) => path !== "/service-worker.js");
  const total = shell.reduce((sum, [, bytes]) => sum + bytes, 0);
  expect(total).toBeGreaterThan(10_000);
  expect(total).toBeLessThanOrEqual(MAX_FIRST_LOAD_BYTES);
  expect(shell.map(([path]) => path).join(" ")).not.toMatch(LATER);
  await context.close();
});

test("the service worker keeps the shell alone until a person consents, and the mesh from then on", async () => {
  const context = await browser.newContext();
  const page = await visit(context);
  await serviceWorkerReady(page);
  await expect.poll(async () => (await cachedPaths(page)).length).toBeGreaterThan(5);
  expect((await cachedPaths(page)).join(" ")).not.toMatch(LATER);
  await contribute(page);
  await expect.poll(async () => (await cachedPaths(page)).join(" ")).toMatch(/start-provider/u);
  await context.close();
});

test("the page opens without any network, says that it is offline, and finds the relay when it is back", async () => {
  const context = await browser.newContext();
  const page = await visit(context);
  await serviceWorkerReady(page);
  await expect.poll(async () => (await cachedPaths(page)).length).toBeGreaterThan(5);
  await context.setOffline(true);
  await page.reload();
  await expect(page.getByRole("heading", { level: 1, name: "Contribute" })).toBeVisible();
  await expect(page.getByText("Offline")).toBeVisible();
  await context.setOffline(false);
  await expect(page.locator(".relay-badge .chip")).toBeVisible();
  await context.close();
});

test("nothing runs before consent, and declining leaves it so", async () => {
  const context = await browser.newContext();
  const page = await visit(context);
  const power = page.getByRole("switch", { name: "Contribute with this tab" });
  await power.click();
  await expect(page.getByRole("dialog")).toContainText("providers can read inputs");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(power).toHaveAttribute("aria-checked", "false");
  await expect(page.getByText("Not contributing")).toBeVisible();
  await context.close();
});

test("a keyboard is enough to consent, start and stop; consent is remembered and can be withdrawn", async () => {
  const context = await browser.newContext();
  const page = await visit(context);
  const power = page.getByRole("switch");
  await power.focus();
  await page.keyboard.press("Space");
  await expect(page.getByRole("heading", { name: "Before this tab starts working" })).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(power).toHaveAttribute("aria-checked", "true");
  await expect(page.getByText("Ready for work")).toBeVisible();
  await power.focus();
  await page.keyboard.press("Space");
  await expect(page.getByText("Not contributing")).toBeVisible();
  await page.keyboard.press("Space");
  await expect(page.getByText("Ready for work")).toBeVisible();
  await page.getByRole("button", { name: "Withdraw" }).click();
  await expect(page.getByText("Not contributing")).toBeVisible();
  await power.click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await context.close();
});

test(
  "a browser that asks the person about storage and gets no answer does not keep the tab waiting",
  { tag: "@long" },
  async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(() => {
      navigator.storage.persist = () => new Promise(() => undefined);
    });
    await page.goto(relay.url);
    await contribute(page);
    await context.close();
  },
);

test("a second tab of the browser says that another one is contributing", { tag: "@long" }, async () => {
  const context = await browser.newContext();
  const first = await visit(context);
  await contribute(first);
  const second = await visit(context);
  await second.getByRole("switch").click();
  await expect(second.getByText("Another tab is contributing")).toBeVisible();
  await expect(second.getByRole("switch")).toHaveAttribute("aria-checked", "false");
  await first.getByRole("switch").click();
  await expect(first.getByText("Not contributing")).toBeVisible();
  await second.getByRole("switch").click();
  await expect(second.getByText("Ready for work")).toBeVisible();
  await context.close();
});

test("when the relay goes away the page counts down to the next attempt", { tag: "@long" }, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "tabmesh-app-"));
  const port = await freePort();
  const other = await startRelayProcess({ dataDir, port });
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(other.url);
  await contribute(page);
  await other.kill();
  await expect(page.getByText("Reconnecting")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText(/Next attempt/u)).toBeVisible({ timeout: 30_000 });
  const again = await startRelayProcess({ dataDir, port });
  await expect(page.getByText("Ready for work")).toBeVisible({ timeout: 60_000 });
  await context.close();
  await again.kill();
});

test("over plain HTTP from another machine the page says why it cannot start and how to serve TLS", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`http://${PLAIN_HOST}:${relay.port}/`);
  await expect(page.getByText("This address is not secure")).toBeVisible();
  await expect(page.getByText("caddy reverse-proxy")).toBeVisible();
  await expect(page.getByRole("switch")).toHaveCount(0);
  await context.close();
});

test(
  "a key file moves the account to another browser, and replacing asks first",
  { tag: "@long" },
  async ({ browserName }, info) => {
    const from = await browser.newContext();
    const source = await visit(from);
    await contribute(source);
    const saved = source.waitForEvent("download");
    await source.getByRole("button", { name: "Save key file" }).click();
    const path = info.outputPath(`key-${browserName}.json`);
    await (await saved).saveAs(path);
    const name = await source.locator(".key-name").innerText();
    await from.close();

    const to = await browser.newContext();
    const page = await visit(to);
    await contribute(page);
    await page.getByRole("switch").click();
    await expect(page.getByText("Not contributing")).toBeVisible();
    const before = await page.locator(".key-name").innerText();
    const tampered = readFileSync(path, "utf8").replace(/"seed": "../u, '"seed": "zz');
    const input = page.locator('input[type="file"]');
    await input.setInputFiles({
      name: "key.json",
      mimeType: "application/json",
      buffer: Buffer.from(tampered),
    });
    await expect(page.getByText("does not belong to the seed")).toBeVisible();
    await input.setInputFiles(path);
    const dialog = page.getByRole("dialog");
    await expect(dialog).toContainText("Replace the key of this browser?");
    await expect(dialog).toContainText(before);
    await dialog.getByRole("button", { name: "Replace", exact: true }).click();
    await expect(page.locator(".key-name")).toHaveText(name);
    await to.close();
  },
);

test("the page can be installed: manifest, icons and a service worker are there", async () => {
  const context = await browser.newContext();
  const page = await visit(context);
  const manifest: { icons: { src: string; purpose: string }[] } = await page.evaluate(async () =>
    (await fetch("/manifest.webmanifest")).json(),
  );
  expect(manifest.icons.map(({ purpose }) => purpose)).toContain("maskable");
  const answers = await page.evaluate(
    async (sources) => Promise.all(sources.map(async (source) => (await fetch(source)).ok)),
    manifest.icons.map(({ src }) => src),
  );
  expect(answers.every(Boolean)).toBe(true);
  const devtools = await context.newCDPSession(page);
  const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
  // Contexts of tests are private windows, where nothing can be installed.
  expect(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito")).toEqual([]);
  await context.close();
});

test("the chosen colours and number of threads are there after a reload", async () => {
  const context = await browser.newContext({ colorScheme: "light" });
  const page = await visit(context);
  await page.getByRole("button", { name: /Change to light/u }).click();
  await page.getByRole("button", { name: /Change to dark/u }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await page.getByRole("button", { name: "One thread more" }).click();
  const threads = await page.locator(".stepper-value").innerText();
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(page.locator(".stepper-value")).toHaveText(threads);
  await context.close();
});
