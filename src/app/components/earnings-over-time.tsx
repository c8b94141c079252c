import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { Theme } from "../../provider/tab-memory.ts";
import type { EarningsChartProps } from "../charts/earnings-chart.tsx";
import { type Layer, layersOf, sumsOf } from "../charts/layers.ts";
import { bucketStarts, type Span } from "../state/chart-spans.ts";
import type { Earnings, Split } from "../state/earnings.ts";
import type { Names } from "../state/names.ts";
import { creditText, creditUnit } from "../words/credits.ts";
import { fullTimeText } from "../words/log-time.ts";
import { countText } from "../words/quantities.ts";
import { Choice } from "./choice.tsx";
import { EarningsShares } from "./earnings-shares.tsx";
import { FailureNotice } from "./failure-notice.tsx";

export interface EarningsOverTimeProps {
  readonly earnings: Earnings;
  readonly names: Names;
  readonly testMoney: boolean;
  readonly theme: Theme;
}

const SPANS: readonly (readonly [Span, string])[] = [
  ["hours", "48 hours"],
  ["days", "30 days"],
  ["months", "12 months"],
];

const SPLITS: readonly (readonly [Split, string])[] = [
  ["total", "Total"],
  ["function", "By function"],
  ["site", "By site"],
];

type ChartView = (props: EarningsChartProps) => JSX.Element;

export function EarningsOverTime(props: EarningsOverTimeProps): JSX.Element {
  const { earnings } = props;
  return (
    <section class="card" aria-labelledby="chart-title">
      <div class="card-head">
        <h2 id="chart-title">Earned over time</h2>
        <div class="chart-choices">
          <Choice
            legend="What it is split by"
            name="split"
            options={SPLITS}
            value={earnings.split.value}
            onChange={(split) => earnings.setSplit(split)}
          />
          <Choice
            legend="Span"
            name="bucket"
            options={SPANS}
            value={earnings.span.value}
            onChange={(span) => earnings.setSpan(span)}
          />
        </div>
      </div>
      <Body {...props} />
    </section>
  );
}

function useChart(): ChartView | undefined {
  const chart = useSignal<ChartView | undefined>(undefined);
  useEffect(() => {
    const load = async (): Promise<void> => {
      const { EarningsChart } = await import("../charts/earnings-chart.tsx");
      chart.value = EarningsChart;
    };
    // Without the drawing the table still tells everything.
    load().catch(() => {});
  }, [chart]);
  return chart.value;
}

function Body({ earnings, names, testMoney, theme }: EarningsOverTimeProps): JSX.Element {
  const Chart = useChart();
  const data = earnings.chart.value;
  const layers = useMemo(() => (data.kind === "ready" ? layersOf(data.value) : []), [data]);
  if (data.kind === "loading") return <div class="chart-place skeleton-block" aria-busy="true" />;
  if (data.kind === "failed") {
    // One alarm is enough.
    if (earnings.account.value.kind === "failed") return <p class="empty">Drawn once the relay answers.</p>;
    return (
      <FailureNotice
        title="The chart is not to be had"
        failure={data.failure}
        onRetry={() => earnings.retry()}
      />
    );
  }
  const { span, split } = data.value;
  if (layers.every(({ amount }) => amount === 0n))
    return <p class="empty chart-place chart-empty">Nothing earned in this span.</p>;
  return (
    <>
      {Chart === undefined ? (
        <div class="chart-place skeleton-block" />
      ) : (
        <Chart layers={layers} span={span} testMoney={testMoney} theme={theme} />
      )}
      {split !== "total" && (
        <EarningsShares
          earnings={earnings}
          layers={layers}
          split={split}
          names={names}
          testMoney={testMoney}
        />
      )}
      <PointTable layers={layers} span={span} testMoney={testMoney} />
    </>
  );
}

function PointTable({
  layers,
  span,
  testMoney,
}: {
  readonly layers: readonly Layer[];
  readonly span: Span;
  readonly testMoney: boolean;
}): JSX.Element {
  const points = sumsOf(layers, bucketStarts(span, Date.now())).filter(({ amount }) => amount > 0n);
  return (
    <details class="technical">
      <summary>As a table</summary>
      <table class="tasks">
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col" class="number">
              Tasks
            </th>
            <th scope="col" class="number">
              Earned, {creditUnit(testMoney)}
            </th>
          </tr>
        </thead>
        <tbody>
          {points.map((point) => (
            <tr key={point.start}>
              <th scope="row">{fullTimeText(point.start)}</th>
              <td class="number">{countText(point.tasks)}</td>
              <td class="number">{creditText(point.amount)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
