import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
// oxlint-disable-next-line import/no-unassigned-import -- styles of this page alone
import "../styles/network.css";
import type { NetworkView } from "../../protocol/network-view.ts";
import { MeshPicture } from "../charts/mesh-picture.tsx";
import { FailureNotice } from "../components/failure-notice.tsx";
import { LatencyCard } from "../components/network-latency.tsx";
import { PriceCard, ThroughputCard } from "../components/network-charts.tsx";
import { NetworkFigures } from "../components/network-figures.tsx";
import { createNetwork, type NetworkState, type SeenNetwork } from "../state/network.ts";
import { useNow } from "../state/now.ts";
import { durationText } from "../words/durations.ts";
import { fullTimeText, logTimeText } from "../words/log-time.ts";
import { meshWords } from "../words/network-words.ts";
import type { PageProps } from "./page-gate.tsx";

/** Who works at this relay, as the relay measured it. */
export function NetworkPage({ state }: PageProps): JSX.Element {
  const { url } = state.relay;
  const network = useMemo(() => createNetwork(url), [url]);
  useEffect(() => network.watch(), [network]);
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>Network</h1>
        <p class="lede">
          Who is working for this relay, as it measured them itself. Providers count only while they have
          proven themselves in the last ten minutes.
        </p>
      </div>
      <Body network={network} testMoney={state.testMoney.value} />
    </>
  );
}

function Body({
  network,
  testMoney,
}: {
  readonly network: NetworkState;
  readonly testMoney: boolean;
}): JSX.Element {
  const seen = network.seen.value;
  if (seen.kind === "loading") return <p class="empty">Asking the relay…</p>;
  if (seen.kind === "failed")
    return (
      <FailureNotice
        title="The relay does not say who works here"
        failure={seen.failure}
        onRetry={() => void network.refresh()}
      />
    );
  return (
    <>
      <Measured seen={seen.value} isFresh={network.isFresh.value} />
      <Numbers view={seen.value.view} testMoney={testMoney} />
    </>
  );
}

/** When all this was measured. */
function Measured({
  seen: { view, arrivedAt },
  isFresh,
}: {
  readonly seen: SeenNetwork;
  readonly isFresh: boolean;
}): JSX.Element {
  const now = useNow(true);
  const age = Math.max(0, now.value - arrivedAt);
  return (
    <p class="network-measured" data-fresh={isFresh}>
      <span class={`dot ${isFresh ? "dot-ready" : "dot-wait"}`} />{" "}
      {isFresh
        ? `Measured ${durationText(age)} ago; asked again every 5 s while you look.`
        : `The relay does not answer now. This was measured ${durationText(age)} ago.`}{" "}
      <span title={fullTimeText(view.since)}>The relay counts since {logTimeText(view.since, view.at)}.</span>
    </p>
  );
}

function Numbers({
  view,
  testMoney,
}: {
  readonly view: NetworkView;
  readonly testMoney: boolean;
}): JSX.Element {
  return (
    <>
      <NetworkFigures view={view} testMoney={testMoney} />
      <div class="network-pair">
        <ThroughputCard view={view} />
        <PriceCard view={view} testMoney={testMoney} />
      </div>
      <section class="card" aria-labelledby="mesh-title">
        <h2 id="mesh-title">The mesh right now</h2>
        <MeshPicture mesh={view.mesh} />
        <p class="hint">
          {meshWords(view.mesh)} Who is in touch with the relay, it sees itself; over what work passes between
          two peers, the one that computes says, and it is drawn where a lease explains it. Who is who, nobody
          can tell from this: there are no names in it, and the marks behind the dots change every day.
        </p>
      </section>
      <LatencyCard view={view} />
    </>
  );
}
