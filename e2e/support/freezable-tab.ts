import puppeteer, { type Page } from "puppeteer-core";
import { CHROMIUM_ARGS } from "./tab.ts";

/** A provider tab in a Chromium of its own that freezes its page when it is told to, as browsers do with pages nobody looks at. */
export interface FreezableTab {
  readonly page: Page;
  /** Freezes the page, or lets it go on: by the debugging protocol. */
  freeze(isFrozen: boolean): Promise<void>;
  close(): Promise<void>;
}

const READY_MS = 30_000;

/**
 * Opens the page in a new browser, gives consent and waits until it is ready to lease. Not by Playwright: that keeps its
 * pages in focus, and a page in focus is never frozen.
 */
export async function openFreezableTab(url: string): Promise<FreezableTab> {
  const executablePath = process.env["CHROMIUM_PATH"];
  const browser = await puppeteer.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: [...CHROMIUM_ARGS],
    headless: true,
    pipe: true,
  });
  const page = await browser.newPage();
  await page.goto(url);
  await page.locator("[role=switch]").click();
  await page.locator("::-p-aria(Agree and start)").click();
  await page.locator("::-p-text(Ready for work)").setTimeout(READY_MS).wait();
  const session = await page.createCDPSession();
  return {
    page,
    freeze: (isFrozen) =>
      session.send("Page.setWebLifecycleState", { state: isFrozen ? "frozen" : "active" }),
    close: () => browser.close(),
  };
}
