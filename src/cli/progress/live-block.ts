/** What a display needs of a terminal; standard error has it. */
export interface Screen {
  readonly isTTY: boolean;
  /** Width in characters; undefined where it is not a terminal. */
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const CLEAR_LINE_END = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** How to redraw `lines` over a block of `before` lines whose last line holds the cursor. */
export function redraw(before: number, lines: readonly string[]): string {
  const up = before > 1 ? `\u001b[${before - 1}A` : "";
  const clear = lines.length < before ? CLEAR_BELOW : "";
  return `${before > 0 ? "\r" : ""}${up}${lines.map((line) => `${line}${CLEAR_LINE_END}`).join("\n")}${clear}`;
}

/** Lines at the end of a terminal's output that are redrawn in place. */
export class LiveBlock {
  readonly #screen: Screen;
  #height = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  draw(lines: readonly string[]): void {
    this.#screen.write(redraw(this.#height, lines));
    this.#height = lines.length;
  }

  /** Writes a line above the block, which the next `draw` brings back. */
  above(text: string): void {
    this.#screen.write(`${redraw(this.#height, [])}${text}\n`);
    this.#height = 0;
  }

  /** Leaves what is drawn and goes on below. */
  end(): void {
    if (this.#height > 0) this.#screen.write("\n");
    this.#height = 0;
  }
}
