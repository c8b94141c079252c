/** Earnings as a person reads them, and every way in which a relay that lies turns a verification red. */
import { webcrypto } from "node:crypto";
import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { encodeQR } from "qr";
import { type Browser, type BrowserContext, expect, type Locator, type Page, test } from "@playwright/test";
import { peerIdFromSeed, verifierOf } from "../src/protocol/ed25519.ts";
import { tries } from "../src/protocol/tries.contract.ts";
import { connect, judgeEvidence, readEvidence } from "../src/sdk/index.ts";
import { phraseOf } from "../src/storage/recovery-phrase.ts";
import { ECHO } from "./support/functions.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { contribute, launchChromium } from "./support/tab.ts";

/** Places in a message that are tampered with, spread over its length. */
const TAMPERED_PLACES = tries(16);

let relay: RelayProcess;
let browser: Browser;
let context: BrowserContext;
let provider: Page;

async function runJob(tasks: number, seed?: Uint8Array): Promise<void> {
  const client = await connect({ relay: relay.url, iceServers: [], ...(seed === undefined ? {} : { seed }) });
  const inputs = Array.from({ length: tasks }, (_, index) => new TextEncoder().encode(`input ${index}`));
  const job = await client.map(ECHO, inputs);
  let done = 0;
  for await (const result of job) if (result.kind === "done") done += 1;
  expect(done).toBe(tasks);
  await job.summary;
  await client.close();
}

test.beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "tabmesh-earnings-"));
  relay = await startRelayProcess({ dataDir, port: await freePort() });
  browser = await launchChromium();
  // Requests of a page that a service worker answers could not be tampered with here.
  context = await browser.newContext({ serviceWorkers: "block" });
  provider = await context.newPage();
  await provider.goto(relay.url);
  await contribute(provider);
});
test.afterAll(async () => {
  await browser.close();
  await relay.kill();
});

async function earningsPage(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${relay.url}/#/earnings`);
  return page;
}

function newest(page: Page): Locator {
  return page.locator(".receipt").first();
}

async function verifyNewest(page: Page): Promise<Locator> {
  const row = newest(page);
  await row.getByRole("button", { name: /^Verify entry/u }).click();
  await expect(row.locator(".verdict")).toBeVisible();
  return row;
}

async function expectRefuted(page: Page, by?: string): Promise<void> {
  const row = await verifyNewest(page);
  await expect(row.locator(".verdict-bad")).toContainText("Does not hold");
  if (by !== undefined) await expect(row.locator(".check-line-bad").first()).toContainText(by);
  await row.getByRole("button", { name: /^Hide/u }).click();
}

/** Changes one byte of every answer under a path. `place` runs from 0 to 1. */
async function tamper(page: Page, path: string | RegExp, place: number): Promise<void> {
  await page.unroute(path);
  await page.route(path, async (route) => {
    const response = await route.fetch();
    const body = await response.body();
    const at = Math.min(Math.floor(place * body.length), body.length - 1);
    body[at] = (body[at] ?? 0) ^ 0x01;
    await route.fulfill({ response, body });
  });
}

async function rewrite(page: Page, path: RegExp, change: (text: string) => string): Promise<void> {
  await page.route(path, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: change(await response.text()) });
  });
}

test.describe.configure({ mode: "serial" });

test("an account without receipts says so", async () => {
  const page = await earningsPage();
  await expect(page.getByText("No receipts yet")).toBeVisible();
  await expect(page.locator(".balance-value")).toContainText("0.000000");
  await page.close();
});

test("what is earned appears by itself, and its receipt verifies in the page", async () => {
  const page = await earningsPage();
  await expect(page.getByText("No receipts yet")).toBeVisible();
  await runJob(12);
  await expect(newest(page)).toContainText("12 tasks", { timeout: 30_000 });
  await expect(page.locator(".balance-value")).not.toContainText("0.000000", { timeout: 30_000 });
  await expect(newest(page)).toContainText(/Settled|In escrow/u);
  const row = await verifyNewest(page);
  await expect(row.locator(".verdict-good")).toContainText("Verified");
  await expect(row.getByRole("img", { name: "Failed" })).toHaveCount(0);
  expect(await row.getByRole("img", { name: "Passed" }).count()).toBeGreaterThan(10);
  await expect(page.locator(".uplot canvas")).toBeVisible();
  await expect(provider.locator(".figure-main")).not.toContainText("0.000000");
  await page.close();
});

for (const [what, path] of [
  ["the entry", /\/v1\/log\/entries\//u],
  ["the proof of inclusion", /\/v1\/log\/inclusion/u],
] as const) {
  test(`any byte of ${what} changed turns verify red`, async () => {
    const page = await earningsPage();
    await expect(newest(page)).toBeVisible();
    for (let index = 0; index < TAMPERED_PLACES; index += 1) {
      await tamper(page, path, index / (TAMPERED_PLACES - 1));
      await expectRefuted(page);
    }
    await page.unroute(path);
    const row = await verifyNewest(page);
    await expect(row.locator(".verdict-good")).toBeVisible();
    await page.close();
  });
}

test("a changed checkpoint turns verify red", { tag: "@long" }, async () => {
  for (const place of [0.02, 0.5, 0.97]) {
    const page = await earningsPage();
    await tamper(page, /\/v1\/log\/checkpoint/u, place);
    await expectRefuted(page);
    await page.close();
  }
});

test(
  "a proof that does not tie the log to the one seen before turns verify red",
  { tag: "@long" },
  async () => {
    await runJob(3);
    const page = await earningsPage();
    await expect(newest(page)).toContainText("3 tasks", { timeout: 30_000 });
    await tamper(page, /\/v1\/log\/consistency/u, 0.9);
    await expectRefuted(page);
    // Both checkpoints are there to be taken away; the changed proof convicts nobody.
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      (await verifyNewest(page)).getByRole("button", { name: "Save both" }).click(),
    ]);
    const judged = await judgeEvidence(
      readEvidence(await readFile(await download.path())),
      verifierOf(webcrypto.subtle),
    );
    expect(judged).toMatchObject({ verdict: "open", accused: "relay" });
    await page.close();
  },
);

for (const [what, change] of [
  [
    "a log key other than at first contact",
    (text: string) => text.replace(/"log":"12D3KooW[^"]+"/u, otherKey),
  ],
  ["another name", (text: string) => text.replace(/"origin":"[^"]+"/u, '"origin":"localhost/00000000"')],
] as const) {
  test(`a relay that shows ${what} turns verify red`, async () => {
    const page = await earningsPage();
    await rewrite(page, /\/v1\/relay$/u, change);
    await expectRefuted(page, "Known relay");
    await page.close();
  });
}

/** The relay's lease key in the place of its log key: a good key, but not the one. */
function otherKey(this: void): string {
  return '"log":"12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"';
}

for (const [field, change] of [
  ["amount", (text: string) => text.replace(/"amount":"(\d+)"/u, '"amount":"9$1"')],
  ["number of tasks", (text: string) => text.replace(/"count":(\d+)/u, '"count":7$1')],
] as const) {
  test(`a list that shows another ${field} than was signed turns verify red`, async () => {
    const page = await context.newPage();
    await page.route(/\/events/u, async (route) => route.abort());
    await rewrite(page, /\/history/u, change);
    await page.goto(`${relay.url}/#/earnings`);
    await expectRefuted(page, "Shown as signed");
    await page.close();
  });
}

test("a relay that does not answer is told apart from one that lies", async () => {
  const page = await earningsPage();
  await expect(newest(page)).toBeVisible();
  await page.route(/\/v1\/log\/entries\//u, async (route) => route.abort());
  const row = await verifyNewest(page);
  await expect(row.locator(".verdict-wait")).toContainText("nothing is known either way");
  await page.unroute(/\/v1\/log\/entries\//u);
  await row.getByRole("button", { name: "Try again" }).click();
  await expect(row.locator(".verdict-good")).toBeVisible();
  await page.close();
});

test("a failed request offers to try again, and does", async () => {
  const page = await context.newPage();
  await page.route(/\/v1\/accounts\//u, async (route) => route.abort());
  await page.goto(`${relay.url}/#/earnings`);
  await expect(page.getByText("The relay does not answer")).toBeVisible();
  await page.unroute(/\/v1\/accounts\//u);
  await page.getByRole("button", { name: "Try again" }).first().click();
  await expect(newest(page)).toBeVisible();
  await expect(page.locator(".balance-value")).toBeVisible();
  await page.close();
});

test("a phone that is turned does not keep the chart's old width", async () => {
  await runJob(1);
  const page = await earningsPage();
  await page.setViewportSize({ width: 844, height: 390 });
  await expect(page.locator(".chart-place canvas")).toBeVisible();
  await page.setViewportSize({ width: 390, height: 844 });
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await expect
    .poll(() => page.evaluate(() => document.querySelector(".chart-place canvas")?.clientWidth))
    .toBeLessThanOrEqual(390);
  await page.close();
});

test("a receipt's proof is saved, and the command judges it offline by the log's key", async () => {
  const page = await earningsPage();
  const row = await verifyNewest(page);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    row.getByRole("button", { name: "Save the proof" }).click(),
  ]);
  const file = join(relay.dataDir, download.suggestedFilename());
  await download.saveAs(file);
  const told = await row.locator(".proof-command").textContent();
  const key = told?.split(" ").at(-1) ?? "";
  const tabmesh = join(import.meta.dirname, "../src/cli/main.ts");
  const run = promisify(execFile);
  const home = { ...process.env, TABMESH_HOME: join(relay.dataDir, "nobody") };
  const args = [tabmesh, "verify", file, "--key", key];
  const { stdout } = await run(process.execPath, args, { env: home });
  expect(stdout).toContain("Proven: the log holds this entry.");
  const text = (await readFile(file, "utf8")).replace(/^index (\d+)/mu, "index 1");
  writeFileSync(file, text);
  await expect(run(process.execPath, args, { env: home })).rejects.toMatchObject({
    stdout: expect.stringContaining("NOT PROVEN"),
  });
  await page.close();
});

test("receipts are looked through, and all that are found are taken away as a table", async () => {
  const page = await earningsPage();
  await expect(newest(page)).toBeVisible();
  const all = await page.getByText(/^\d+ receipts?$/u).textContent();
  const entry = /entry ([\d,]+)/u.exec((await newest(page).textContent()) ?? "")?.[1] ?? "";
  await page.getByRole("searchbox").fill(entry);
  await expect(page.getByText("1 receipt found")).toBeVisible();
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(page.getByText(all ?? "")).toBeVisible();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save the receipts as CSV" }).click(),
  ]);
  const lines = (await readFile(await download.path(), "utf8")).trimEnd().split("\r\n");
  expect(lines.length - 1).toBe(Number.parseInt(all ?? "", 10));
  expect(lines[1]?.split(",")[0]).toBe(entry.replaceAll(",", ""));
  await page.getByRole("radio", { name: "By function" }).check({ force: true });
  await expect(page.locator(".share")).toHaveCount(1);
  await page.close();
});

test(
  "a page that slept, its connection dead, has every receipt that came meanwhile",
  { tag: "@long" },
  async () => {
    const page = await earningsPage();
    const live = page.locator(".live").getByText("Live");
    await expect(live).toBeVisible();
    await page.route(/\/events$/u, async (route) => route.abort());
    // The page drops what looks alive when it hears that the network was away.
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await expect(live).toHaveCount(0);
    const debug = await context.newCDPSession(page);
    await debug.send("Page.setWebLifecycleState", { state: "frozen" });
    for (const tasks of [4, 5]) await runJob(tasks);
    await debug.send("Page.setWebLifecycleState", { state: "active" });
    await expect(newest(page)).not.toContainText("5 tasks");
    await page.unroute(/\/events$/u);
    const [resumed] = await Promise.all([
      page.waitForRequest(/\/events$/u),
      page.evaluate(() => dispatchEvent(new Event("online"))),
    ]);
    expect(Number(resumed.headers()["last-event-id"])).toBeGreaterThan(0);
    await expect(newest(page)).toContainText("5 tasks", { timeout: 30_000 });
    await expect(page.locator(".receipt").nth(1)).toContainText("4 tasks");
    await expect(live).toBeVisible();
    // As a relay has them that is asked anew.
    const shown = await page.locator(".receipt-index").allTextContents();
    const fresh = await earningsPage();
    await expect(fresh.locator(".receipt-index").first()).toBeVisible();
    await expect.poll(() => fresh.locator(".receipt-index").allTextContents()).toEqual(shown);
    await fresh.close();
    await page.close();
  },
);

/** A film of one picture, as a fake camera takes it: luma of a QR code, grey elsewhere. */
function filmOf(text: string): Buffer {
  const [width, height, scale] = [640, 480, 8];
  const rows = encodeQR(text, "raw", { border: 4 });
  const luma = Buffer.alloc(width * height, 255);
  const [left, top] = [(width - rows.length * scale) >> 1, (height - rows.length * scale) >> 1];
  for (const [y, row] of rows.entries())
    for (const [x, isDark] of row.entries())
      for (let line = 0; line < scale; line += 1) {
        const from = (top + y * scale + line) * width + left + x * scale;
        luma.fill(isDark ? 0 : 255, from, from + scale);
      }
  const frame = Buffer.concat([Buffer.from("FRAME\n"), luma, Buffer.alloc((width * height) / 2, 128)]);
  const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\n`);
  return Buffer.concat([head, ...Array.from({ length: 10 }, () => frame)]);
}

test(
  "a key moves to another device by a code its camera sees and four words, and can be forgotten here",
  { tag: "@long" },
  async () => {
    const page = await earningsPage();
    await page.getByRole("button", { name: "Move to another device" }).click();
    await page.getByText("Without a camera: as text").click();
    const code = (await page.locator(".move-code").textContent()) ?? "";
    await page.getByRole("button", { name: "Next: the words" }).click();
    await expect(page.locator(".qr")).toHaveCount(0);
    const words = (await page.locator(".move-words").textContent()) ?? "";
    const film = join(relay.dataDir, "camera.y4m");
    writeFileSync(film, filmOf(code));
    const device = await launchChromium([
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      `--use-file-for-fake-video-capture=${film}`,
    ]);
    const other = await device.newPage();
    await other.goto(`${relay.url}/#/earnings`);
    await expect(other.getByText("Nothing earned yet")).toBeVisible();
    await other.getByRole("button", { name: "Take over a key" }).click();
    await other.getByLabel("Four words").fill("zoo zoo zoo zoo");
    await other.getByRole("button", { name: "Open" }).click();
    await expect(other.getByText("Not taken: these words do not open this code.")).toBeVisible();
    await other.getByLabel("Four words").fill(words);
    await other.getByRole("button", { name: "Open" }).click();
    await other.getByRole("button", { name: "Use it here" }).click();
    await expect(newest(other)).toContainText("5 tasks");
    await other.getByRole("button", { name: "Forget the key here" }).click();
    await expect(other.getByRole("button", { name: "Forget it" })).toBeDisabled();
    await other.getByRole("checkbox").check();
    await other.getByRole("button", { name: "Forget it" }).click();
    await expect(other.getByText("Nothing earned yet")).toBeVisible();
    await device.close();
    await page.close();
  },
);

test("what another key has is collected by its 24 words, once", async () => {
  const seed = webcrypto.getRandomValues(new Uint8Array(32));
  await runJob(1, seed);
  const from = await peerIdFromSeed(webcrypto.subtle, seed);
  const available = async (): Promise<bigint> => {
    const view: unknown = await (await fetch(`${relay.url}/v1/accounts/${from}`)).json();
    return typeof view === "object" && view !== null ? BigInt(String(Reflect.get(view, "available"))) : -1n;
  };
  await expect.poll(available).toBeGreaterThan(0n);
  // A browser that contributes keeps its key, so this is another one.
  const visitor = await (await browser.newContext({ serviceWorkers: "block" })).newPage();
  await visitor.goto(`${relay.url}/#/earnings`);
  await visitor.getByRole("button", { name: "Take over a key" }).click();
  await visitor.getByRole("radio", { name: "24 words" }).check({ force: true });
  await visitor.getByRole("textbox").fill(phraseOf({ seed }).join(" "));
  await visitor.getByRole("button", { name: "Read the words" }).click();
  await visitor.getByRole("button", { name: "Collect" }).click();
  await expect(visitor.getByText("Collected. What was free is here now")).toBeVisible();
  expect(await available()).toBe(0n);
  await expect(visitor.locator(".balance-available")).not.toContainText("0.000000");
  await visitor.close();
});
