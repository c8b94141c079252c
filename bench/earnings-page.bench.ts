/** The page of earnings of a provider with 100,000 receipts: how soon it is there, and how it scrolls. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, CDPSession, Page } from "playwright";
import { launchChromium } from "../e2e/support/tab.ts";
import { DIST_FOLDER, ensureBuilt } from "../src/cli/built-app.ts";
import { peerIdFromSeed } from "../src/protocol/ed25519.ts";
import { identityFile } from "../src/storage/identity-file.ts";
import type { Bench, Measurement } from "./bench.ts";
import { median } from "./median.ts";
import { PROVIDER_SEED, writeReceipts } from "./receipts-writer.ts";
import { startRelay } from "./relay.ts";

const RECEIPTS = 100_000;
const OPENINGS = 5;
/** What a wheel moves per frame when somebody scrolls fast, in CSS pixels, and for how many frames. */
const WHEEL_PX = 240;
const FRAMES = 300;

interface Scrolled {
  /** Frames a second while scrolling, and the longest wait for one, in ms. */
  readonly perSecond: number;
  readonly longestMs: number;
  /** Of the frames, those in which something else than rows was seen, in per cent. */
  readonly emptyPercent: number;
  /** Processor time of the page's main thread for each frame, in ms: scripts, styles, layout and paint. */
  readonly mainMs: number;
}

async function ownPage(browser: Browser, url: string): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  await page.goto(url);
  const peer = await peerIdFromSeed(crypto.subtle, PROVIDER_SEED);
  const text = identityFile({ seed: PROVIDER_SEED, peer, createdAt: 0 });
  const file = { name: "key.json", mimeType: "application/json", buffer: Buffer.from(text) };
  await page.locator("input[type=file]").first().setInputFiles(file);
  await page.getByText("The other key is in use now.").waitFor();
  await page.waitForLoadState("networkidle");
  return page;
}

/** From the click on the tab to the first rows and the length of the list, by the page's own clock. */
async function openingMs(page: Page): Promise<number> {
  await page.goto(`${new URL(page.url()).origin}/#/`);
  await page.reload();
  await page.locator(".relay-badge .chip").waitFor();
  await page.waitForLoadState("networkidle");
  return page.evaluate(
    (count) =>
      new Promise<number>((resolve) => {
        const started = performance.now();
        const look = (): void => {
          const isThere = document.querySelectorAll(".receipt time").length > 8;
          const isCounted = document.body.textContent.includes(`${count} receipts`);
          if (isThere && isCounted) requestAnimationFrame(() => resolve(performance.now() - started));
          else requestAnimationFrame(look);
        };
        location.hash = "#/earnings";
        look();
      }),
    RECEIPTS.toLocaleString("en"),
  );
}

/** Seconds of processor time that the main thread has spent on tasks so far. */
async function taskSeconds(session: CDPSession): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  const found = metrics.find(({ name }) => name === "TaskDuration");
  if (found === undefined) throw new Error("the browser does not say what its tasks took");
  return found.value;
}

async function scroll(page: Page, perFramePx: number): Promise<Scrolled> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const before = await taskSeconds(session);
  const seen = await scrolled(page, perFramePx);
  const mainMs = ((await taskSeconds(session)) - before) * (1_000 / FRAMES);
  await session.detach();
  return { ...seen, mainMs };
}

async function scrolled(page: Page, perFramePx: number): Promise<Omit<Scrolled, "mainMs">> {
  return page.evaluate(
    async ({ frames, step }) => {
      const box = document.querySelector(".receipt-scroller");
      if (box === null) throw new Error("there is no list");
      // oxlint-disable-next-line unicorn/consistent-function-scoping -- what runs in the page has no other scope
      const nextFrame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));
      const times = [await nextFrame()];
      let empty = 0;
      for (let frame = 0; frame < frames; frame += 1) {
        box.scrollTop += step;
        times.push(await nextFrame());
        const { left, top, height } = box.getBoundingClientRect();
        const seen = document.elementFromPoint(left + 60, top + height / 2)?.closest(".receipt");
        if (seen?.querySelector("time") == null) empty += 1;
      }
      const gaps = times.slice(1).map((time, at) => time - (times[at] ?? time));
      const total = gaps.reduce((sum, gap) => sum + gap, 0);
      return {
        perSecond: (1_000 * frames) / total,
        longestMs: Math.max(...gaps),
        emptyPercent: (100 * empty) / frames,
      };
    },
    { frames: FRAMES, step: perFramePx },
  );
}

/** What stands in the middle of the list after a jump there, and how long that takes. */
async function jumpMs(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const box = document.querySelector(".receipt-scroller");
        if (box === null) throw new Error("there is no list");
        const started = performance.now();
        box.scrollTop = box.scrollHeight / 2;
        const look = (): void => {
          const { left, top, height } = box.getBoundingClientRect();
          const seen = document.elementFromPoint(left + 60, top + height / 2)?.closest(".receipt");
          if (seen?.querySelector("time") == null) requestAnimationFrame(look);
          else resolve(performance.now() - started);
        };
        requestAnimationFrame(look);
      }),
  );
}

async function measure(url: string): Promise<readonly Measurement[]> {
  const browser = await launchChromium();
  try {
    const page = await ownPage(browser, url);
    const openings: number[] = [];
    for (let turn = 0; turn < OPENINGS; turn += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      openings.push(await openingMs(page));
    }
    await page.locator(".receipt-scroller").evaluate((box) => box.scrollIntoView({ block: "center" }));
    const jump = await jumpMs(page);
    // What this machine shows of a page that does nothing, while whatever else runs on it.
    const still = await scroll(page, 0);
    const slow = await scroll(page, WHEEL_PX / 8);
    const fast = await scroll(page, WHEEL_PX);
    const none = { goal: null };
    const frame = { unit: "ms", goal: { value: 1_000 / 60, better: "lower" } } as const;
    return [
      { name: "earnings-open", value: median(openings), unit: "ms", goal: { value: 500, better: "lower" } },
      {
        name: "earnings-scroll",
        value: slow.perSecond,
        reference: still.perSecond,
        unit: "1/s",
        goal: { value: 59, better: "higher" },
      },
      { name: "earnings-scroll-main", value: slow.mainMs, reference: still.mainMs, ...frame },
      { name: "earnings-fling", value: fast.perSecond, reference: still.perSecond, unit: "1/s", ...none },
      { name: "earnings-fling-main", value: fast.mainMs, reference: still.mainMs, ...frame },
      { name: "earnings-fling-longest", value: fast.longestMs, unit: "ms", ...none },
      { name: "earnings-scroll-empty", value: slow.emptyPercent, unit: "%", ...none },
      { name: "earnings-fling-empty", value: fast.emptyPercent, unit: "%", ...none },
      { name: "earnings-jump", value: jump, unit: "ms", ...none },
    ];
  } finally {
    await browser.close();
  }
}

const earningsPage: Bench = {
  name: "earnings-page",
  async run() {
    await ensureBuilt();
    const folder = mkdtempSync(join(tmpdir(), "tabmesh-receipts-"));
    try {
      const dataDir = join(folder, "relay");
      await writeReceipts(dataDir, RECEIPTS, Date.now());
      const relay = await startRelay({ dataDir, staticDir: DIST_FOLDER });
      try {
        return await measure(relay.url);
      } finally {
        await relay.stop();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

export const benches: readonly Bench[] = [earningsPage];
