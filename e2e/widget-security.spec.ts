/** The widget on pages that mean ill. */
import { type Browser, type BrowserContext, expect, type Page, test } from "@playwright/test";
import { type EmbedScene, openEmbedScene, phaseOf, pressTakePart, takePart } from "./support/embed-scene.ts";
import { overridePressure } from "./support/pressure.ts";
import { launchChromium } from "./support/tab.ts";

const PAGES: ReadonlyMap<string, string> = new Map([["/bare", "<!doctype html><p>Nothing but words</p>"]]);
/** An element of the page's own over everything, or over the widget alone, that lets clicks through. */
const VEIL =
  "const veil = document.createElement('div'); veil.id = 'veil'; document.body.append(veil);" +
  "Object.assign(veil.style, { position: 'fixed', inset: 0, background: '#ffffff03', pointerEvents: 'none' });";

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
test.beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
  await overridePressure(page);
});
test.afterEach(async () => {
  await context.close();
});

test("security: nobody can lay anything over the window, nor catch its click with a double click", async () => {
  for (const site of [scene.site, await scene.openSite({})]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await page.goto(`${site.url}/bare`);
    // oxlint-disable-next-line no-await-in-loop
    await page.evaluate(async (url) => {
      const frame = document.createElement("iframe");
      frame.src = url;
      const { promise, resolve } = Promise.withResolvers<void>();
      frame.addEventListener("load", () => resolve(), { once: true });
      document.body.append(frame);
      await promise;
    }, `${scene.relay.url}/embed/consent?site=${scene.view.site}`);
    const [, framed] = page.frames();
    // oxlint-disable-next-line no-await-in-loop
    expect(await framed?.locator("button").count()).toBe(0);
  }

  await page.goto(scene.site.url);
  const window = await pressTakePart(page);
  const button = window.locator(".answers button").first();
  const box = await button.boundingBox();
  if (box === null) throw new Error("the window has no button");
  await window.mouse.dblclick(box.x + 10, box.y + 10);
  await expect(button).toHaveText("Agree");
  // What is pressed by a script, or began before the window was in front, is not meant.
  await button.evaluate((element) => (element instanceof HTMLElement ? element.click() : undefined));
  await window.waitForTimeout(500);
  expect(page.frames()).toHaveLength(1);
});

test("security: a frame that the page covers, pales or squeezes works no more, and takes no click to begin", async () => {
  await page.goto(scene.site.url);
  const frame = await takePart(page);
  await page.evaluate(VEIL);
  await expect(phaseOf(page)).toHaveText("Paused: the page covers this box", { timeout: 10_000 });
  await frame.getByRole("button", { name: "Stop" }).click();
  await expect(phaseOf(page)).toHaveText("Stopped");
  await frame.getByRole("button", { name: "Go on" }).click();
  await frame.waitForTimeout(1_000);
  await expect(phaseOf(page)).toHaveText("Stopped");
  await page.evaluate("document.querySelector('#veil').remove()");
  await frame.waitForTimeout(1_000);
  await frame.getByRole("button", { name: "Go on" }).click();
  await expect(phaseOf(page)).not.toHaveText("Stopped");
  await page.evaluate("document.querySelector('iframe').style.width = '60px'");
  await expect(phaseOf(page)).toHaveText("Paused: the page leaves this box no room");
});

test("security: what the page makes up starts nothing, and what it may see holds no key", async () => {
  await page.goto(scene.site.url);
  await page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(globalThis, { heard });
    addEventListener("message", ({ data }) => heard.push(JSON.stringify(data)));
  });
  // A page says what only the window may say: no frame comes of it.
  await page.evaluate((site) => {
    postMessage({ tabmesh: "agreed", site, ticket: "0".repeat(32) }, "*");
  }, scene.view.site);
  await page.waitForTimeout(300);
  expect(page.frames()).toHaveLength(1);

  const frame = await takePart(page);
  const stolen = await page.evaluate(() => {
    const held = document.querySelector("iframe");
    // oxlint-disable-next-line unicorn/consistent-function-scoping -- runs in the page, where nothing of this file is
    const attempt = (act: () => unknown): string => {
      try {
        return String(act());
      } catch (error) {
        return error instanceof DOMException ? error.name : "another error";
      }
    };
    return [
      attempt(() => held?.contentDocument),
      attempt(() => held?.contentWindow?.localStorage.length),
      attempt(() => Reflect.get(held?.contentWindow ?? {}, "indexedDB")),
      attempt(() => held?.contentWindow?.document.title),
    ];
  });
  expect(stolen).toEqual(["null", "SecurityError", "SecurityError", "SecurityError"]);
  const heard = await page.evaluate((): unknown => Reflect.get(globalThis, "heard"));
  const texts = Array.isArray(heard) ? heard.map(String) : [];
  expect(texts.some((text) => text.includes('"state"'))).toBe(true);
  expect(texts.join("\n")).not.toMatch(/delegation|seed|"grant"|"here"|12D3KooW/u);
  // A page that knocks, or gives leave, is not the window; nothing but Stop is obeyed.
  await page.evaluate(() => {
    const ticket = new URLSearchParams(document.querySelector("iframe")?.src.split("#")[1]).get("ticket");
    const to = document.querySelector("iframe")?.contentWindow;
    for (const tabmesh of ["knock", "grant", "start", "state", "wish"])
      to?.postMessage({ tabmesh, ticket }, "*");
  });
  await page.waitForTimeout(500);
  expect(await page.evaluate((): unknown => Reflect.get(globalThis, "heard"))).toEqual(heard);
  await expect(phaseOf(page)).toHaveText("Ready for the next task");
  await page.evaluate(() =>
    document.querySelector("iframe")?.contentWindow?.postMessage({ tabmesh: "wish", wish: "stop" }, "*"),
  );
  await expect(phaseOf(page)).toHaveText("Stopped");
  expect(frame.isDetached()).toBe(false);
});

test("security: consent to one site is of no use to another, which can neither hold its frame nor hear its window", async () => {
  await page.goto(scene.site.url);
  await takePart(page);
  const evil = await scene.openSite({});
  const thief = await context.newPage();
  await thief.goto(evil.url);
  const window = await pressTakePart(thief);
  await expect(window.getByRole("heading", { level: 1 })).toContainText(new URL(scene.site.url).host);
  await window.getByRole("button", { name: /^(?:Agree|Go on)$/u }).click();
  await thief.waitForTimeout(1_500);
  // A window that is heard by its page closes by itself.
  expect(window.isClosed()).toBe(false);
  expect(thief.frames()).toHaveLength(1);
  await window.close();
  // Its frame, though consent is there and kept, does not load in another's page.
  await thief.evaluate((src) => {
    const frame = document.createElement("iframe");
    frame.src = src;
    document.body.append(frame);
  }, `${scene.relay.url}/embed/frame?site=${scene.view.site}`);
  await thief.waitForTimeout(1_000);
  const [, framed] = thief.frames();
  expect(await framed?.locator("#widget").count()).toBe(0);
  // Nor in a page of the site that stands in another's page itself.
  await expect(phaseOf(page)).toHaveText("Ready for the next task");
});
