import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright";
import { build } from "vite";
import { launchChromium } from "../e2e/support/tab.ts";
import type { BenchPage } from "./pages/main.ts";
import { startRelay } from "./relay.ts";

declare const benchPage: BenchPage;

/** A provider's and a requester's tab, each in a browser of its own, and their relay with its books on disk. */
export interface TwoTabs {
  readonly provider: Page;
  readonly requester: Page;
  close(): Promise<void>;
}

async function buildPages(outDir: string): Promise<void> {
  await build({
    configFile: false,
    logLevel: "error",
    root: join(import.meta.dirname, "pages"),
    // The frame in which functions run.
    publicDir: join(import.meta.dirname, "../public"),
    build: {
      outDir,
      target: "es2023",
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
    },
    worker: { format: "iife", rolldownOptions: { output: { entryFileNames: "assets/[name]-[hash].js" } } },
  });
}

async function openTab(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(error));
  await page.goto(url);
  await page.waitForFunction("globalThis.benchPage !== undefined");
  return page;
}

/** Builds the pages, starts relay and browsers, and waits until the provider is ready to lease. */
export async function openTwoTabs(): Promise<TwoTabs> {
  const folder = await mkdtemp(join(tmpdir(), "tabmesh-bench-"));
  const staticDir = join(folder, "pages");
  await buildPages(staticDir);
  const relay = await startRelay({ dataDir: join(folder, "relay"), staticDir });
  const browsers = await Promise.all([launchChromium(), launchChromium()]);
  const [provider, requester] = await Promise.all([
    openTab(browsers[0], relay.url),
    openTab(browsers[1], relay.url),
  ]);
  await provider.evaluate(() => benchPage.provide());
  return {
    provider,
    requester,
    async close() {
      await Promise.all(browsers.map((browser) => browser.close()));
      await relay.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
