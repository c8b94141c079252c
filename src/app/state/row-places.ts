/**
 * Where the rows of a long list are. All are of one height but those that are opened, which are a few. A browser lays out
 * no more than so many pixels; beyond that the scrollbar runs ahead of the rows.
 */

/** Firefox gives up at 17.9 million CSS pixels, Chromium at 33.5. */
export const MAX_LIST_PX = 15_000_000;

export interface RowPlaces {
  /** Rows from `first` on, up to `end`, cover what is seen and somewhat more. */
  readonly first: number;
  readonly end: number;
  /** Where the first of them stands, below the top of the list, in CSS pixels. */
  readonly topPx: number;
  /** Height of the whole list. */
  readonly heightPx: number;
}

export interface RowQuestion {
  readonly length: number;
  readonly rowPx: number;
  /** Height that opened rows have below their line, by their place. */
  readonly extras: ReadonlyMap<number, number>;
  readonly scrollPx: number;
  readonly viewPx: number;
  /** Rows beyond what is seen, on either side. */
  readonly overscan: number;
}

/** Height of all rows before one. */
function before(index: number, { rowPx, extras }: RowQuestion): number {
  let px = index * rowPx;
  for (const [at, extra] of extras) if (at < index) px += extra;
  return px;
}

/** The row that covers a place, by halving. */
function rowAt(px: number, question: RowQuestion): number {
  let low = 0;
  let high = Math.max(0, question.length - 1);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (before(middle, question) <= px) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function rowPlaces(question: RowQuestion): RowPlaces {
  const { length, viewPx, overscan } = question;
  const fullPx = before(length, question);
  const heightPx = Math.min(fullPx, MAX_LIST_PX);
  const scrollPx = Math.min(Math.max(0, question.scrollPx), Math.max(0, heightPx - viewPx));
  // The ends of the list meet the ends of the scrollbar; in between both run evenly.
  const ratio = heightPx > viewPx ? (fullPx - viewPx) / (heightPx - viewPx) : 1;
  const seenPx = scrollPx * ratio;
  const first = Math.max(0, rowAt(seenPx, question) - overscan);
  const end = Math.min(length, rowAt(seenPx + viewPx, question) + 1 + overscan);
  return { first, end, topPx: before(first, question) - seenPx + scrollPx, heightPx };
}
