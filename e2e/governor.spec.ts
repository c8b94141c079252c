/**
 * What a person gives of their machine, measured from outside: by the kernel's books of processor time. Pressure comes by the
 * browser's debugging override, battery by a replaced `getBattery`; everything else is as in a person's tab.
 */
import { type Browser, expect, type Page, test } from "@playwright/test";
import { openGovernedTab } from "./support/governed-tab.ts";
import { watchMainThread } from "./support/main-thread.ts";
import { type ProcessorShare, processorShare } from "./support/processor-time.ts";
import { contribute } from "./support/tab.ts";

const open: (() => Promise<void>)[] = [];

test.afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function scene(before?: (page: Page) => Promise<void>): ReturnType<typeof openGovernedTab> {
  const tab = await openGovernedTab(before);
  open.push(() => tab.close());
  return tab;
}

/**
 * A tenth of a second and more: what the page itself does for each task, some milliseconds, is then little beside it, and a
 * few seconds hold enough tasks and rests for a share.
 */
const LONG = 200_000_000;

function told({ used, waited }: ProcessorShare): string {
  return `${used.toFixed(1)} % used, ${waited.toFixed(1)} % waited for a processor`;
}

/** No long task of its own, and 60 frames a second but for those in which others had the processor. */
async function expectFreePage(browser: Browser, page: Page): Promise<void> {
  await expect(async () => {
    const main = await watchMainThread(browser, page, 2_000);
    console.log(
      `at 100 %: longest task of the main thread ${main.longestTaskMs.toFixed(1)} ms of ${main.tasks}, ` +
        `${main.framesPerSecond.toFixed(1)} frames/s, ${main.waited.toFixed(1)} % waited for a processor`,
    );
    expect(main.tasks).toBeGreaterThan(100);
    expect(main.longestTaskMs).toBeLessThanOrEqual(50);
    expect(main.framesPerSecond).toBeGreaterThanOrEqual(57 * (1 - main.waited / 100));
  }).toPass({ timeout: 15_000 });
}

test(
  "a share of the processor holds, the page stays free meanwhile, and stop is stop",
  { tag: "@long" },
  async () => {
    const { browser, page, openLimits, keepBusy } = await scene();
    const slider = await openLimits();
    await page.waitForTimeout(1_500);
    const rest = await processorShare(browser, 2_000);
    await contribute(page);
    await keepBusy(LONG);

    for (const percent of [100, 50, 25]) {
      await slider.fill(percent.toString());
      // What was begun under the share before is ended, and rested for.
      await page.waitForTimeout(1_000);
      const share = await processorShare(browser, 5_000);
      console.log(`share of ${percent} %: ${told(share)}`);
      expect(share.used).toBeLessThanOrEqual(percent + 5);
      // On a machine that others use as well, threads wait for their turn: that is no rest.
      expect(share.used + share.waited).toBeGreaterThanOrEqual(percent - 5);
      if (percent === 100) await expectFreePage(browser, page);
    }

    await slider.fill("100");
    await page.waitForTimeout(500);
    await page.getByRole("switch").click();
    await page.waitForTimeout(500);
    // From half a second after the click no function runs; the last reports are signed and sent meanwhile, by the page.
    const { functions } = await processorShare(browser, 1_000);
    expect(functions).toBeLessThanOrEqual(2);
    await expect(page.getByText("Not contributing").first()).toBeVisible();
    // A browser tidies up for some seconds; then the page costs what it cost before.
    await expect(async () => {
      const stopped = await processorShare(browser, 2_000);
      console.log(
        `functions after the stop: ${functions.toFixed(1)} %; then: ${told(stopped)}; before the start: ${told(rest)}`,
      );
      expect(stopped.used).toBeLessThanOrEqual(rest.used + 2);
    }).toPass({ timeout: 20_000 });
  },
);

test(
  "pressure and an empty battery end all work at once, in words, and calm is waited for",
  { tag: "@long" },
  async () => {
    const { browser, page, press, openLimits, keepBusy } = await scene(async (each) => {
      // A battery that the test drains: Chromium has no override for it.
      await each.addInitScript(() => {
        const battery = Object.assign(new EventTarget(), { charging: true, level: 1 });
        Object.assign(navigator, { getBattery: () => Promise.resolve(battery) });
        addEventListener("drain-battery", () => {
          Object.assign(battery, { charging: false, level: 0.1 });
          battery.dispatchEvent(new Event("chargingchange"));
        });
      });
    });
    await openLimits();
    await page.getByLabel("When other programs need the computer").selectOption("serious");
    await contribute(page);
    await keepBusy(LONG);
    await expect(page.getByText("Working").first()).toBeVisible();

    await press("serious");
    await expect(page.getByText("Pausing").first()).toBeVisible();
    await expect(page.getByText("The computer has a lot to do.")).toBeVisible();
    await page.waitForTimeout(500);
    const paused = await processorShare(browser, 1_500);
    console.log(`paused: ${told(paused)}`);
    expect(paused.used).toBeLessThanOrEqual(10);

    await press("nominal");
    await expect(page.getByText(/Work goes on in \d+ s/u)).toBeVisible();
    await page.evaluate(() => dispatchEvent(new Event("drain-battery")));
    await expect(page.getByText("The battery is low.")).toBeVisible();
    await expect(page.getByText("Why work pauses")).toBeVisible();
  },
);
