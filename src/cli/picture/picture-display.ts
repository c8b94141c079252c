import { type ColorDepth, type Pixels, preview } from "./preview.ts";

/** Wide enough to see what it is, and 18 lines high for a 16:9 picture: a terminal of 24 lines holds it. */
const WIDEST = 64;
/** Lines that stay free below and above. */
const LINES_LEFT = 4;

export interface TerminalLook {
  /** Lines of the terminal. */
  readonly rows: number;
  readonly depth: ColorDepth;
}

/** How a terminal shows colours, as far as it tells. */
export function terminalLook(terminal: Pick<NodeJS.WriteStream, "rows" | "getColorDepth">): TerminalLook {
  const bits = terminal.getColorDepth();
  return { rows: terminal.rows, depth: bits >= 24 ? 24 : bits >= 8 ? 8 : bits >= 4 ? 4 : 1 };
}

/** Lines that show the picture as it is now; none where the terminal is too small for it. */
export function pictureLines(
  pixels: Pixels,
  columns: number,
  { rows, depth }: TerminalLook,
): readonly string[] {
  const across = Math.min(WIDEST, columns - 1);
  const lines = preview(pixels, across, depth);
  return lines.length <= rows - LINES_LEFT ? lines : [];
}
