/** How free a page's main thread is, seen by the browser's own tracing and by the frames it paints. */
import type { Browser, Page } from "@playwright/test";
import { processorShareOf } from "./processor-time.ts";

interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds on the processor. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

export interface MainThread {
  /** Milliseconds of processor time of the longest task. What other programs took meanwhile is not the page's. */
  readonly longestTaskMs: number;
  readonly tasks: number;
  /** Frames a second that the page had the turn to paint. */
  readonly framesPerSecond: number;
  /** Share of the time in which its painting threads waited for a processor that others had, in percent. */
  readonly waited: number;
}

/** Watches for so long. */
export async function watchMainThread(browser: Browser, page: Page, forMs: number): Promise<MainThread> {
  await browser.startTracing(page, { categories: ["toplevel", "disabled-by-default-devtools.timeline"] });
  let framesPerSecond = 0;
  const { paintWaited: waited } = await processorShareOf(browser, async () => {
    framesPerSecond = await countFrames(page, forMs);
  });
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const { traceEvents } = trace;
  const mains = traceEvents.filter(
    ({ name, args }) => name === "thread_name" && args.name === "CrRendererMain",
  );
  const isMain = new Set(mains.map(({ pid, tid }) => `${pid}/${tid}`));
  const tasks = traceEvents.filter(
    ({ name, pid, tid, tdur }) =>
      name.endsWith("RunTask") && tdur !== undefined && isMain.has(`${pid}/${tid}`),
  );
  const longest = tasks.reduce((most, { tdur = 0 }) => Math.max(most, tdur), 0);
  return { longestTaskMs: longest / 1_000, tasks: tasks.length, framesPerSecond, waited };
}

function countFrames(page: Page, forMs: number): Promise<number> {
  return page.evaluate(async (ms) => {
    const begun = performance.now();
    let [frames, now] = [0, begun];
    while (now - begun < ms) {
      now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
      frames += 1;
    }
    return ((frames - 1) * 1_000) / (now - begun);
  }, forMs);
}
