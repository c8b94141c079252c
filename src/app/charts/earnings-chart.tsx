import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import UPlot from "uplot";
import type { EarningsPoint } from "../../protocol/relay-api.ts";
import type { Theme } from "../../provider/tab-memory.ts";
import { type Bucket, filledPoints } from "../state/earnings.ts";
import { creditNumber, creditText, creditTick, creditUnit } from "../words/credits.ts";
import { bucketText, bucketTick } from "../words/log-time.ts";
import { counted } from "../words/quantities.ts";

export interface EarningsChartProps {
  readonly points: readonly EarningsPoint[];
  readonly bucket: Bucket;
  readonly testMoney: boolean;
  readonly theme: Theme;
}

const HEIGHT_PX = 240;
const MS_PER_SECOND = 1_000;
/** Share of a bucket's width that its bar takes, and the widest bar in pixels. */
const BAR_SIZE: [number, number] = [0.66, 28];
const AXIS_WIDTH_PX = 64;
const AXIS_HEIGHT_PX = 30;
const STEP_S: Readonly<Record<Bucket, number>> = { hour: 3_600, day: 86_400 };

/** The page's own colours, so that both themes are drawn as they are styled. */
function colour(element: Element, name: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

function dataOf(points: readonly EarningsPoint[], bucket: Bucket): UPlot.AlignedData {
  const all = filledPoints(points, bucket, Date.now());
  return [
    all.map(({ start }) => start / MS_PER_SECOND),
    all.map(({ point }) => (point === undefined ? 0 : creditNumber(point.amount))),
  ];
}

function optionsOf(
  element: HTMLElement,
  bucket: Bucket,
  onPoint: (index: number | null | undefined) => void,
): UPlot.Options {
  const ink = colour(element, "--ink-soft");
  const grid = { stroke: colour(element, "--line"), width: 1 };
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  const bars = UPlot.paths.bars?.({ size: BAR_SIZE, radius: 0.2, align: 1 });
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    // Days begin at midnight UTC, as the relay counts them; hours are shown by the clock on the wall.
    ...(bucket === "day"
      ? { tzDate: (at: number) => UPlot.tzDate(new Date(at * MS_PER_SECOND), "UTC") }
      : {}),
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
    series: [
      {},
      {
        fill: colour(element, "--accent"),
        width: 0,
        points: { show: false },
        ...(bars === undefined ? {} : { paths: bars }),
      },
    ],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx)] },
  };
}

function summary(points: readonly EarningsPoint[], bucket: Bucket, unit: string): string {
  const total = points.reduce((sum, { amount }) => sum + amount, 0n);
  const most = points.reduce((best, point) => (point.amount > best.amount ? point : best));
  const credits = (Number(total) / 1e6).toFixed(6);
  return `Bar chart by ${bucket}: ${credits} ${unit} in all, most at ${bucketText(bucket, most.start)}.`;
}

/** Bars by hour or day. The readout below follows the pointer; the table beside it serves everybody else. */
export function EarningsChart({ points, bucket, testMoney, theme }: EarningsChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLParagraphElement>(null);
  const unit = creditUnit(testMoney);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const filled = filledPoints(points, bucket, Date.now());
    const show = (index: number | null | undefined): void => {
      const at = index === null || index === undefined ? undefined : filled[index];
      if (readout.current === null) return;
      readout.current.textContent =
        at === undefined
          ? "\u00a0"
          : `${bucketText(bucket, at.start)}: ${at.point === undefined ? "nothing" : `${creditText(at.point.amount)} ${unit} for ${counted(at.point.tasks, "task")}`}`;
    };
    const draw = (): UPlot => new UPlot(optionsOf(element, bucket, show), dataOf(points, bucket), element);
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
  }, [points, bucket, unit, theme]);
  return (
    <figure class="chart">
      <div class="chart-place" ref={place} role="img" aria-label={summary(points, bucket, unit)} />
      <p class="chart-readout" ref={readout} aria-hidden="true">
        {"\u00a0"}
      </p>
    </figure>
  );
}
