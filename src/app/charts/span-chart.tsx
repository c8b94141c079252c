import type { JSX } from "preact";

export interface SpanPoint {
  /** Start of its piece of time, milliseconds since 1970. */
  readonly start: number;
  /** Nothing where nothing was measured: the chart has a gap there. */
  readonly value: number | undefined;
}

export interface SpanChartProps {
  readonly points: readonly SpanPoint[];
  /** How long each piece of time is, milliseconds. */
  readonly stepMs: number;
  /** From and to, milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** A value to compare with: a line across. */
  readonly mark?: number;
  /** What it shows, for who does not see it. */
  readonly summary: string;
  readonly tickText: (value: number) => string;
  readonly timeText: (ms: number) => string;
}

const WIDTH = 600;
const HEIGHT = 150;
/** Share of a piece's width that its bar takes. */
const BAR_SHARE = 0.7;

/** The next number that begins with 1, 2 or 5. */
function roundUp(value: number): number {
  if (value <= 0) return 1;
  const step = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((factor) => factor * step >= value) ?? 10) * step;
}

/** Bars over a fixed span. The picture stretches; its words stand beside it. */
export function SpanChart(props: SpanChartProps): JSX.Element {
  const { points, stepMs, from, to, mark, summary, tickText, timeText } = props;
  const most = roundUp(Math.max(mark ?? 0, ...points.map(({ value }) => value ?? 0)));
  const x = (ms: number): number => ((ms - from) / (to - from)) * WIDTH;
  const y = (value: number): number => HEIGHT - (value / most) * HEIGHT;
  const width = (stepMs / (to - from)) * WIDTH;
  return (
    <div class="span-chart">
      <div class="span-ticks" aria-hidden="true">
        <span>{tickText(most)}</span>
        <span>{tickText(most / 2)}</span>
        <span>0</span>
      </div>
      <svg
        class="span-plot"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={summary}
      >
        <path class="span-grid" d={`M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} />
        {mark !== undefined && <path class="span-mark" d={`M0 ${y(mark)}H${WIDTH}`} />}
        {points.map(({ start, value }) =>
          value === undefined || value === 0 ? null : (
            <rect
              key={start}
              class="span-bar"
              x={x(start) + (width * (1 - BAR_SHARE)) / 2}
              y={y(value)}
              width={width * BAR_SHARE}
              height={HEIGHT - y(value)}
            />
          ),
        )}
      </svg>
      <div class="span-times" aria-hidden="true">
        <span>{timeText(from)}</span>
        <span>{timeText((from + to) / 2)}</span>
        <span>{timeText(to)}</span>
      </div>
    </div>
  );
}
