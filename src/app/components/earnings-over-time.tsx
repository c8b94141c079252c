import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { Theme } from "../../provider/tab-memory.ts";
import type { EarningsPoint } from "../../protocol/relay-api.ts";
import type { EarningsChartProps } from "../charts/earnings-chart.tsx";
import type { Bucket, Earnings } from "../state/earnings.ts";
import { creditText, creditUnit } from "../words/credits.ts";
import { fullTimeText } from "../words/log-time.ts";
import { countText } from "../words/quantities.ts";
import { FailureNotice } from "./failure-notice.tsx";

export interface EarningsOverTimeProps {
  readonly earnings: Earnings;
  readonly testMoney: boolean;
  readonly theme: Theme;
}

const BUCKETS: readonly (readonly [Bucket, string])[] = [
  ["hour", "48 hours"],
  ["day", "30 days"],
];

type ChartView = (props: EarningsChartProps) => JSX.Element;

export function EarningsOverTime({ earnings, testMoney, theme }: EarningsOverTimeProps): JSX.Element {
  return (
    <section class="card" aria-labelledby="chart-title">
      <div class="card-head">
        <h2 id="chart-title">Earned over time</h2>
        <fieldset class="segments">
          <legend class="aside">Span</legend>
          {BUCKETS.map(([bucket, label]) => (
            <label key={bucket} class="segment">
              <input
                type="radio"
                name="bucket"
                checked={earnings.bucket.value === bucket}
                onChange={() => earnings.setBucket(bucket)}
              />
              <span>{label}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <Body earnings={earnings} testMoney={testMoney} theme={theme} />
    </section>
  );
}

function Body({ earnings, testMoney, theme }: EarningsOverTimeProps): JSX.Element {
  const chart = useSignal<ChartView | undefined>(undefined);
  useEffect(() => {
    const load = async (): Promise<void> => {
      const { EarningsChart } = await import("../charts/earnings-chart.tsx");
      chart.value = EarningsChart;
    };
    // Without the drawing the table still tells everything.
    load().catch(() => {});
  }, [chart]);
  const points = earnings.points.value;
  if (points.kind === "loading") return <div class="chart-place skeleton-block" aria-busy="true" />;
  if (points.kind === "failed") {
    // One alarm is enough.
    if (earnings.account.value.kind === "failed") return <p class="empty">Drawn once the relay answers.</p>;
    return (
      <FailureNotice
        title="The chart is not to be had"
        failure={points.failure}
        onRetry={() => earnings.retry()}
      />
    );
  }
  const Chart = chart.value;
  const earned = points.value.filter(({ amount }) => amount > 0n);
  if (earned.length === 0) {
    return <p class="empty chart-place chart-empty">Nothing earned in this span.</p>;
  }
  return (
    <>
      {Chart === undefined ? (
        <div class="chart-place skeleton-block" />
      ) : (
        <Chart points={points.value} bucket={earnings.bucket.value} testMoney={testMoney} theme={theme} />
      )}
      <PointTable points={earned} testMoney={testMoney} />
    </>
  );
}

function PointTable({
  points,
  testMoney,
}: {
  readonly points: readonly EarningsPoint[];
  readonly testMoney: boolean;
}): JSX.Element {
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
