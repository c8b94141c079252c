import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright";
import { build, preview } from "vite";
import { launchChromium } from "../e2e/support/tab.ts";

/** With these a page's clock has steps of 5 µs, else of 100. */
const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
} as const;

/** Builds bench/sandbox-page, serves it and opens it in a browser of its own. */
export async function openSandboxPage(): Promise<{ readonly page: Page; close(): Promise<void> }> {
  const root = join(import.meta.dirname, "sandbox-page");
  const outDir = await mkdtemp(join(tmpdir(), "tabmesh-bench-"));
  await build({
    configFile: false,
    logLevel: "error",
    root,
    build: { outDir, target: "es2023", modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
    worker: { format: "es" },
  });
  const server = await preview({
    configFile: false,
    logLevel: "error",
    root,
    build: { outDir },
    preview: { port: 0, host: "127.0.0.1", headers: ISOLATED },
  });
  const browser = await launchChromium();
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(error));
  await page.goto(server.resolvedUrls?.local[0] ?? "");
  await page.waitForFunction("globalThis.sandboxPage !== undefined");
  return {
    page,
    async close() {
      await browser.close();
      await server.close();
      await rm(outDir, { recursive: true, force: true });
    },
  };
}
