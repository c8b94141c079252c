/** Every page the app has tabs for: readable by axe in each look, by keyboard alone, and still for whom motion disturbs. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, expect, type Page, test } from "@playwright/test";
import { connect } from "../src/sdk/index.ts";
import { onEachPage, tabsOf } from "./support/app-pages.ts";
import { ECHO } from "./support/functions.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { contribute, launchChromium } from "./support/tab.ts";
import { tabTo } from "./support/tab-to.ts";

/** Each page is looked at as these people see it. */
const LOOKS = [
  { name: "light", colorScheme: "light", width: 1280 },
  { name: "dark", colorScheme: "dark", width: 1280 },
  { name: "a phone", colorScheme: "light", width: 390 },
] as const;
const DARK_PHONE = [{ name: "a dark phone", colorScheme: "dark", width: 390 }] as const;

/** More stops of the Tab key than any page has: beyond, the focus runs in circles. */
const MOST_STOPS = 300;

let relay: RelayProcess;
let browser: Browser;
let page: Page;
const errors: string[] = [];

test.beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "tabmesh-pages-"));
  relay = await startRelayProcess({ dataDir, port: await freePort() });
  browser = await launchChromium();
  const context = await browser.newContext({ viewport: { width: 1280, height: 844 } });
  page = await context.newPage();
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`${message.text()} (${message.location().url})`);
  });
  await page.goto(relay.url);
});
test.afterAll(async () => {
  await browser.close();
  await relay.kill();
});

async function expectAccessible(where: string): Promise<void> {
  // No frame here is a stranger, so the quick way will do.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(" ")}: ${failureSummary}`),
  );
  expect.soft(found, where).toEqual([]);
}

async function expectNotWider(where: string): Promise<void> {
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect.soft(excess, `${where} is wider than its window`).toBeLessThanOrEqual(0);
}

type Looks = typeof LOOKS | typeof DARK_PHONE;

async function inEachLook(
  looks: Looks,
  where: string,
  look: (where: string) => Promise<void>,
): Promise<void> {
  for (const { name, colorScheme, width } of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 844 });
    await look(`${where}, ${name}`);
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize({ width: 1280, height: 844 });
}

async function lookAtEachPage(looks: Looks): Promise<number> {
  return onEachPage(page, async (name) => {
    expect(await page.getByRole("heading", { level: 1 }).count(), name).toBe(1);
    await inEachLook(looks, name, async (where) => {
      await expectNotWider(where);
      await expectAccessible(where);
    });
  });
}

let working: Promise<void> | undefined;

/** Has the tab work and earn, once, so that pages have something to show. */
async function work(): Promise<void> {
  await tabsOf(page).first().click();
  await contribute(page);
  const client = await connect({ relay: relay.url, iceServers: [] });
  const inputs = [1, 2, 3].map((byte) => Uint8Array.of(byte));
  const job = await client.map(ECHO, inputs);
  for await (const result of job) expect(result.kind).toBe("done");
  await job.summary;
  await client.close();
}

function worked(): Promise<void> {
  working ??= work();
  return working;
}

test("axe finds nothing on any page that is still empty, on a dark phone", { tag: "@long" }, async () => {
  expect(await lookAtEachPage(DARK_PHONE)).toBeGreaterThan(5);
});

test("axe finds nothing in the question for consent", async () => {
  await tabsOf(page).first().click();
  await page.getByRole("switch").click();
  await inEachLook(LOOKS, "the consent", async (where) => {
    await expectNotWider(where);
    await expectAccessible(where);
  });
  await page.getByRole("button", { name: "Not now" }).click();
});

test("axe finds nothing on any page once the tab has worked and earned, in light, dark and at 390 px", async () => {
  await worked();
  await lookAtEachPage(LOOKS);
});

test("keys alone find a receipt, verify it, and go back to the top", { tag: "@long" }, async () => {
  await worked();
  await tabTo(page, tabsOf(page).filter({ hasText: "Earnings" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Earnings" })).toBeFocused();
  await tabTo(page, page.getByRole("button", { name: /^Verify entry/u }).first());
  await page.keyboard.press("Enter");
  await expect(page.locator(".verdict-good")).toContainText("Verified");
  await tabTo(page, page.getByRole("button", { name: /^Hide/u }).first());
  await page.keyboard.press("Space");
  await expect(page.locator(".verdict-good")).toBeHidden();
  await tabTo(page, page.getByRole("link", { name: "Skip to content" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
});

test(
  "each page takes the focus to its heading, also when it has to be loaded first",
  { tag: "@long" },
  async () => {
    const fresh = await browser.newPage();
    await fresh.goto(relay.url);
    await expect(fresh.getByRole("heading", { level: 1 })).toBeVisible();
    const links = fresh.getByRole("navigation", { name: "Pages" }).getByRole("link");
    const names = await links.allInnerTexts();
    for (const name of names.toReversed()) {
      await links.filter({ hasText: name }).focus();
      await fresh.keyboard.press("Enter");
      await expect(fresh.getByRole("heading", { level: 1, name })).toBeFocused();
      await expect(fresh).toHaveTitle(`${name} · Tabmesh`);
    }
    await fresh.close();
  },
);

type Stop = "outside" | "seen before" | { readonly name: string; readonly isMarked: boolean };

/** Where the focus is, and whether it can be seen there. */
function focusedStop(this: void): Stop {
  const { activeElement: element } = document;
  if (element === null || element === document.body) return "outside";
  if (element.hasAttribute("data-visited")) return "seen before";
  element.setAttribute("data-visited", "");
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const isMarked = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
  return { name: element.outerHTML.slice(0, 160), isMarked: isMarked || element.tagName === "IFRAME" };
}

/** What a mouse can press and the Tab key did not reach. Of radio buttons only the chosen one is a stop. */
function missedControls(this: void): readonly string[] {
  const controls = document.querySelectorAll(
    "a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex='0']",
  );
  return [...controls]
    .filter(
      (control) =>
        control.checkVisibility({ visibilityProperty: true }) && control.getClientRects().length > 0,
    )
    .filter(
      (control) => !control.matches("[data-visited], [tabindex='-1'], input[type='radio']:not(:checked)"),
    )
    .map((control) => control.outerHTML.slice(0, 160));
}

/** Goes once around the page by the Tab key. @returns how often the focus was outside of it */
async function goAround(name: string): Promise<number> {
  let outside = 0;
  for (let press = 0; press < MOST_STOPS; press += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(focusedStop);
    if (stop === "seen before") return outside;
    if (stop === "outside") outside += 1;
    else expect.soft(stop.isMarked, `${name}: no mark of focus on ${stop.name}`).toBe(true);
  }
  throw new Error(`${name} has more than ${MOST_STOPS} stops`);
}

test(
  "the Tab key reaches everything on every page, shows where it is, and leaves again",
  { tag: "@long" },
  async () => {
    await onEachPage(page, async (name) => {
      await page.evaluate(() => {
        for (const element of document.querySelectorAll("[data-visited]"))
          element.removeAttribute("data-visited");
      });
      expect(await goAround(name), `${name}: the Tab key does not come out`).toBeGreaterThan(0);
      expect.soft(await page.evaluate(missedControls), name).toEqual([]);
    });
  },
);

/** Elements that move now, or would at the next change. */
function movingElements(this: void): readonly string[] {
  const styled = [...document.querySelectorAll("*")].filter((element) =>
    [undefined, "::before", "::after"].some((part) => {
      const { animationName, transitionDuration } = getComputedStyle(element, part);
      return animationName !== "none" || /[1-9]/u.test(transitionDuration);
    }),
  );
  const scripted = document.getAnimations().map(({ id, playState }) => `animation ${id} ${playState}`);
  return [...styled.map((element) => element.outerHTML.slice(0, 160)), ...scripted];
}

test("nothing moves for a person who asked for less motion", async () => {
  await tabsOf(page).first().click();
  expect((await page.evaluate(movingElements)).length, "for everybody else").toBeGreaterThan(0);
  await page.emulateMedia({ reducedMotion: "reduce" });
  await onEachPage(page, async (name) => {
    expect.soft(await page.evaluate(movingElements), name).toEqual([]);
  });
  await page.emulateMedia({ reducedMotion: null });
});

test("none of this left an error behind in the page", () => {
  expect(errors).toEqual([]);
});
