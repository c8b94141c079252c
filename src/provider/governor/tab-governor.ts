import type { ProviderLimits } from "../../storage/provider-limits.ts";
import type { UsageShelf } from "../../storage/usage.ts";
import type { SandboxThread } from "../sandbox-thread.ts";
import { measureThread } from "./calibrate.ts";
import type { Decision } from "./decide-allowance.ts";
import { Governor } from "./governor.ts";
import type { Allowance, GovernorView } from "./governor-view.ts";
import { CLOCK_MS, DUTY_WINDOW_MS } from "./limits.ts";
import { MonthCount, monthOf } from "./month-count.ts";
import { Slowdown } from "./slowdown.ts";
import { type BrowserWatch, watchBrowser } from "./watch-browser.ts";

export interface TabGovernorOptions {
  readonly limits: ProviderLimits;
  /** Where the data of the month are counted on; without it the count begins with the page. */
  readonly usage?: UsageShelf;
  /** There is another decision. */
  readonly onDecision: (decision: Decision) => void;
}

/** The governor of one tab: hears what the browser tells, and decides anew whenever something has changed. */
export class TabGovernor {
  readonly #governor = new Governor();
  readonly #slowdown = new Slowdown();
  readonly #month: MonthCount;
  readonly #browser: BrowserWatch;
  readonly #onDecision: (decision: Decision) => void;
  readonly #clock: ReturnType<typeof setInterval>;
  /** Since when as much as now is allowed, by performance.now(). */
  #since = performance.now();
  #limits: ProviderLimits;
  #decision: Decision;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor({ limits, usage, onDecision }: TabGovernorOptions) {
    this.#limits = limits;
    this.#onDecision = onDecision;
    this.#month = new MonthCount(usage, () => monthOf(new Date()));
    this.#browser = watchBrowser(() => this.#look());
    this.#decision = this.#decide();
    this.#clock = setInterval(() => this.#look(), CLOCK_MS);
    void this.#month.load().then(() => this.#look());
  }

  get allowed(): Allowance {
    return this.#decision.allowed;
  }

  get decision(): Decision {
    return this.#decision;
  }

  setLimits(limits: ProviderLimits): void {
    const isNew = limits.onlyWhenIdle && !this.#limits.onlyWhenIdle;
    this.#limits = limits;
    if (isNew) this.#browser.askAgain();
    this.#look();
  }

  /** So many bytes went over the line. */
  count(bytes: number): void {
    this.#month.add(bytes);
    const { monthlyMegabytes } = this.#limits;
    if (monthlyMegabytes !== undefined && this.allowed.workers > 0 && this.#isUsedUp(monthlyMegabytes))
      this.#look();
  }

  /** Measures how fast the processor is on a thread that has nothing to do. */
  async calibrate(thread: SandboxThread): Promise<void> {
    const ms = await measureThread(thread, () => performance.now());
    if (ms === undefined) return;
    this.#slowdown.measured(ms);
    this.#look();
  }

  /** @param busyMs that all threads together computed in the last DUTY_WINDOW_MS */
  view(busyMs: number): GovernorView {
    const { allowed, reasons, moreAt } = this.#decision;
    const now = performance.now();
    const windowMs = Math.min(DUTY_WINDOW_MS, now - this.#since);
    const isTold = allowed.workers > 0 && windowMs >= DUTY_WINDOW_MS / 2;
    return {
      allowed,
      reasons,
      ...(moreAt === undefined ? {} : { moreAt: Date.now() + moreAt - now }),
      ...(isTold ? { dutyPercent: Math.min(100, (100 * busyMs) / (allowed.workers * windowMs)) } : {}),
      untold: this.#browser.untold,
      monthBytes: this.#month.bytes,
    };
  }

  stop(): void {
    clearInterval(this.#clock);
    clearTimeout(this.#again);
    this.#browser.stop();
    this.#month.stop();
  }

  #isUsedUp(monthlyMegabytes: number): boolean {
    return this.#month.bytes >= monthlyMegabytes * 1_000_000;
  }

  #look(): void {
    const before = this.#decision;
    const decision = this.#decide();
    this.#decision = decision;
    clearTimeout(this.#again);
    if (decision.moreAt !== undefined)
      this.#again = setTimeout(() => this.#look(), Math.max(0, decision.moreAt - performance.now()) + 1);
    if (isSame(before, decision)) return;
    if (before.allowed.workers !== decision.allowed.workers) this.#since = performance.now();
    this.#onDecision(decision);
  }

  #decide(): Decision {
    const date = new Date();
    const signals = {
      ...this.#browser.now(),
      minuteOfDay: date.getHours() * 60 + date.getMinutes(),
      monthBytes: this.#month.bytes,
      isHot: this.#slowdown.isHot,
    };
    return this.#governor.decide(this.#limits, signals, performance.now());
  }
}

function isSame(a: Decision, b: Decision): boolean {
  return (
    a.moreAt === b.moreAt &&
    a.allowed.workers === b.allowed.workers &&
    a.allowed.cpuPercent === b.allowed.cpuPercent &&
    a.allowed.gpu === b.allowed.gpu &&
    a.reasons.join(" ") === b.reasons.join(" ")
  );
}
