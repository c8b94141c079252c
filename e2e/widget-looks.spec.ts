/** Every state of the widget, as axe finds it and as the pictures kept have it, on an ordinary page and in the window that asks. */
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContext, expect, type Page, test } from "@playwright/test";
import { strictPolicy } from "../examples/embed/serve.ts";
import { type EmbedScene, openEmbedScene } from "./support/embed-scene.ts";
import { overridePressure } from "./support/pressure.ts";
import { whyNotCompared } from "./support/picture-record.ts";
import { expectPicture } from "./support/pictures.ts";
import { launchChromium } from "./support/tab.ts";
import { tabTo } from "./support/tab-to.ts";

/** The name that the site has for its visitors, whatever port it has here. */
const ORIGIN = "http://tides.localhost";
const ARABIC =
  '<!doctype html><html lang="ar" dir="rtl"><meta name="viewport" content="width=device-width"><title>جدول المد</title>' +
  '<script type="module" src="{{host}}/widget.js"></script><main><h1>جدول المد</h1><tabmesh-widget site="{{site}}"></tabmesh-widget></main>';
const PAGES: ReadonlyMap<string, string> = new Map([["/ar", ARABIC]]);

let scene: EmbedScene;
let browser: Browser;
let context: BrowserContext;
let page: Page;
/** Why pictures are not compared here. */
let reason: string | undefined;

test.beforeAll(async () => {
  scene = await openEmbedScene(PAGES);
  const { site } = await scene.register(ORIGIN);
  const open = await scene.openSite({ port: 0, site });
  const closed = await scene.openSite({
    port: 0,
    site,
    // A sandboxed page opens no windows.
    policy: `${strictPolicy(scene.relay.url)}; sandbox allow-scripts allow-same-origin`,
  });
  const rules = [
    `MAP tides.localhost:80 ${new URL(open.url).host}`,
    `MAP closed.localhost:80 ${new URL(closed.url).host}`,
  ];
  browser = await launchChromium([`--host-resolver-rules=${rules.join(",")}`]);
  const any = await browser.newPage();
  await any.goto(scene.relay.url);
  reason = await whyNotCompared(any, test.info());
  await any.close();
});
test.beforeEach(async () => {
  context = await browser.newContext({
    viewport: { width: 1280, height: 844 },
    timezoneId: "UTC",
    locale: "en-GB",
  });
  page = await context.newPage();
  // By the browser's debugging override: a machine that runs tests is busy.
  await overridePressure(page);
});
test.afterEach(async () => {
  await context.close();
});
test.afterAll(async () => {
  await browser.close();
  await scene.close();
});

/** What axe finds in the page and its frames. */
async function expectAccessible(of: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page: of }).analyze();
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(" ")}: ${failureSummary}`),
  );
  expect.soft(found, where).toEqual([]);
}

async function expectWidget(name: string): Promise<void> {
  await expectAccessible(page, name);
  if (reason !== undefined) return;
  const frame = page.frameLocator("tabmesh-widget > iframe");
  const varying = [frame.locator(".frame-figures"), frame.locator(".frame-facts li:last-child")];
  await expectPicture(page, `widget-${name}`, { part: page.locator("tabmesh-widget"), varying });
}

/** @param agree what its button says once a click counts, a while after each change of the window */
async function expectWindow(window: Page, name: string, agree: string): Promise<void> {
  const ready = (): Promise<void> => expect(window.getByRole("button", { name: agree })).toBeEnabled();
  for (const colorScheme of ["light", "dark"] as const) {
    await window.emulateMedia({ colorScheme });
    await ready();
    await expectAccessible(window, `${name}, ${colorScheme}`);
  }
  if (reason !== undefined) return;
  // The button waits anew whenever the window changes, as it does for a picture.
  const varying = [".consent-head span", ".agreed", ".answers"].map((part) => window.locator(part));
  await expectPicture(window, `widget-${name}`, { varying });
}

test(
  "the widget before, while and after it works, for somebody who has no mouse",
  { tag: "@long" },
  async () => {
    await page.goto(ORIGIN);
    const button = page.getByRole("button", { name: "Take part" });
    await expect(button).toBeVisible();
    await expectWidget("idle");
    await tabTo(page, button);
    const [window] = await Promise.all([context.waitForEvent("page"), page.keyboard.press("Enter")]);
    await expectWindow(window, "asks", "Agree");
    await expectWidget("asking");
    await window.bringToFront();
    const agree = window.getByRole("button", { name: "Agree" });
    await expect(agree).toBeEnabled();
    await tabTo(window, agree);
    await window.keyboard.press("Enter");
    await page.bringToFront();
    const frame = page.frameLocator("tabmesh-widget > iframe");
    const status = frame.getByRole("status");
    await expect(status).toHaveText("Ready for the next task", { timeout: 30_000 });
    await expectWidget("ready");
    await tabTo(page, frame.getByRole("button", { name: "What is running?" }));
    await page.keyboard.press("Enter");
    await expectWidget("more");
    await tabTo(page, frame.getByRole("button", { name: "Stop" }));
    await page.keyboard.press("Space");
    await expect(status).toHaveText("Stopped");
    await expectWidget("stopped");
  },
);

test("the widget where no window may open", async () => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto("http://closed.localhost");
  await page.getByRole("button", { name: "Take part" }).click();
  await expect(page.getByRole("link", { name: "Contribute in a tab of its own" })).toBeVisible();
  await expectWidget("blocked");
});

test("the widget in a language that is read from right to left", async () => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(`${ORIGIN}/ar`);
  const button = page.getByRole("button", { name: "شارك" });
  await expect(button).toBeVisible();
  await expectWidget("arabic");
  const [window] = await Promise.all([context.waitForEvent("page"), button.click()]);
  await expectWindow(window, "asks-in-arabic", "أوافق");
});
