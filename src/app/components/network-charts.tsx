import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { NetworkView, WorkSpan } from "../../protocol/network-view.ts";
import { SpanChart } from "../charts/span-chart.tsx";
import { creditNumber, creditText, creditTick, creditUnit } from "../words/credits.ts";
import { bucketText, fullTimeText, logTimeText } from "../words/log-time.ts";
import { type PriceBy, priceOf, sumOf } from "../words/network-words.ts";
import { counted, countText, scaledText } from "../words/quantities.ts";
import { Choice } from "./choice.tsx";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export interface NetworkChartProps {
  readonly view: NetworkView;
  readonly testMoney: boolean;
}

/** What ended, by minutes of the last hour. */
export function ThroughputCard({ view }: Pick<NetworkChartProps, "view">): JSX.Element {
  const { minutes } = view.throughput;
  const { tasks, fuel } = sumOf(minutes);
  const to = (minutes.at(-1)?.start ?? view.at) + MINUTE_MS;
  const words = `${counted(tasks, "task")} and ${scaledText(Number(fuel))} fuel since ${logTimeText(minutes[0]?.start ?? view.at, view.at)}`;
  return (
    <section class="card" aria-labelledby="throughput-title">
      <h2 id="throughput-title">Tasks by minute</h2>
      <SpanChart
        points={minutes.map((minute) => ({ start: minute.start, value: minute.tasks }))}
        stepMs={MINUTE_MS}
        from={to - HOUR_MS}
        to={to}
        summary={`Bars by minute of the last hour: ${words}.`}
        tickText={(value) => (Number.isInteger(value) ? scaledText(value) : "")}
        timeText={(ms) => logTimeText(ms, ms).slice(0, 5)}
      />
      <p class="hint">
        {words}. A task counts in the minute in which the receipt that names it was logged.
        {minutes.length < 60 && " The relay was started within the hour and counts from there."}
      </p>
    </section>
  );
}

const WAYS: readonly (readonly [PriceBy, string])[] = [
  ["task", "Task"],
  ["fuel", "10⁹ fuel"],
];
const WEEK_HOURS = 168;

/** What settled leases paid, by hours of the last week. */
export function PriceCard({ view, testMoney }: NetworkChartProps): JSX.Element {
  const by = useSignal<PriceBy>("task");
  const { hours, listed } = view.prices;
  const unit = creditUnit(testMoney);
  const to = (Math.floor(view.at / HOUR_MS) + 1) * HOUR_MS;
  const what = by.value === "fuel" ? "10⁹ fuel" : "a task";
  const all = priceOf({ start: 0, ...sumOf(hours) }, by.value);
  const mean =
    all === undefined
      ? "Nothing was settled in this week."
      : `${creditText(all)} ${unit} for ${what} over all ${counted(sumOf(hours).tasks, "task")} of the week.`;
  return (
    <section class="card" aria-labelledby="price-title">
      <div class="card-head">
        <h2 id="price-title">Price by hour</h2>
        <Choice
          legend="Price of"
          name="price-by"
          options={WAYS}
          value={by.value}
          onChange={(value) => {
            by.value = value;
          }}
        />
      </div>
      <SpanChart
        points={hours.map((hour) => ({ start: hour.start, value: valueOf(hour, by.value) }))}
        stepMs={HOUR_MS}
        from={to - WEEK_HOURS * HOUR_MS}
        to={to}
        {...(by.value === "fuel" ? { mark: creditNumber(listed) } : {})}
        summary={`Price by hour of the last week. ${mean}`}
        tickText={creditTick}
        timeText={(ms) => bucketText("day", ms)}
      />
      <p class="hint">
        {mean}{" "}
        {by.value === "fuel"
          ? `Tasks and bytes cost as well, so short tasks are dear by fuel. The dotted line is the relay’s price of fuel alone, ${creditText(listed)}.`
          : "All that settled leases paid, by the hour in which they were settled."}
      </p>
      {hours.length > 0 && <PriceTable hours={hours} unit={unit} />}
    </section>
  );
}

function valueOf(span: WorkSpan, by: PriceBy): number | undefined {
  const price = priceOf(span, by);
  return price === undefined ? undefined : creditNumber(price);
}

function PriceTable({
  hours,
  unit,
}: {
  readonly hours: readonly WorkSpan[];
  readonly unit: string;
}): JSX.Element {
  return (
    <details class="technical">
      <summary>As a table</summary>
      <div class="network-scroll" tabIndex={0} role="region" aria-label="Prices by hour">
        <table class="tasks">
          <thead>
            <tr>
              <th scope="col">Hour from</th>
              <th scope="col" class="number">
                Tasks
              </th>
              <th scope="col" class="number">
                Paid, {unit}
              </th>
              <th scope="col" class="number">
                For 10⁹ fuel
              </th>
            </tr>
          </thead>
          <tbody>
            {hours.toReversed().map((hour) => {
              const price = priceOf(hour, "fuel");
              return (
                <tr key={hour.start}>
                  <th scope="row" title={fullTimeText(hour.start)}>
                    {bucketText("hour", hour.start)}
                  </th>
                  <td class="number">{countText(hour.tasks)}</td>
                  <td class="number">{creditText(hour.paid)}</td>
                  <td class="number">{price === undefined ? "–" : creditText(price)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </details>
  );
}
