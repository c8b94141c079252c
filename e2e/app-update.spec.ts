/** A new version of the page waits until the person reloads. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { relayConfig } from "../src/relay/config.ts";
import { startRelay } from "../src/relay/start-relay.ts";
import { launchChromium } from "./support/tab.ts";

test("a new version says so, waits, and takes over when the person reloads", async () => {
  const staticDir = mkdtempSync(join(tmpdir(), "tabmesh-pages-"));
  cpSync(join(import.meta.dirname, "../dist"), staticDir, {
    recursive: true,
    filter: (path) => !path.endsWith(".br"),
  });
  const relay = await startRelay(
    relayConfig({ port: 0, dataDir: ":memory:", iceServers: [], staticDir, logLevel: "error" }),
  );
  const browser = await launchChromium();
  const page = await browser.newPage();
  await page.goto(relay.url);
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  await expect.poll(async () => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);

  // The next build: another title in the shell, so another revision in the list of what is precached.
  const shell = join(staticDir, "index.html");
  writeFileSync(shell, readFileSync(shell, "utf8").replace("<html lang", '<html data-build="next" lang'));
  const worker = join(staticDir, "service-worker.js");
  const built = readFileSync(worker, "utf8");
  const revised = built.replace(
    /"revision":"\w{32}","url":"index\.html"/u,
    '"revision":"next","url":"index.html"',
  );
  expect(revised === built).toBe(false);
  writeFileSync(worker, revised);

  await page.reload();
  await expect(page.getByText("A new version is ready.")).toBeVisible();
  await expect(page.locator("html")).not.toHaveAttribute("data-build");
  await page.getByRole("button", { name: "Reload" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-build", "next");
  await browser.close();
  await relay.stop();
});
