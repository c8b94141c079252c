/** The page of a site's owner: what a person does there, and that the relay has it. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, expect, test } from "@playwright/test";
import { siteViewJson } from "../src/protocol/site-json.ts";
import { type SiteId, siteId } from "../src/protocol/site.ts";
import type { SiteView } from "../src/protocol/site-views.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { launchChromium } from "./support/tab.ts";

let relay: RelayProcess;
let browser: Browser;

test.beforeAll(async () => {
  relay = await startRelayProcess({
    dataDir: mkdtempSync(join(tmpdir(), "tabmesh-sites-")),
    port: await freePort(),
  });
  browser = await launchChromium();
});
test.afterAll(async () => {
  await browser.close();
  await relay.kill();
});

async function atRelay(id: SiteId | string): Promise<SiteView> {
  return siteViewJson.read(await (await fetch(`${relay.url}/v1/sites/${id}`)).json());
}

test("a person registers a site, copies its code, sees the widget as it will look, and changes the share", async () => {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(`${relay.url}/#/sites`);
  await page.getByLabel("Address of the site").fill("http://news.example");
  await page.getByRole("button", { name: "Register site" }).click();
  await expect(page.getByText("the address has to begin with https://")).toBeVisible();
  await page.getByLabel("Address of the site").fill("news.example/blog");
  await page.getByRole("button", { name: "Register site" }).click();
  await expect(page.getByRole("heading", { name: "news.example", level: 2 })).toBeFocused();

  await page.getByRole("button", { name: "Copy code" }).click();
  await expect(page.getByText("Copied")).toBeVisible();
  const code = await page.evaluate(async () => navigator.clipboard.readText());
  const [, id = ""] = /<tabmesh-widget site="([^"]+)"><\/tabmesh-widget>$/u.exec(code) ?? [];
  expect(code).toContain(`<script type="module" src="${new URL(relay.url).origin}/widget.js"></script>`);
  const site = await atRelay(id);
  expect(site).toMatchObject({ page: "https://news.example", share: 500_000, state: "open" });
  expect(id).toBe(siteId(site.owner, site.page));

  const button = page.locator("tabmesh-widget").getByRole("button", { includeHidden: true });
  await expect(button).toHaveText("Take part");
  await page.getByLabel("Language").selectOption("de");
  await expect(button).toHaveText("Mitmachen");
  await page.getByLabel("Button", { exact: true }).fill("#ffcc00");
  await expect(button).toHaveCSS("background-color", "rgb(255, 204, 0)");
  await expect(page.getByLabel("Style for your pages")).toContainText("--tabmesh-on-accent: #000000;");
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  expect(violations.map(({ id: rule, nodes }) => `${rule}: ${nodes[0]?.html ?? ""}`)).toEqual([]);

  await page.locator("#change-share").fill("20");
  await page.getByRole("button", { name: "Save share" }).click();
  await expect(page.getByText("New visitors are asked for the new share.")).toBeVisible();
  await page.getByRole("button", { name: "Close this site" }).click();
  await expect(page.getByText("Closed", { exact: true })).toBeVisible();
  expect(await atRelay(id)).toMatchObject({ share: 200_000, state: "closed" });
  await page.reload();
  await expect(page.getByText("Visitors keep 20 % of what they earn, 80 % is yours.")).toBeVisible();
  expect(errors).toEqual([]);
  await context.close();
});
