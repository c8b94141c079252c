/** What goes wrong on people's machines: each ends in a sentence that says what happened and what to do. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, expect, type Page, test } from "@playwright/test";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { shiftDate } from "./support/shift-date.ts";
import { CHROMIUM_ARGS, contribute, launchChromium } from "./support/tab.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Chromium's own setting for "sites may not save data on this device". */
const BLOCKED = 2;

let relay: RelayProcess;
let browser: Browser;

test.beforeAll(async () => {
  relay = await startRelayProcess({
    dataDir: mkdtempSync(join(tmpdir(), "tabmesh-trouble-")),
    port: await freePort(),
  });
  browser = await launchChromium();
});
test.afterAll(async () => {
  await browser.close();
  await relay.kill();
});

async function switchOn(page: Page): Promise<void> {
  await page.getByRole("switch").click();
  await page.getByRole("button", { name: "Agree and start" }).click();
}

test("a browser that may keep nothing says so under the heading of every page that has to, and shows the others", async () => {
  const profile = mkdtempSync(join(tmpdir(), "tabmesh-profile-"));
  mkdirSync(join(profile, "Default"));
  const settings = { profile: { default_content_setting_values: { cookies: BLOCKED } } };
  writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(settings));
  const executablePath = process.env["CHROMIUM_PATH"];
  const context = await chromium.launchPersistentContext(profile, {
    ...(executablePath === undefined ? {} : { executablePath }),
    args: [...CHROMIUM_ARGS],
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(relay.url);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  const links = page.getByRole("navigation", { name: "Pages" }).getByRole("link");
  for (const name of await links.allInnerTexts()) {
    await links.filter({ hasText: name }).click();
    await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
    if (name === "Network") continue;
    await expect(page.getByText("This browser does not let the page remember anything")).toBeVisible();
    await expect(page.getByText("allow site data for this address, then reload")).toBeVisible();
  }
  expect(errors).toEqual([]);
  await context.close();
});

test("a browser without room says so when it should keep consent and key, and starts once there is room", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(relay.url);
  await expect(page.getByRole("switch")).toBeVisible();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: relay.url, quotaSize: 1 });
  await switchOn(page);
  await expect(page.getByText("This browser has no room left to keep a key and receipts.")).toBeVisible();
  await expect(page.getByText("Free some space on this device")).toBeVisible();
  await expect(page.getByRole("switch")).toHaveAttribute("aria-checked", "false");
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: relay.url });
  await contribute(page);
  expect(errors).toEqual([]);
  await context.close();
});

for (const [side, byMs] of [
  ["ahead", DAY_MS],
  ["behind", -DAY_MS],
] as const) {
  test(`a machine whose clock is a day ${side} (a replaced Date) is told to set it, and starts once it is set`, async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(shiftDate, byMs);
    await page.goto(relay.url);
    await switchOn(page);
    await expect(page.getByText("This machine's clock disagrees with the relay's")).toBeVisible();
    await expect(page.getByText("Set this machine's date and time, then try again.")).toBeVisible();
    await expect(page.locator(".technical")).toContainText(`1440 minutes ${side}`);
    await page.evaluate(() => Reflect.set(globalThis, "shiftMs", 0));
    await page.getByRole("switch").click();
    await expect(page.getByText("Ready for work")).toBeVisible();
    await context.close();
  });
}
