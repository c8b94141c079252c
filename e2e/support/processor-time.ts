/** Processor time of a browser's pages, read from outside: from the kernel's own books, which no page can change. */
import { readdirSync, readFileSync } from "node:fs";
import type { Browser } from "@playwright/test";

/** Ticks of a second in /proc, on every Linux of today. */
const TICKS_PER_SECOND = 100;

/** What a browser's renderers have used so far, by their process ids: a page, and the frame of its sandbox if that has its own. */
export type ProcessorTimes = ReadonlyMap<number, ProcessTime>;

interface ProcessTime {
  /** Milliseconds on a processor, all threads together. */
  readonly usedMs: number;
  /** Of which threads for functions used. */
  readonly functionsMs: number;
  /** Milliseconds in which threads for functions were ready to run while others had the processors. */
  readonly waitedMs: number;
  /** The same of the thread that paints, or of the compositor, whichever waited longer. */
  readonly paintWaitedMs: number;
}

export async function processorTimes(browser: Browser): Promise<ProcessorTimes> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const renderers = processInfo.filter(({ type }) => type === "renderer");
  return new Map(renderers.map(({ id }) => [id, timeOf(id)]));
}

/** Shares of one processor over a time, in percent. */
export interface ProcessorShare {
  readonly used: number;
  readonly functions: number;
  readonly waited: number;
  readonly paintWaited: number;
}

/** Watches for so long. Processes that end meanwhile do not count. */
export async function processorShare(browser: Browser, forMs: number): Promise<ProcessorShare> {
  return processorShareOf(browser, () => new Promise((resolve) => setTimeout(resolve, forMs)));
}

/** Watches while something happens. */
export async function processorShareOf(
  browser: Browser,
  during: () => Promise<unknown>,
): Promise<ProcessorShare> {
  const [before, begun] = [await processorTimes(browser), performance.now()];
  await during();
  const [after, ended] = [await processorTimes(browser), performance.now()];
  const percent = 100 / (ended - begun);
  const sum = (of: (time: ProcessTime) => number): number =>
    [...after].reduce((all, [id, time]) => {
      const earlier = before.get(id);
      // Of threads that have ended nothing is known any more.
      return all + Math.max(0, of(time) - (earlier === undefined ? 0 : of(earlier)));
    }, 0) * percent;
  return {
    used: sum(({ usedMs }) => usedMs),
    functions: sum(({ functionsMs }) => functionsMs),
    waited: sum(({ waitedMs }) => waitedMs),
    paintWaited: sum(({ paintWaitedMs }) => paintWaitedMs),
  };
}

function timeOf(pid: number): ProcessTime {
  let [functionsMs, waitedMs, paintWaitedMs] = [0, 0, 0];
  for (const id of entriesOf(`/proc/${pid}/task`)) {
    const name = textOf(`/proc/${pid}/task/${id}/comm`).trim();
    // schedstat: nanoseconds on a processor, and in the queue of one.
    const [used = 0, queued = 0] = textOf(`/proc/${pid}/task/${id}/schedstat`).split(" ").map(Number);
    const ms = queued / 1e6;
    if (name.startsWith("DedicatedWorker")) {
      functionsMs += used / 1e6;
      waitedMs += ms;
    }
    if (Number(id) === pid || name === "Compositor") paintWaitedMs = Math.max(paintWaitedMs, ms);
  }
  return { usedMs: ticksMs(pid), functionsMs, waitedMs, paintWaitedMs };
}

/** User and system ticks: fields 14 and 15 of stat, see proc(5). The name in field 2 may hold blanks. */
function ticksMs(pid: number): number {
  const stat = textOf(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 1_000) / TICKS_PER_SECOND;
}

/** Nothing for what has just ended. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function entriesOf(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
