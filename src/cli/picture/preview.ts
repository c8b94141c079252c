import type { Size } from "../quantities.ts";

/** A picture on a terminal: each character is two pixels, one above the other. */

/** 24: 16 million colours; 8: 256 of them; less: shades of characters. */
export type ColorDepth = 1 | 4 | 8 | 24;

export interface Pixels extends Size {
  /** RGB8, row by row. */
  readonly rgb: Uint8Array;
}

type Color = readonly [red: number, green: number, blue: number];

const RESET = "\u001b[0m";
const SHADES = " .:-=+*#%@";

/** Mean colour of a rectangle of pixels. */
function mean({ rgb, width }: Pixels, x0: number, y0: number, x1: number, y1: number): Color {
  let [red, green, blue] = [0, 0, 0];
  for (let y = y0; y < y1; y += 1) {
    for (let x = x0; x < x1; x += 1) {
      const at = (y * width + x) * 3;
      red += rgb[at] ?? 0;
      green += rgb[at + 1] ?? 0;
      blue += rgb[at + 2] ?? 0;
    }
  }
  const count = Math.max(1, (x1 - x0) * (y1 - y0));
  return [Math.round(red / count), Math.round(green / count), Math.round(blue / count)];
}

/** 0 to 5. */
function level(value: number): number {
  return Math.round((value / 255) * 5);
}

/** The nearest of the 6×6×6 colours that terminals of 256 have from 16 on. */
function indexed([red, green, blue]: Color): number {
  return 16 + 36 * level(red) + 6 * level(green) + level(blue);
}

function paint(upper: Color, lower: Color, depth: ColorDepth): string {
  if (depth === 24) return `\u001b[38;2;${upper.join(";")};48;2;${lower.join(";")}m▀`;
  if (depth === 8) return `\u001b[38;5;${indexed(upper)};48;5;${indexed(lower)}m▀`;
  const light = [...upper, ...lower].reduce((sum, value) => sum + value, 0) / (6 * 255);
  return SHADES[Math.round(light * (SHADES.length - 1))] ?? " ";
}

/** The picture in lines of `columns` characters; each line resets the colours at its end. */
export function preview(picture: Pixels, columns: number, depth: ColorDepth): readonly string[] {
  const { width, height } = picture;
  const across = Math.max(1, Math.min(columns, width));
  const rows = Math.max(1, Math.round((height * across) / width / 2));
  const edgeX = (column: number): number => Math.floor((column * width) / across);
  const edgeY = (half: number): number => Math.floor((half * height) / (rows * 2));
  return Array.from({ length: rows }, (_, row) => {
    const cells = Array.from({ length: across }, (__, column) => {
      const [x0, x1] = [edgeX(column), edgeX(column + 1)];
      const [top, middle, bottom] = [edgeY(row * 2), edgeY(row * 2 + 1), edgeY(row * 2 + 2)];
      return paint(mean(picture, x0, top, x1, middle), mean(picture, x0, middle, x1, bottom), depth);
    });
    return `${cells.join("")}${depth > 4 ? RESET : ""}`;
  });
}
