import type { JSX, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { type Signal, useSignal } from "@preact/signals";
import type { ReceiptView } from "../../protocol/relay-api.ts";
import type { Names } from "../state/names.ts";
import type { ReceiptRows } from "../state/receipt-rows.ts";
import { type RowPlaces, rowPlaces } from "../state/row-places.ts";
import type { VerificationState, Verifications } from "../state/verifications.ts";
import { ReceiptRow, type ReceiptRowProps } from "./receipt-row.tsx";

export interface ReceiptWindowProps {
  readonly rows: ReceiptRows;
  readonly verifications: Verifications;
  readonly names: Names;
  readonly testMoney: boolean;
}

/** Rows made beyond those that are seen, so that a frame late shows no gap. */
const OVERSCAN_ROWS = 6;
const FIRST_PLACES: RowPlaces = { first: 0, end: 12, topPx: 0, heightPx: 0 };

/** Height that each opened row has below its line, and where in the list it was seen last. */
type Grown = Map<string, { readonly index: number; readonly px: number }>;

interface Layout {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly length: RefObject<HTMLDivElement | null>;
  readonly list: RefObject<HTMLUListElement | null>;
  readonly places: Signal<RowPlaces>;
  /** Looks again at where everything is. */
  readonly measure: () => void;
}

function isSame(a: RowPlaces, b: RowPlaces): boolean {
  return a.first === b.first && a.end === b.end && a.topPx === b.topPx && a.heightPx === b.heightPx;
}

/** A row's height as the style sheet has it: it depends on the width of the page and on the size of its letters. */
function rowHeight(list: HTMLElement): number {
  return list.querySelector<HTMLElement>(".receipt-line")?.offsetHeight ?? 64;
}

function useLayout(count: number, grown: Grown): Layout {
  const scroller = useRef<HTMLDivElement>(null);
  const length = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const places = useSignal<RowPlaces>(FIRST_PLACES);
  const measure = (): void => {
    const [box, stretch, rows] = [scroller.current, length.current, list.current];
    if (box === null || stretch === null || rows === null) return;
    const next = rowPlaces({
      length: count,
      rowPx: rowHeight(rows),
      extras: new Map([...grown.values()].map(({ index, px }) => [index, px])),
      scrollPx: box.scrollTop,
      viewPx: box.clientHeight,
      overscan: OVERSCAN_ROWS,
    });
    stretch.style.height = `${next.heightPx}px`;
    // Room above, not a shift: rows that stay are not painted anew.
    rows.style.paddingTop = `${next.topPx}px`;
    if (!isSame(places.value, next)) places.value = next;
  };
  const newest = useRef(measure);
  newest.current = measure;
  useLayoutEffect(measure);
  useEffect(() => {
    const box = scroller.current;
    if (box === null) return undefined;
    const look = (): void => newest.current();
    const sizes = new ResizeObserver(look);
    sizes.observe(box);
    box.addEventListener("scroll", look, { passive: true });
    return () => {
      sizes.disconnect();
      box.removeEventListener("scroll", look);
    };
  }, []);
  return { scroller, length, list, places, measure: () => newest.current() };
}

/** A list as long as it likes, of which only the rows that are seen are there. */
export function ReceiptWindow({ rows, verifications, names, testMoney }: ReceiptWindowProps): JSX.Element {
  const grown = useRef<Grown>(new Map()).current;
  const count = rows.length.value ?? 0;
  const { scroller, length, list, places, measure } = useLayout(count, grown);
  const { first, end } = places.value;
  // Read, so that rows which arrive are shown.
  const revision = rows.revision.value;
  useEffect(() => rows.want(first, end), [rows, first, end, revision]);
  const filter = rows.filter.value;
  useEffect(() => scroller.current?.scrollTo({ top: 0 }), [filter]);
  const made = useRef<Made>(new Map());
  const known = made.current;
  made.current = new Map();
  const indices = Array.from({ length: Math.max(0, Math.min(end, count) - first) }, (_, at) => first + at);
  const grow = (view: ReceiptView, index: number, px: number): void => {
    const before = grown.get(view.lease);
    if (before?.px === px && before.index === index) return;
    if (px === 0) grown.delete(view.lease);
    else grown.set(view.lease, { index, px });
    if (px !== (before?.px ?? 0)) measure();
  };
  return (
    <>
      <Newer rows={rows} onShow={() => scroller.current?.scrollTo({ top: 0 })} />
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls is reached by keyboard */}
      <div class="receipt-scroller" role="region" aria-label="List of receipts" tabIndex={0} ref={scroller}>
        <div ref={length}>
          <ul class="receipts" ref={list}>
            {indices.map((index) => {
              const view = rows.at(index);
              if (view === undefined) return <Placeholder key={`place ${index}`} />;
              const shown = {
                view,
                name: names.known.value.get(view.workCid),
                state: stateOf(verifications, view),
                index,
                length: rows.isMore.value ? -1 : count,
                testMoney,
              };
              const same = known.get(view.lease);
              const row =
                same !== undefined && isSameRow(same.shown, shown)
                  ? same.row
                  : rowOf(shown, verifications, grow);
              made.current.set(view.lease, { shown, row });
              return row;
            })}
          </ul>
        </div>
      </div>
    </>
  );
}

type Shown = Omit<ReceiptRowProps, "onVerify" | "onHide" | "onGrow">;
/** Rows as they were made last. The same one again is not looked at anew, so a frame costs what is new in it. */
type Made = Map<string, { readonly shown: Shown; readonly row: JSX.Element }>;

function isSameRow(a: Shown, b: Shown): boolean {
  return (
    a.view === b.view &&
    a.state === b.state &&
    a.index === b.index &&
    a.length === b.length &&
    a.name === b.name &&
    a.testMoney === b.testMoney
  );
}

function rowOf(
  shown: Shown,
  verifications: Verifications,
  grow: (view: ReceiptView, index: number, px: number) => void,
): JSX.Element {
  const { view, index } = shown;
  return (
    <ReceiptRow
      key={view.lease}
      {...shown}
      onVerify={() => void verifications.verify(view)}
      onHide={() => verifications.hide(view)}
      onGrow={(px) => grow(view, index, px)}
    />
  );
}

function Placeholder(): JSX.Element {
  return (
    <li class="receipt" aria-hidden="true">
      <div class="receipt-line">
        <span class="skeleton">0.000000</span>
        <span class="skeleton">loading</span>
      </div>
    </li>
  );
}

function Newer({ rows, onShow }: { readonly rows: ReceiptRows; readonly onShow: () => void }): JSX.Element {
  const count = rows.newer.value;
  return (
    <div class="receipts-newer" role="status">
      {count > 0 && (
        <button
          class="button button-small"
          type="button"
          onClick={() => {
            rows.refresh();
            onShow();
          }}
        >
          {count === 1 ? "1 newer receipt" : `${count} newer receipts`}
        </button>
      )}
    </div>
  );
}

/** A proof holds for the view it was made of; when the lease's next receipt takes its place, it is gone. */
function stateOf(verifications: Verifications, view: ReceiptView): VerificationState | undefined {
  const state = verifications.states.value.get(view.entryIndex);
  return state?.view.lease === view.lease ? state : undefined;
}
