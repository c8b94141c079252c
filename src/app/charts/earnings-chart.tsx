import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import UPlot from "uplot";
import type { Theme } from "../../provider/tab-memory.ts";
import { bucketStarts, type Bucket, type Span } from "../state/chart-spans.ts";
import { creditNumber, creditText, creditTick, creditUnit } from "../words/credits.ts";
import { bucketText, bucketTick } from "../words/log-time.ts";
import { counted } from "../words/quantities.ts";
import type { Layer } from "./layers.ts";
import { sumsOf, stackOf } from "./layers.ts";

export interface EarningsChartProps {
  /** What is stacked, from the bottom up; one layer where nothing is split. */
  readonly layers: readonly Layer[];
  readonly span: Span;
  readonly testMoney: boolean;
  readonly theme: Theme;
}

const HEIGHT_PX = 240;
const MS_PER_SECOND = 1_000;
/** Share of a bucket's width that its bar takes, and the widest bar in pixels. */
const BAR_SIZE: [number, number] = [0.66, 28];
const AXIS_WIDTH_PX = 64;
const AXIS_HEIGHT_PX = 30;
export const BUCKET_OF: Readonly<Record<Span, Bucket>> = { hours: "hour", days: "day", months: "month" };
const STEP_S: Readonly<Record<Bucket, number>> = { hour: 3_600, day: 86_400, month: 30 * 86_400 };

/** The page's own colours, so that both themes are drawn as they are styled. */
function colour(element: Element, name: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

/** The topmost bar reaches over all below it, so the bars are painted from the top down, each over the one before. */
function dataOf(layers: readonly Layer[], starts: readonly number[]): UPlot.AlignedData {
  return [
    starts.map((start) => start / MS_PER_SECOND),
    ...stackOf(layers, starts)
      .toReversed()
      .map((tops) => tops.map(creditNumber)),
  ];
}

interface Drawing {
  readonly element: HTMLElement;
  readonly layers: readonly Layer[];
  readonly starts: readonly number[];
  readonly bucket: Bucket;
  readonly onPoint: (index: number | null | undefined) => void;
}

function seriesOf({ element, layers }: Drawing): UPlot.Series[] {
  const bars = UPlot.paths.bars?.({ size: BAR_SIZE, radius: layers.length > 1 ? 0 : 0.2, align: 1 });
  const paths = bars === undefined ? {} : { paths: bars };
  return layers
    .toReversed()
    .map(({ colour: name }) =>
      Object.assign({ fill: colour(element, name), width: 0, points: { show: false } }, paths),
    );
}

function optionsOf(drawing: Drawing): UPlot.Options {
  const { element, starts, bucket, onPoint } = drawing;
  const ink = colour(element, "--ink-soft");
  const grid = { stroke: colour(element, "--line"), width: 1 };
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    // Days and months begin at midnight UTC, as the relay counts them; hours are shown by the clock on the wall.
    ...(bucket === "hour"
      ? {}
      : { tzDate: (at: number) => UPlot.tzDate(new Date(at * MS_PER_SECOND), "UTC") }),
    scales: {
      x: { range: (_, min, max) => [min, max + STEP_S[bucket]] },
      y: { range: (_, __, max) => [0, max === 0 ? 1 : max * 1.08] },
    },
    axes: [
      {
        stroke: ink,
        font,
        grid: { show: false },
        ticks: { show: false },
        space: 64,
        size: AXIS_HEIGHT_PX,
        ...(bucket === "month" ? { splits: () => monthTicks(starts, element.clientWidth) } : {}),
        values: (_, ticks) => ticks.map((tick) => bucketTick(bucket, tick * MS_PER_SECOND)),
      },
      {
        stroke: ink,
        font,
        grid,
        ticks: { show: false },
        size: AXIS_WIDTH_PX,
        values: (_, ticks) => ticks.map(creditTick),
      },
    ],
    series: [{}, ...seriesOf(drawing)],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx)] },
  };
}

/** Months are not of one length, so their ticks are given: all of them, or every third where it is narrow. */
function monthTicks(starts: readonly number[], widthPx: number): number[] {
  const every = widthPx < 620 ? 3 : 1;
  return starts.filter((_, at) => at % every === 0).map((start) => start / MS_PER_SECOND);
}

function summary(layers: readonly Layer[], starts: readonly number[], bucket: Bucket, unit: string): string {
  const sums = sumsOf(layers, starts);
  const total = sums.reduce((sum, { amount }) => sum + amount, 0n);
  const most = sums.reduce((best, point) => (point.amount > best.amount ? point : best));
  const credits = (Number(total) / 1e6).toFixed(6);
  return `Bar chart by ${bucket}: ${credits} ${unit} in all, most at ${bucketText(bucket, most.start)}.`;
}

/** Bars by hour, day or month. The readout below follows the pointer; the table beside it serves everybody else. */
export function EarningsChart({ layers, span, testMoney, theme }: EarningsChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLParagraphElement>(null);
  const unit = creditUnit(testMoney);
  const bucket = BUCKET_OF[span];
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const starts = bucketStarts(span, Date.now());
    const sums = sumsOf(layers, starts);
    const show = (index: number | null | undefined): void => {
      const at = index === null || index === undefined ? undefined : sums[index];
      if (readout.current === null) return;
      readout.current.textContent =
        at === undefined
          ? "\u00a0"
          : `${bucketText(bucket, at.start)}: ${at.tasks === 0 ? "nothing" : `${creditText(at.amount)} ${unit} for ${counted(at.tasks, "task")}`}`;
    };
    const drawing = { element, layers, starts, bucket, onPoint: show };
    const draw = (): UPlot => new UPlot(optionsOf(drawing), dataOf(layers, starts), element);
    let plot = draw();
    const sizes = new ResizeObserver(() => {
      plot.setSize({ width: element.clientWidth, height: HEIGHT_PX });
    });
    sizes.observe(element);
    // With the system's theme the colours change under a picture that is painted already.
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const redraw = (): void => {
      plot.destroy();
      plot = draw();
    };
    scheme.addEventListener("change", redraw);
    return () => {
      scheme.removeEventListener("change", redraw);
      sizes.disconnect();
      plot.destroy();
    };
  }, [layers, span, bucket, unit, theme]);
  return (
    <figure class="chart">
      <div
        class="chart-place"
        ref={place}
        role="img"
        aria-label={summary(layers, bucketStarts(span, Date.now()), bucket, unit)}
      />
      <p class="chart-readout" ref={readout} aria-hidden="true">
        {"\u00a0"}
      </p>
    </figure>
  );
}
