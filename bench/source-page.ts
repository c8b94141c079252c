import { join } from "node:path";
import type { Page } from "playwright";
import { createServer } from "vite";
import { launchChromium } from "../e2e/support/tab.ts";

export interface SourcePage {
  /** Folder with its index.html, below this one. */
  readonly folder: string;
  /** Global of the page that is there once it is ready. */
  readonly ready: string;
  /** Packages that Vite leaves as they are: they load WebAssembly from beside themselves. */
  readonly asTheyAre: readonly string[];
  /** Of Chromium. */
  readonly args: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Serves a page from its sources, and measures in it in a Chromium of its own. */
export async function withSourcePage<T>(
  { folder, ready, asTheyAre, args, headers = {} }: SourcePage,
  measure: (page: Page) => Promise<T>,
): Promise<T> {
  const server = await createServer({
    configFile: false,
    logLevel: "error",
    root: join(import.meta.dirname, ".."),
    server: { host: "127.0.0.1", port: 0, hmr: false, watch: null, headers: { ...headers } },
    optimizeDeps: { exclude: [...asTheyAre] },
  });
  await server.listen();
  const browser = await launchChromium(args);
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => console.error(error));
    await page.goto(`${server.resolvedUrls?.local[0] ?? ""}bench/${folder}/index.html`);
    await page.waitForFunction(`globalThis.${ready} !== undefined`);
    return await measure(page);
  } finally {
    await browser.close();
    await server.close();
  }
}
