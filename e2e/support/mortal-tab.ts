import { chromium, type Page } from "@playwright/test";
import { CHROMIUM_ARGS, contribute } from "./tab.ts";

/** A provider tab in a Chromium of its own that can be killed like any process. */
export interface MortalTab {
  readonly page: Page;
  /** SIGKILL to the whole browser: no goodbye. */
  kill(): Promise<void>;
  /** Closes the browser as a person would. */
  close(): Promise<void>;
}

/** Opens the page in a new browser, gives consent and waits until it is ready to lease. */
export async function openMortalTab(url: string): Promise<MortalTab> {
  const executablePath = process.env["CHROMIUM_PATH"];
  const server = await chromium.launchServer({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: [...CHROMIUM_ARGS],
    handleSIGINT: false,
    handleSIGTERM: false,
  });
  const browser = await chromium.connect(server.wsEndpoint());
  const page = await browser.newPage();
  await page.goto(url);
  await contribute(page);
  return { page, kill: () => server.kill(), close: () => server.close() };
}
