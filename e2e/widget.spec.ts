/** The widget on the pages of an ordinary site, as its visitors meet it. */
import { type Browser, type BrowserContext, expect, type Page, test } from "@playwright/test";
import { PPM } from "../src/protocol/audit-policy.ts";
import { connect, listSites } from "../src/sdk/index.ts";
import { strictPolicy } from "../examples/embed/serve.ts";
import {
  type EmbedScene,
  frameOf,
  openEmbedScene,
  openForgetfulBrowser,
  OWNER_SEED,
  phaseOf,
  pressTakePart,
  SHARE,
  takePart,
} from "./support/embed-scene.ts";
import { overridePressure, type Press } from "./support/pressure.ts";
import { ECHO } from "./support/functions.ts";
import { freePort } from "./support/relay-process.ts";
import { launchChromium } from "./support/tab.ts";

/** Brotli bytes of all that a site's page loads before somebody agrees. */
const MAX_ELEMENT_BYTES = 4_000;
const HEAD = '<!doctype html><html lang="en"><script type="module" src="{{host}}/widget.js"></script>';
const ONE = '<tabmesh-widget site="{{site}}"></tabmesh-widget>';
const PAGES: ReadonlyMap<string, string> = new Map([
  ["/twice", `${HEAD}${ONE}<hr>${ONE}`],
  ["/script", `${HEAD}${HEAD}${ONE}`],
  ...["de", "es", "zh-CN", "ar"].map(
    (lang) => [`/${lang}`, HEAD.replace('lang="en"', `lang="${lang}"`) + ONE] as const,
  ),
]);

let scene: EmbedScene;
let browser: Browser;
let context: BrowserContext;
let page: Page;

test.beforeAll(async () => {
  scene = await openEmbedScene(PAGES);
  browser = await launchChromium();
});
test.afterAll(async () => {
  await browser.close();
  await scene.close();
});
let press: Press;

test.beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
  press = await overridePressure(page);
});
test.afterEach(async () => {
  await context.close();
});

/** Seconds of processor time in scripts and in all tasks of the page since it was loaded. */
async function processorTime(of: Page): Promise<{ script: number; frames: number }> {
  const session = await context.newCDPSession(of);
  await session.send("Performance.enable");
  const { metrics } = await session.send("Performance.getMetrics");
  const value = (name: string): number => metrics.find((each) => each.name === name)?.value ?? Number.NaN;
  return { script: value("ScriptDuration"), frames: value("Frames") };
}

test("before a person agrees the page asks for the element alone and computes nothing", async () => {
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().startsWith(scene.relay.url)) asked.push(new URL(request.url()).pathname);
  });
  const element = page.waitForEvent("requestfinished", (request) => request.url().endsWith("/widget.js"));
  await page.goto(scene.site.url);
  await expect(page.getByRole("button", { name: "Take part" })).toBeVisible();
  expect((await (await element).sizes()).responseBodySize).toBeLessThanOrEqual(MAX_ELEMENT_BYTES);
  const before = await processorTime(page);
  await page.waitForTimeout(1_500);
  expect(await processorTime(page)).toEqual(before);
  expect(page.workers()).toEqual([]);
  const window = await pressTakePart(page);
  await expect(window.getByRole("heading", { level: 1 })).toContainText(new URL(scene.site.url).host);
  await expect(window.getByText("70% goes to")).toContainText("30% is yours");
  expect(asked).toEqual(["/widget.js"]);
  await window.getByRole("button", { name: "No, thank you" }).click();
  await expect(page.getByRole("button", { name: "Take part" })).toBeVisible();
  expect(asked).toEqual(["/widget.js"]);
  expect(page.frames()).toHaveLength(1);
});

test("a visitor agrees, works for the site, sees for whom and how much, and stops with one click", async () => {
  const violations: string[] = [];
  page.on("console", (message) => {
    if (/Content.Security.Policy|Trusted/u.test(message.text())) violations.push(message.text());
  });
  await page.goto(scene.site.url);
  const frame = await takePart(page);
  const client = await connect({ relay: scene.relay.url, iceServers: [] });
  const inputs = Array.from({ length: 5 }, (_, i) => new TextEncoder().encode(`input ${i}`));
  const work = await client.map(ECHO, inputs, { outputBytes: 65_536, fuel: 1_000_000n });
  const outputs: string[] = [];
  for await (const result of work)
    if (result.kind === "done") outputs[result.index] = new TextDecoder().decode(result.output);
  expect(outputs).toEqual(inputs.map((_, i) => `input ${i}`));
  const { leases } = await work.summary;
  await client.close();
  await expect(frame.locator(".frame-figures")).not.toContainText("0 test credits");
  await expect(frame.locator(".frame-split")).toContainText("70% goes to");

  const assignment = await fetch(`${scene.relay.url}/v1/accounts/${leases[0]?.provider ?? ""}/assignment`);
  expect(await assignment.json()).toMatchObject({
    payee: scene.view.owner,
    ppm: PPM - SHARE,
    site: scene.view.site,
  });
  const [contributed] = await listSites({ relay: scene.relay.url, seed: OWNER_SEED }, 0);
  expect(contributed?.days).toMatchObject([{ tabs: 1, tasks: inputs.length }]);

  await frame.getByRole("button", { name: "What is running?" }).click();
  await expect(frame.getByText("At most 25% of one processor core")).toBeVisible();
  await frame.getByRole("button", { name: "Stop" }).click();
  await expect(phaseOf(page)).toHaveText("Stopped");
  expect(page.workers()).toEqual([]);
  expect(page.frames().filter((each) => each.url().includes("sandbox"))).toEqual([]);
  expect(violations).toEqual([]);
});

test("the widget goes with its page, goes on when it is back, and stays stopped when it was stopped", async () => {
  // An isolated page that keeps its windows.
  const headers = {
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-opener-policy": "same-origin-allow-popups",
  };
  const port = await freePort();
  const { site } = await scene.register(`http://localhost:${port}`);
  const isolated = await scene.openSite({ port, site, headers });
  await page.goto(isolated.url);
  await takePart(page);
  await page.getByRole("link", { name: "About" }).click();
  await expect(page.getByRole("heading", { name: "About this site" })).toBeVisible();
  await expect.poll(() => page.frames()).toHaveLength(1);
  await page.getByRole("link", { name: "Notes" }).click();
  await expect(phaseOf(page)).toHaveText("Ready for the next task", { timeout: 20_000 });
  await frameOf(page).getByRole("button", { name: "Stop" }).click();
  await expect(phaseOf(page)).toHaveText("Stopped");
  // Nor can the page's own scripts have it go on.
  await page.evaluate((name) => sessionStorage.setItem(name, `${Date.now() + 1_000_000}`), `tabmesh ${site}`);
  await page.reload();
  await expect(page.getByRole("button", { name: "Take part" })).toBeVisible({ timeout: 40_000 });
  await expect.poll(() => page.frames()).toHaveLength(1);
});

test(
  "it rests on battery power, at serious pressure and where data is to be saved",
  { tag: "@long" },
  async () => {
    // A battery and a connection in place of the machine's, in every frame.
    await context.addInitScript(() => {
      const battery = Object.assign(new EventTarget(), { charging: true, level: 1 });
      const connection = Object.assign(new EventTarget(), { type: "wifi", saveData: false });
      Object.assign(navigator, { getBattery: () => Promise.resolve(battery) });
      Object.defineProperty(navigator, "connection", { value: connection });
      addEventListener("unplug", ({ type }) => {
        Object.assign(battery, { charging: type !== "unplug" });
        battery.dispatchEvent(new Event("chargingchange"));
      });
      addEventListener("save", () => {
        Object.assign(connection, { saveData: true });
        connection.dispatchEvent(new Event("change"));
      });
    });
    await page.goto(scene.site.url);
    const frame = await takePart(page);
    await frame.evaluate(() => dispatchEvent(new Event("save")));
    await expect(phaseOf(page)).toHaveText("Paused to save data");
    await frame.evaluate(() => dispatchEvent(new Event("unplug")));
    await expect(phaseOf(page)).toHaveText("Paused on battery power");
    await press("serious");
    await expect(phaseOf(page)).toHaveText("Paused: this machine is busy");
  },
);

test("two on one page are one that works and one that says so; the script may come twice", async () => {
  await page.goto(`${scene.site.url}/script`);
  await expect(page.getByRole("button", { name: "Take part" })).toHaveCount(1);
  await page.goto(`${scene.site.url}/twice`);
  await expect(page.getByRole("button", { name: "Take part" })).toHaveCount(2);
  const window = await pressTakePart(page);
  await expect(page.getByText("This page already contributes")).toHaveCount(1);
  await window.close();
  await expect(page.getByRole("button", { name: "Take part" })).toHaveCount(2);
});

test("it speaks the language of its page, from right to left where that is read so", async () => {
  for (const [lang, words, dir] of [
    ["de", "Mitmachen", "ltr"],
    ["es", "Participar", "ltr"],
    ["zh-CN", "参与", "ltr"],
    ["ar", "شارك", "rtl"],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await page.goto(`${scene.site.url}/${lang}`);
    await expect(page.getByRole("button", { name: words })).toBeVisible();
    expect(await page.locator("tabmesh-widget .card").getAttribute("dir")).toBe(dir);
  }
  const [window] = await Promise.all([
    context.waitForEvent("page"),
    page.getByRole("button", { name: "شارك" }).click(),
  ]);
  await expect(window.getByRole("button", { name: "أوافق" })).toBeVisible();
  expect(await window.locator("html").getAttribute("dir")).toBe("rtl");
});

test("where the page lets no frame in, or no window, there is a link to the app", async () => {
  const port = await freePort();
  const { site } = await scene.register(`http://localhost:${port}`);
  const policy = strictPolicy(scene.relay.url).replace(/frame-src [^;]+/u, "frame-src 'none'");
  const closed = await scene.openSite({ port, site, policy });
  await page.goto(closed.url);
  const window = await pressTakePart(page);
  await window.getByRole("button", { name: "Agree" }).click();
  const link = page.getByRole("link", { name: "Contribute in a tab of its own" });
  await expect(link).toHaveAttribute("href", `${scene.relay.url}/`);
  await window.close();
  await page.reload();
  await page.evaluate("globalThis.open = () => null");
  await page.getByRole("button", { name: "Take part" }).click();
  await expect(link).toBeVisible();
});

test(
  "where the browser lets a frame keep nothing, it works with a key in memory, and asks again on the next page",
  { tag: "@long" },
  async () => {
    const forgetful = await openForgetfulBrowser();
    try {
      const visited = await forgetful.newPage();
      await overridePressure(visited);
      await visited.goto(scene.site.url);
      const frame = await takePart(visited);
      const kept = await frame.evaluate(async () => {
        // oxlint-disable-next-line unicorn/consistent-function-scoping -- runs in the frame, where nothing of this file is
        const refusal = async (attempt: () => unknown): Promise<string> => {
          try {
            await attempt();
            return "allowed";
          } catch (error) {
            return error instanceof DOMException ? error.name : "another error";
          }
        };
        return [
          await refusal(() => localStorage.length),
          await refusal(() => navigator.locks.request("any", () => undefined)),
        ];
      });
      expect(kept).toEqual(["SecurityError", "SecurityError"]);
      await visited.reload();
      await expect(visited.getByRole("button", { name: "Take part" })).toBeVisible();
      // The window has what the frame cannot keep: who agreed, and until when.
      const window = await pressTakePart(visited);
      await expect(window.getByText("You agreed until")).toBeVisible();
    } finally {
      await forgetful.close();
    }
  },
);

test("consent taken back in the window cuts the page off at the relay", async () => {
  await page.goto(scene.site.url);
  await takePart(page);
  const window = await context.newPage();
  await window.goto(`${scene.relay.url}/embed/consent?site=${scene.view.site}`);
  await window.getByRole("button", { name: "Withdraw consent" }).click();
  await expect(window.getByText("Withdrawn.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Take part" })).toBeVisible({ timeout: 20_000 });
  await page.reload();
  await expect(page.getByRole("button", { name: "Take part" })).toBeVisible();
});
