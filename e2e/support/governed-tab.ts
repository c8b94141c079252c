/** A tab whose limits are changed while it works, in a browser that is told how busy the machine is. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page } from "@playwright/test";
import { connect } from "../../src/sdk/index.ts";
import { slowEcho } from "./functions.ts";
import { overridePressure, type Press } from "./pressure.ts";
import { freePort, startRelayProcess } from "./relay-process.ts";
import { launchChromium } from "./tab.ts";

interface GovernedTab {
  readonly browser: Browser;
  readonly page: Page;
  /** The browser's debugging override of Compute Pressure. */
  readonly press: Press;
  /** Opens the list of limits. @returns the slider of the processor's share */
  readonly openLimits: () => Promise<Locator>;
  /** Keeps the tab at work until it is closed. Resolves when the first tasks have come back. */
  readonly keepBusy: (turns: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** @param before is done to the page before it loads anything */
export async function openGovernedTab(before?: (page: Page) => Promise<void>): Promise<GovernedTab> {
  const open: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const each of open.splice(0).toReversed())
      // oxlint-disable-next-line no-await-in-loop -- in the reverse order of their opening
      await each().catch(() => undefined);
  };
  const dataDir = mkdtempSync(join(tmpdir(), "tabmesh-governor-"));
  const relay = await startRelayProcess({ dataDir, port: await freePort() });
  open.push(() => relay.kill());
  const browser = await launchChromium();
  open.push(() => browser.close());
  const page = await browser.newPage();
  // What else this machine does is no pressure of the test's.
  const press = await overridePressure(page);
  await before?.(page);
  await page.goto(relay.url);
  return {
    browser,
    page,
    press,
    close,
    async openLimits() {
      await page.getByText("Limits", { exact: true }).click();
      const slider = page.getByRole("slider", { name: "Share of the processor" });
      await slider.waitFor();
      return slider;
    },
    async keepBusy(turns) {
      const client = await connect({ relay: relay.url, iceServers: [] });
      const abort = new AbortController();
      open.push(() => {
        abort.abort();
        return client.close();
      });
      const inputs = Array.from({ length: 4_000 }, (_, index) => new TextEncoder().encode(`input ${index}`));
      const handle = await client.map(slowEcho(turns), inputs, {
        fuel: 8_000_000_000n,
        outputBytes: 1_024,
        signal: abort.signal,
      });
      const results = handle[Symbol.asyncIterator]();
      for (let count = 0; count < 3; count += 1) {
        // oxlint-disable-next-line no-await-in-loop -- the first ones, as they come
        const { value } = await results.next();
        if (value?.kind !== "done") throw new Error(`a task failed: ${JSON.stringify(value)}`);
      }
      const takeRest = async (): Promise<void> => {
        // oxlint-disable-next-line no-await-in-loop
        while ((await results.next()).done !== true) continue;
      };
      // Ended by its abort.
      takeRest().catch(() => undefined);
    },
  };
}
