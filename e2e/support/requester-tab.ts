import type { JobOptions } from "../../src/sdk/index.ts";
import { startPageSite } from "./page-site.ts";
import type { Mapped, RequesterPage } from "./requester-page.ts";
import { launchChromium } from "./tab.ts";

declare const requesterPage: RequesterPage;

/** A requester in a Chromium of its own. */
export interface RequesterTab {
  /** The account that pays. */
  readonly account: string;
  map(
    module: Uint8Array,
    inputs: readonly Uint8Array[],
    options: Omit<JobOptions, "signal" | "onProgress">,
  ): Promise<Mapped>;
  /** Errors the page threw and nobody caught. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

/** Opens a page of another site than the relay's, with the SDK in it, and joins the mesh. */
export async function openRequesterTab(relayUrl: string): Promise<RequesterTab> {
  const site = await startPageSite("requester-page.ts");
  const browser = await launchChromium();
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(site.url);
  await page.waitForFunction("globalThis.requesterPage !== undefined");
  const account = await page.evaluate((relay) => requesterPage.join(relay), relayUrl);
  return {
    account,
    errors,
    map: (module, inputs, options) =>
      page.evaluate(
        ([moduleOfJob, inputsOfJob, optionsOfJob]) =>
          requesterPage.map(moduleOfJob, inputsOfJob, optionsOfJob),
        [site.serve(module), inputs, options] as const,
      ),
    async close() {
      await page.evaluate(() => requesterPage.leave()).catch(() => undefined);
      await browser.close();
      await site.stop();
    },
  };
}
