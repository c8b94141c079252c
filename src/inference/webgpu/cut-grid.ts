import { MOST_WORKGROUPS } from "./limits.ts";

/** A rectangle of a grid of workgroups. */
export interface Cut {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Cuts a grid into rectangles that a dispatch may have: whole rows of the grid where they fit, else pieces of one.
 * @param most workgroups of a rectangle; one at least
 */
export function* cutGrid(width: number, height: number, most: number): Generator<Cut> {
  const rows = Math.min(MOST_WORKGROUPS, Math.floor(most / width));
  if (rows >= 1 && width <= MOST_WORKGROUPS) {
    for (let y = 0; y < height; y += rows) yield { x: 0, y, width, height: Math.min(rows, height - y) };
    return;
  }
  const piece = Math.max(1, Math.min(MOST_WORKGROUPS, Math.floor(most)));
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += piece) yield { x, y, width: Math.min(piece, width - x), height: 1 };
}
