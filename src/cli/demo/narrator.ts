import type { Screen } from "../progress/live-block.ts";
import { durationText } from "../quantities.ts";

/** Tells what the demonstration does, step by step. */
export class Narrator {
  readonly #screen: Screen;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Does one step and says how it went and how long it took. @param said of the result. */
  async step<T>(name: string, run: () => Promise<T>, said: (result: T) => string): Promise<T> {
    const begunMs = performance.now();
    if (this.#screen.isTTY) this.#screen.write(`  … ${name}`);
    try {
      const result = await run();
      const took = durationText(performance.now() - begunMs);
      this.#line("✓", name, `${said(result)} (${took})`);
      return result;
    } catch (error) {
      this.#line("✗", name, "failed");
      throw error;
    }
  }

  heading(text: string): void {
    this.#screen.write(`\n${text}\n`);
  }

  lines(lines: readonly string[]): void {
    for (const line of lines) this.#screen.write(`    ${line}\n`);
  }

  #line(mark: string, name: string, text: string): void {
    this.#screen.write(`${this.#screen.isTTY ? "\r\u001b[K" : ""}  ${mark} ${name.padEnd(8)} ${text}\n`);
  }
}
