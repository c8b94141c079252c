import type { JobProgress } from "../../sdk/index.ts";
import { LiveBlock, type Screen } from "./live-block.ts";
import { type JobMoment, plainLine, progressLine } from "./progress-line.ts";

/** A terminal is redrawn at most every 100 ms: the eye is content, and a slow terminal keeps up. */
const REDRAW_MS = 100;
/** Lines in a log: at every tenth of the job, and not more often than this. */
const PLAIN_MS = 1_000;
const PLAIN_PARTS = 10;
const DEFAULT_COLUMNS = 80;

export interface JobDisplayOptions {
  readonly screen: Screen;
  readonly testMoney: boolean;
  /** Tasks of the job, where they are known. */
  readonly total?: number;
  /** Says nothing. */
  readonly quiet?: boolean;
  /** Lines above the bar: a picture that grows. */
  readonly above?: (columns: number) => readonly string[];
  /** Milliseconds from any moment on, never backwards. */
  readonly nowMs: () => number;
}

/** Shows one job: a bar on a terminal, plain lines elsewhere. */
export class JobDisplay {
  readonly #options: JobDisplayOptions;
  readonly #block: LiveBlock;
  readonly #startMs: number;
  #progress: JobProgress | undefined;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #plain: { readonly state: string; readonly part: number; readonly note: string | undefined } | undefined;

  constructor(options: JobDisplayOptions) {
    this.#options = options;
    this.#block = new LiveBlock(options.screen);
    this.#startMs = options.nowMs();
  }

  update(progress: JobProgress): void {
    if (this.#options.quiet === true) return;
    const { total } = this.#options;
    this.#progress = total === undefined ? progress : { ...progress, total };
    if (this.#options.screen.isTTY) this.#drawSoon(progress.note);
    else this.#writePlain();
  }

  /** A line of its own, such as a task that failed. */
  note(text: string): void {
    if (this.#options.quiet === true) return;
    if (!this.#options.screen.isTTY) {
      this.#options.screen.write(`${text}\n`);
      return;
    }
    this.#block.above(text);
    this.#draw();
  }

  /** Draws the last state and goes on below it. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#options.quiet === true || !this.#options.screen.isTTY) return;
    this.#draw();
    this.#block.end();
  }

  #moment(): JobMoment | undefined {
    if (this.#progress === undefined) return undefined;
    const { testMoney, nowMs } = this.#options;
    return { ...this.#progress, testMoney, elapsedMs: nowMs() - this.#startMs };
  }

  #drawSoon(note: string | undefined): void {
    if (note !== undefined && note !== this.#plain?.note) {
      this.#plain = { state: "", part: 0, note };
      this.note(note);
      return;
    }
    const wait = this.#drawnMs + REDRAW_MS - this.#options.nowMs();
    if (wait <= 0) this.#draw();
    else this.#timer ??= setTimeout(() => this.#draw(), wait);
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const moment = this.#moment();
    if (moment === undefined) return;
    const told = this.#options.screen.columns ?? 0;
    // A terminal that has not been told its size has no columns at all.
    const columns = told > 0 ? told : DEFAULT_COLUMNS;
    this.#drawnMs = this.#options.nowMs();
    this.#block.draw([...(this.#options.above?.(columns) ?? []), progressLine(moment, columns)]);
  }

  #writePlain(): void {
    const moment = this.#moment();
    if (moment === undefined) return;
    const { state, done, failed, total = 0, note } = moment;
    const part = total === 0 ? 0 : Math.floor(((done + failed) * PLAIN_PARTS) / total);
    const isNews = state !== this.#plain?.state || (note !== undefined && note !== this.#plain.note);
    const isNext = part !== this.#plain?.part && this.#options.nowMs() - this.#drawnMs >= PLAIN_MS;
    if (!isNews && !isNext && !(part === PLAIN_PARTS && part !== this.#plain?.part)) return;
    this.#drawnMs = this.#options.nowMs();
    this.#plain = { state, part, note };
    this.#options.screen.write(`${plainLine(moment)}${note === undefined ? "" : ` (${note})`}\n`);
  }
}
