import type { JSX } from "preact";
import { LATENCIES, type LatencyView, type NetworkView } from "../../protocol/network-view.ts";
import { durationText } from "../words/durations.ts";
import { latencyText, latencyWords } from "../words/network-words.ts";
import { countText } from "../words/quantities.ts";

/** How long things take, as percentiles of what was measured lately. */
export function LatencyCard({ view }: { readonly view: NetworkView }): JSX.Element {
  const known = new Map(view.latency.map((row) => [row.what, row]));
  return (
    <section class="card" aria-labelledby="latency-title">
      <h2 id="latency-title">How long things take</h2>
      <p class="hint">
        At most so long for half, for 9 of 10 and for 99 of 100, of what was measured in the last{" "}
        {durationText(view.verifiedMs)} by the relay’s clock.
      </p>
      <table class="network-latency">
        <thead>
          <tr>
            <td />
            <th scope="col">half</th>
            <th scope="col">9 of 10</th>
            <th scope="col">99 of 100</th>
            <th scope="col">samples</th>
          </tr>
        </thead>
        {LATENCIES.map((what) => (
          <Latency key={what} what={what} row={known.get(what)} />
        ))}
      </table>
    </section>
  );
}

function Latency({
  what,
  row,
}: {
  readonly what: LatencyView["what"];
  readonly row: LatencyView | undefined;
}): JSX.Element {
  const { name, how } = latencyWords(what);
  const figures = row === undefined ? [] : [row.p50, row.p90, row.p99].map(latencyText);
  return (
    <tbody>
      <tr>
        <th scope="row">{name}</th>
        {row === undefined ? (
          <td colSpan={4} class="network-none">
            nothing measured lately
          </td>
        ) : (
          <>
            {figures.map((figure, index) => (
              <td key={index}>{figure}</td>
            ))}
            <td>{countText(row.samples)}</td>
          </>
        )}
      </tr>
      <tr class="network-how">
        <td colSpan={5}>{how}</td>
      </tr>
    </tbody>
  );
}
