/**
 * Pages and states as they look, compared with pictures that are kept beside this file. Clocks are set to one moment (a replaced
 * Date), keys of the tab are always the same; names that are drawn at random are covered. `npm run pictures` makes them anew.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { type Browser, type BrowserContext, expect, type Page, test } from "@playwright/test";
import { findChromium } from "../src/cli/browser/find-chromium.ts";
import { goTo, onEachPage, tabsOf } from "./support/app-pages.ts";
import { overridePressure } from "./support/pressure.ts";
import { whyNotCompared } from "./support/picture-record.ts";
import { expectPicture, type PictureOptions } from "./support/pictures.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { shiftDate } from "./support/shift-date.ts";
import { contribute, launchChromium } from "./support/tab.ts";

/** When everything here happens. */
const MOMENT_MS = Date.UTC(2026, 2, 2, 12, 0, 5);
const SHIFT_MS = MOMENT_MS - Date.now();
const HERE = { timezoneId: "UTC", locale: "en-GB" } as const;
/** What no two runs share. Keys and jobs have names drawn at random; seconds, speeds and what is counted by the minute are what they are. */
const VARYING = [
  ".key-name, .card-head .code, .receipt .code, time",
  ".network-measured, .network-note, .network-pair .span-times, .network-pair .hint",
].join(", ");

/** For every program beside the browser: their clocks are set before they start. */
const SHIFTED: NodeJS.ProcessEnv = {
  NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, "support/shifted-main.ts")).href}`,
  CLOCK_SHIFT_MS: String(SHIFT_MS),
};
const ROOT = join(import.meta.dirname, "..");

let relay: RelayProcess;
let browser: Browser;

test.beforeAll(async () => {
  process.env["CHROMIUM_PATH"] ??= findChromium(process.env);
  relay = await startRelayProcess({
    dataDir: mkdtempSync(join(tmpdir(), "tabmesh-pictures-")),
    port: await freePort(),
    env: SHIFTED,
  });
  browser = await launchChromium();
  const page = await browser.newPage();
  await page.goto(relay.url);
  const reason = await whyNotCompared(page, test.info());
  await page.close();
  test.skip(reason !== undefined, reason);
});
test.afterAll(async () => {
  await browser.close();
  await relay.kill();
});

async function visit(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.addInitScript(shiftDate, SHIFT_MS);
  // By the browser's debugging override: a machine that runs tests is busy.
  await overridePressure(page);
  await page.goto(relay.url);
  await tabsOf(page).first().waitFor();
  return page;
}

async function expectPage(page: Page, name: string, options: PictureOptions = {}): Promise<void> {
  await expectPicture(page, name, { varying: [page.locator(VARYING)], ...options });
}

/** A few tasks from the command line, under an identity of its own. */
async function giveWork(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "tabmesh-home-"));
  const lines = join(home, "lines.txt");
  writeFileSync(lines, "one\ntwo\nthree\n");
  const given = ["map", join(ROOT, "examples/wordcount-c/wordcount.wasm"), "--lines", lines, "--yes"];
  await promisify(execFile)(
    process.execPath,
    [join(ROOT, "src/cli/main.ts"), ...given, "--relay", relay.url, "--out", join(home, "out")],
    { env: { ...process.env, ...SHIFTED, TABMESH_HOME: home } },
  );
}

test("every page as somebody new sees it", { tag: "@long" }, async () => {
  const context = await browser.newContext(HERE);
  const page = await visit(context);
  await onEachPage(page, async (name) => expectPage(page, `new-${name.toLowerCase()}`));
  await goTo(page, "Contribute");
  await page.getByRole("switch").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await expectPage(page, "consent", { isWhole: false });
  await context.close();
});

test("a plan that is about to be run, and one that is drawn", { tag: "@long" }, async () => {
  const context = await browser.newContext(HERE);
  const page = await visit(context);
  await goTo(page, "Runs");
  await page.getByRole("button", { name: /^Count words/u }).click();
  await expect(page.getByText("Price at most")).toBeVisible();
  await expectPage(page, "runs-plan");
  await page.getByRole("button", { name: "Change it" }).click();
  await page.locator('[data-node="count"]').click();
  await expect(page.getByRole("heading", { level: 3, name: "Count" })).toBeVisible();
  await expectPage(page, "runs-editor");
  await context.close();
});

test("the pages of a tab that has worked", { tag: "@long" }, async () => {
  const context = await browser.newContext(HERE);
  const page = await visit(context);
  await contribute(page);
  await giveWork();
  await expect(page.locator(".figure-main")).not.toContainText("0.000000");
  // Further down it says how the account stands, which changes by the second.
  const speed = page.locator(".figures .figure", { hasText: "Speed" });
  await expectPage(page, "worked-contribute", { isWhole: false, varying: [speed] });
  await goTo(page, "Earnings");
  // The audit of the work is over within a second or two; then it is the bond.
  await expect(page.getByRole("listitem").getByText("Settled").first()).toBeVisible();
  await expectPage(page, "worked-earnings");
  await context.close();
});

test("a machine whose clock is wrong", { tag: "@long" }, async () => {
  const context = await browser.newContext(HERE);
  const page = await context.newPage();
  await page.goto(relay.url);
  await page.getByRole("switch").click();
  await page.getByRole("button", { name: "Agree and start" }).click();
  await expect(page.getByText("This machine's clock disagrees")).toBeVisible();
  await expectPage(page, "wrong-clock", { isWhole: false });
  await context.close();
});
