/** What a first visit loads and how soon its tab is ready, in a real browser with the built app. */
import { brotliCompressSync } from "node:zlib";
import type { Page } from "playwright";
import { launchChromium } from "../e2e/support/tab.ts";
import { DIST_FOLDER, ensureBuilt } from "../src/cli/built-app.ts";
import type { Bench } from "./bench.ts";
import { median } from "./median.ts";
import { startRelay } from "./relay.ts";

const STARTS = 5;
const READY_TIMEOUT_MS = 30_000;

/** A fresh browser at the front page of a relay that serves the build. */
async function withVisit<T>(measure: (page: Page, visit: () => Promise<void>) => Promise<T>): Promise<T> {
  await ensureBuilt();
  const relay = await startRelay({ staticDir: DIST_FOLDER });
  const browser = await launchChromium();
  try {
    const page = await (await browser.newContext()).newPage();
    return await measure(page, async () => {
      await page.goto(relay.url);
      await page.locator(".relay-badge .chip").waitFor();
      await page.evaluate(async () => {
        await navigator.serviceWorker.ready;
      });
      await page.waitForLoadState("networkidle");
    });
  } finally {
    await browser.close();
    await relay.stop();
  }
}

/** Scripts that the page itself was sent from now on, uncompressed, by path. */
function watchScripts(page: Page): ReadonlyMap<string, Promise<Buffer>> {
  const scripts = new Map<string, Promise<Buffer>>();
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    // What the service worker fetches for its store, the page has loaded already.
    if (response.request().serviceWorker() !== null) return;
    if (pathname.endsWith(".js")) scripts.set(pathname, response.body());
  });
  return scripts;
}

async function brotliKilobytes(scripts: Iterable<Promise<Buffer>>): Promise<number> {
  const bodies = await Promise.all(scripts);
  return bodies.reduce((sum, body) => sum + brotliCompressSync(body).length, 0) / 1_000;
}

/** Of a thread for functions, by its path. */
function isThread(path: string): boolean {
  return path.includes("sandbox.worker");
}

async function pressAndAgree(page: Page): Promise<void> {
  await page.getByRole("switch").click();
  await page.getByRole("button", { name: "Agree and start" }).click();
}

async function untilReady(page: Page): Promise<void> {
  await page.getByText("Ready for work").first().waitFor({ timeout: READY_TIMEOUT_MS });
}

const firstLoad: Bench = {
  name: "first-load",
  goal: { value: 45, better: "lower" },
  run: () =>
    withVisit(async (page, visit) => {
      const scripts = watchScripts(page);
      await visit();
      const value = await brotliKilobytes(scripts.values());
      return [{ name: "first-load", value, unit: "kB brotli" }];
    }),
};

const meshChunk: Bench = {
  name: "mesh-chunk",
  goal: { value: 140, better: "lower" },
  run: () =>
    withVisit(async (page, visit) => {
      await visit();
      const scripts = watchScripts(page);
      await pressAndAgree(page);
      await untilReady(page);
      const own = [...scripts].filter(([path]) => !isThread(path)).map(([, body]) => body);
      const threads = [...scripts].filter(([path]) => isThread(path)).map(([, body]) => body);
      return [
        { name: "mesh-chunk", value: await brotliKilobytes(own), unit: "kB brotli" },
        // The script of the thread that is started ahead: the sandbox, components included.
        { name: "sandbox-script", value: await brotliKilobytes(threads), unit: "kB brotli", goal: null },
      ];
    }),
};

/** Milliseconds from the click that agrees to the words that say it is ready, by the page's own clock. */
async function startMs(page: Page): Promise<number> {
  await page.evaluate(() => {
    let pressedAt = 0;
    document.addEventListener(
      "click",
      ({ target }) => {
        const isAgreed = target instanceof Element && target.textContent.includes("Agree and start");
        if (isAgreed) pressedAt = performance.now();
      },
      { capture: true },
    );
    const seen = new MutationObserver(() => {
      if (pressedAt === 0 || !document.body.textContent.includes("Ready for work")) return;
      seen.disconnect();
      performance.measure("start", { start: pressedAt, end: performance.now() });
    });
    seen.observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await pressAndAgree(page);
  await untilReady(page);
  const ms = await page.evaluate(() => performance.getEntriesByName("start")[0]?.duration);
  if (ms === undefined) throw new Error("the start was not measured");
  return ms;
}

const pressToReady: Bench = {
  name: "press-to-ready",
  goal: { value: 2.5, better: "lower" },
  async run() {
    const times: number[] = [];
    for (let start = 0; start < STARTS; start += 1) {
      times.push(
        // One browser after the other.
        await withVisit(async (page, visit) => {
          await visit();
          return startMs(page);
        }),
      );
    }
    return [{ name: "press-to-ready", value: median(times) / 1_000, unit: "s" }];
  },
};

export const benches: readonly Bench[] = [firstLoad, meshChunk, pressToReady];
