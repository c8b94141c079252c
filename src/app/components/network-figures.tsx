import type { ComponentChildren, JSX } from "preact";
import type { NetworkView, WorkSpan } from "../../protocol/network-view.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import { creditText, creditUnit } from "../words/credits.ts";
import { durationText } from "../words/durations.ts";
import { priceOf, sumOf, verifiedWords } from "../words/network-words.ts";
import { counted, countText, rateText, scaledText } from "../words/quantities.ts";
import { Amount } from "./amount.tsx";

export interface NetworkFiguresProps {
  readonly view: NetworkView;
  readonly testMoney: boolean;
}

const MIB = 1024n * 1024n;

/** The four numbers that a person asks for first, each with how it came about. */
export function NetworkFigures({ view, testMoney }: NetworkFiguresProps): JSX.Element {
  const { providers, throughput, prices } = view;
  const seconds = throughput.spanMs / 1_000;
  const day = sumOf(prices.hours.filter(({ start }) => start > view.at - 25 * 3_600_000));
  const paid = priceOf({ start: 0, ...day }, "task");
  return (
    <dl class="network-figures">
      <Figure name="Providers, verified" note={verifiedWords(view)}>
        {countText(providers.verified)}
      </Figure>
      <Figure name="Capacity" note={capacityWords(view)}>
        {providers.fuelMeasured === 0 ? (
          "not measured"
        ) : (
          <>
            {scaledText(Number(providers.fuelPerSecond))}
            <small>fuel/s</small>
          </>
        )}
      </Figure>
      <Figure
        name="Throughput"
        note={`${counted(throughput.tasks, "task")} and ${scaledText(Number(throughput.fuel))} fuel in ${counted(throughput.receipts, "logged receipt")} of the last ${durationText(throughput.spanMs)}.`}
      >
        {rateText(throughput.tasks / seconds)}
        <small>tasks/s</small>
      </Figure>
      <Figure name="Price of a task" note={priceWords(day, prices.listed, testMoney)}>
        {paid === undefined ? (
          "none yet"
        ) : (
          <>
            <Amount value={paid} testMoney={testMoney} /> <small>{creditUnit(testMoney)}</small>
          </>
        )}
      </Figure>
    </dl>
  );
}

function Figure({
  name,
  note,
  children,
}: {
  readonly name: string;
  readonly note: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="network-value">{children}</dd>
      <dd class="network-note">{note}</dd>
    </div>
  );
}

function priceWords(day: Omit<WorkSpan, "start">, listed: MicroCredits, testMoney: boolean): string {
  const list = `The relay’s list asks ${creditText(listed)} ${creditUnit(testMoney)} for 10⁹ fuel, about a second of one core.`;
  if (day.tasks === 0) return `No lease was settled in the last day. ${list}`;
  const fuel = scaledText(Number(day.fuel) / day.tasks);
  return `On average, in all leases settled in the last day: ${counted(day.tasks, "task")} of ${fuel} fuel each. ${list}`;
}

function capacityWords({ providers }: NetworkView): string {
  const { verified, threads, freeThreads, memoryBytes, fuelMeasured, modelPerSecond, modelMeasured } =
    providers;
  if (verified === 0) return "Nobody is verified whose threads could be counted.";
  const own = `By their own word ${counted(threads, "thread")}, ${countText(freeThreads)} free, ${countText(Number(memoryBytes / MIB))} MiB for functions.`;
  const speed =
    fuelMeasured === 0
      ? "Speed is measured when a provider has been idle for a few seconds."
      : `Speed as challenges measured it, at ${fuelMeasured} of ${countText(verified)}.`;
  const models =
    modelMeasured === 0
      ? ""
      : ` Models: ${scaledText(Number(modelPerSecond))} multiply-adds/s, at ${modelMeasured}.`;
  return `${speed}${models} ${own}`;
}
