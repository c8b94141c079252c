/** The page of runs: a plan drawn by keys alone, run by another tab, watched, checked in the page, and found again afterwards. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { webcrypto } from "node:crypto";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, expect, type Page, test } from "@playwright/test";
import { parsePlan } from "../src/plan/plan-text.ts";
import { decodeRunRecord, encodeRunRecord } from "../src/plan/run-record.ts";
import { verifyRun } from "../src/plan/verify/verify-run.ts";
import { verifierOf } from "../src/protocol/ed25519.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { launchChromium, openProviderTab, type ProviderTab } from "./support/tab.ts";
import { tabTo } from "./support/tab-to.ts";

test.describe.configure({ mode: "serial", timeout: 90_000 });

const home = mkdtempSync(join(tmpdir(), "tabmesh-runs-"));
let relay: RelayProcess;
let browser: Browser;
let page: Page;
let provider: ProviderTab | undefined;
const errors: string[] = [];

test.beforeAll(async () => {
  relay = await startRelayProcess({ dataDir: join(home, "relay"), port: await freePort() });
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 1280, height: 844 } });
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(`${relay.url}/#/runs`);
});
test.afterAll(async () => {
  await provider?.browser.close();
  await browser.close();
  await relay.kill();
  rmSync(home, { recursive: true });
});

/** As it looks now, in light and dark, wide and as a phone. */
async function expectFine(where: string): Promise<void> {
  for (const [colorScheme, width] of [
    ["light", 390],
    ["dark", 1280],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 844 });
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect.soft(excess, `${where} is wider than its window at ${width}`).toBeLessThanOrEqual(0);
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
    const found = violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target }) => `${id}: ${target.join(" ")}`),
    );
    expect.soft(found, `${where}, ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize({ width: 1280, height: 844 });
}

async function saved(name: string): Promise<Buffer> {
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name }).click();
  return readFileSync(await (await downloading).path());
}

test("keys alone draw a plan of two steps that fit, are told what does not, and take it back", async () => {
  await expect(page.getByRole("heading", { level: 1, name: "Runs" })).toBeVisible();
  const { keyboard } = page;
  await tabTo(page, page.getByRole("button", { name: "Draw a plan" }));
  await keyboard.press("Enter");
  const param = page.getByLabel("Name of a further parameter");
  await param.waitFor();
  await tabTo(page, param);
  await keyboard.type("text");
  await keyboard.press("Enter");
  await expect(page.locator(".editor-said")).toContainText("given “text”");
  await tabTo(page, page.getByRole("button", { name: "Function", exact: true }));
  await keyboard.press("Enter");
  const step = page.locator('[data-node="function"]');
  await expect(step).toBeFocused();
  await tabTo(page, page.getByRole("button", { name: "Expression" }));
  await keyboard.press("Enter");
  await expect(page.locator('[data-node="value"]')).toBeFocused();
  await keyboard.press("Enter");
  await tabTo(page, page.getByLabel("Expression", { exact: true }));
  await keyboard.press("ControlOrMeta+a");
  await keyboard.type("number(words(function)[1]) + length(text)");
  await keyboard.press("Escape");
  await expect(page.locator('[data-node="value"]')).toBeFocused();
  // Backwards is a circle.
  await keyboard.press("c");
  await keyboard.press("ArrowUp");
  await keyboard.press("Enter");
  await expect(page.locator(".editor-said")).toContainText("Waits for itself");
  await page.locator('[data-node="value"]').focus();
  await keyboard.press("Delete");
  await expect(page.locator('[data-node="value"]')).toBeHidden();
  await keyboard.press("ControlOrMeta+z");
  await expect(page.locator('[data-node="value"]')).toBeVisible();
  await expect(page.getByText("Not right yet")).toBeHidden();
  await expectFine("the editor");
  const yaml = await saved("Save as YAML");
  const { plan } = await parsePlan(yaml.toString());
  expect(Object.keys(plan.graph.nodes)).toEqual(["function", "value"]);
  await tabTo(page, page.getByRole("button", { name: "Run this plan" }));
  await keyboard.press("Enter");
  await expect(page.getByLabel("text", { exact: true })).toBeVisible();
});

test("the plan is run by another tab; each step shows who signed it, and the page checks the whole run", async () => {
  provider = await openProviderTab(relay.url);
  await page.getByLabel("text", { exact: true }).fill("one two three");
  await page.getByRole("button", { name: "Run the plan" }).click();
  await expect(page.getByRole("heading", { name: "Result" })).toBeVisible({ timeout: 40_000 });
  // Three words and thirteen characters.
  await expect(page.getByLabel("Result of my-plan")).toHaveText("16");
  await page.locator('[data-node="function"]').click();
  await expect(page.locator(".runstep")).toContainText("Signed by");
  await page.getByRole("button", { name: "Show the value" }).click();
  await expect(page.getByLabel("Value of function")).toHaveText("0 3 13");
  await page.getByRole("button", { name: "Check the run here" }).click();
  await expect(page.getByText("It holds.")).toBeVisible();
  await expectFine("a run");
});

test("its record holds before anybody, and not with one byte changed", async () => {
  const bytes = await saved("Save the record");
  const record = decodeRunRecord(new Uint8Array(bytes));
  const verify = verifierOf(webcrypto.subtle);
  expect(await verifyRun(record, verify)).toMatchObject({ ok: true, status: "done", steps: 1 });
  const [step = new Uint8Array(0), ...others] = record.steps;
  const changed = new Uint8Array(step);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  const broken = join(home, "broken.tabmesh-run");
  writeFileSync(broken, encodeRunRecord({ ...record, steps: [changed, ...others] }));
  await page.getByRole("button", { name: "Another run" }).click();
  await page.getByLabel("Record of a run").setInputFiles(broken);
  await expect(page.getByText("It does not hold.")).toBeVisible();
});

test("the run is found again after a reload, and looked at", async () => {
  await page.reload();
  const line = page.locator(".runs-line").first();
  await expect(line).toContainText("my-plan");
  await expect(line).toContainText("Done");
  await line.getByRole("button", { name: "Look at my-plan" }).click();
  await expect(page.getByLabel("Result of my-plan")).toHaveText("16");
  await expect(page.locator('[data-node="function"]')).toHaveAccessibleName(/done/u);
  expect(errors).toEqual([]);
});
