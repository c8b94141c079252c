/** The share of the processor over half a minute each: for long and short tasks, and for one thread and all of them. */
import { availableParallelism } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import type { Measurement } from "../../bench/bench.ts";
import { openGovernedTab } from "../support/governed-tab.ts";
import { processorShare } from "../support/processor-time.ts";
import { contribute } from "../support/tab.ts";
import type { Soak, SoakContext } from "./soak.ts";

const SHARES = [100, 50, 25] as const;
const WATCH_MS = 30_000;
/** Turns of a loop: some 90 ms and some 9 ms on a machine of today. */
const TASKS = [
  ["long tasks", 200_000_000],
  ["short tasks", 20_000_000],
] as const;

async function runShares(context: SoakContext): Promise<readonly Measurement[]> {
  const measured: Measurement[] = [];
  for (const [kind, turns] of TASKS) {
    for (const threads of new Set([1, availableParallelism()])) {
      const tab = await openGovernedTab();
      try {
        const slider = await tab.openLimits();
        const more = tab.page.getByRole("button", { name: "One thread more" });
        for (let count = 1; count < threads; count += 1) if (await more.isEnabled()) await more.click();
        await contribute(tab.page);
        await tab.keepBusy(turns);
        for (const percent of SHARES) {
          context.signal.throwIfAborted();
          await slider.fill(percent.toString());
          await pause(2_000);
          const { used, waited } = await processorShare(tab.browser, WATCH_MS);
          context.log(
            `${kind}, ${threads} threads, ${percent} %: ${used.toFixed(1)} used, ${waited.toFixed(1)} waited`,
          );
          measured.push({
            name: `${percent} % of ${threads} threads, ${kind}: used`,
            unit: "% of a processor",
            value: used,
          });
          measured.push({
            name: `${percent} % of ${threads} threads, ${kind}: waited for a processor`,
            unit: "% of a processor",
            value: waited,
          });
        }
      } finally {
        await tab.close();
      }
    }
  }
  return measured;
}

export const soaks: readonly Soak[] = [{ name: "governor", run: runShares }];
