import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { type MicroCredits, microCredits } from "../../protocol/units.ts";
import type { Theme } from "../../provider/tab-memory.ts";
import type { SiteDay } from "../../sdk/index.ts";
import type { EarningsChartProps } from "../charts/earnings-chart.tsx";
import type { Layer } from "../charts/layers.ts";
import { creditText, creditUnit } from "../words/credits.ts";
import { bucketText } from "../words/log-time.ts";
import { counted, countText, scaledText } from "../words/quantities.ts";
import { Amount } from "./amount.tsx";
import { Choice } from "./choice.tsx";

export interface SiteDaysProps {
  readonly days: readonly SiteDay[];
  readonly testMoney: boolean;
  readonly theme: Theme;
}

type Measure = "earned" | "paid";
type ChartView = (props: EarningsChartProps) => JSX.Element;

const MEASURES: readonly (readonly [Measure, string])[] = [
  ["earned", "Earned"],
  ["paid", "Paid"],
];

function layerOf(
  days: readonly SiteDay[],
  name: string,
  colour: string,
  amountOf: (day: SiteDay) => MicroCredits,
): Layer {
  const points = days.map((day) => ({ start: day.start, amount: amountOf(day), tasks: day.tasks }));
  return {
    name,
    kind: "named",
    amount: sumOf(days, amountOf),
    tasks: days.reduce((sum, { tasks }) => sum + tasks, 0),
    points,
    colour,
  };
}

function sumOf(days: readonly SiteDay[], amountOf: (day: SiteDay) => MicroCredits): MicroCredits {
  return microCredits(days.reduce((sum, day) => sum + amountOf(day), 0n));
}

/** Of two layers one counts the tasks, or they would count twice. */
function layersOf(days: readonly SiteDay[], measure: Measure): readonly Layer[] {
  if (measure === "earned") return [layerOf(days, "earned", "--accent", ({ earned }) => earned)];
  const yours = layerOf(days, "yours", "--accent", ({ toOwner }) => toOwner);
  const theirs = layerOf(days, "theirs", "--copper-bright", ({ toVisitors }) => toVisitors);
  const points = theirs.points.map((point) => ({ ...point, tasks: 0 }));
  return [yours, { ...theirs, tasks: 0, points }];
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

/** What visitors contributed in the last 30 days. */
export function SiteDays({ days, testMoney, theme }: SiteDaysProps): JSX.Element {
  const measure = useSignal<Measure>("earned");
  const Chart = useChart();
  const layers = useMemo(() => layersOf(days, measure.value), [days, measure.value]);
  if (days.length === 0)
    return (
      <section class="site-part" aria-labelledby="days-title">
        <h3 id="days-title">Contributed</h3>
        <p class="empty">Nothing yet. As soon as a visitor takes part, it is counted here by day.</p>
      </section>
    );
  const isEmpty = layers.every(({ amount }) => amount === 0n);
  return (
    <section class="site-part" aria-labelledby="days-title">
      <div class="card-head">
        <h3 id="days-title">Contributed in 30 days</h3>
        <Choice
          legend="What the chart shows"
          name="measure"
          options={MEASURES}
          value={measure.value}
          onChange={(next) => (measure.value = next)}
        />
      </div>
      <Totals days={days} testMoney={testMoney} />
      {isEmpty ? (
        <p class="empty chart-place chart-empty">Nothing paid in this time.</p>
      ) : Chart === undefined ? (
        <div class="chart-place skeleton-block" />
      ) : (
        <Chart layers={layers} span="days" testMoney={testMoney} theme={theme} />
      )}
      <p class="hint">
        {measure.value === "earned"
          ? "Earned is what visitors’ tabs reported that day. It is paid when its audits and holding time are over."
          : "Paid is what became available that day: green went to you, copper stayed with the visitors."}
      </p>
      <DayTable days={days} testMoney={testMoney} />
    </section>
  );
}

function Totals({ days, testMoney }: Omit<SiteDaysProps, "theme">): JSX.Element {
  const tasks = days.reduce((sum, day) => sum + day.tasks, 0);
  return (
    <dl class="facts">
      <div>
        <dt>Paid to you</dt>
        <dd>
          <Amount value={sumOf(days, ({ toOwner }) => toOwner)} testMoney={testMoney} withUnit />
        </dd>
      </div>
      <div>
        <dt>Paid to visitors</dt>
        <dd>
          <Amount value={sumOf(days, ({ toVisitors }) => toVisitors)} testMoney={testMoney} withUnit />
        </dd>
      </div>
      <div>
        <dt>Earned</dt>
        <dd>
          <Amount value={sumOf(days, ({ earned }) => earned)} testMoney={testMoney} withUnit />
        </dd>
      </div>
      <div>
        <dt>Work</dt>
        <dd>{counted(tasks, "task")}</dd>
      </div>
    </dl>
  );
}

function DayTable({ days, testMoney }: Omit<SiteDaysProps, "theme">): JSX.Element {
  return (
    <details class="technical">
      <summary>As a table</summary>
      <div class="wide" tabIndex={0} role="region" aria-label="Contributions by day">
        <table class="tasks">
          <thead>
            <tr>
              <th scope="col">Day, UTC</th>
              {["Tabs", "Tasks", "Fuel", `Earned, ${creditUnit(testMoney)}`, "To you", "To visitors"].map(
                (head) => (
                  <th key={head} scope="col" class="number">
                    {head}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {days.toReversed().map((day) => (
              <tr key={day.start}>
                <th scope="row">{bucketText("day", day.start)}</th>
                <td class="number">{countText(day.tabs)}</td>
                <td class="number">{countText(day.tasks)}</td>
                <td class="number">{scaledText(Number(day.fuel))}</td>
                <td class="number">{creditText(day.earned)}</td>
                <td class="number">{creditText(day.toOwner)}</td>
                <td class="number">{creditText(day.toVisitors)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
