import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { TroubleNotice } from "../components/trouble-notice.tsx";
import { FailureNotice } from "../components/failure-notice.tsx";
import { FailureError } from "../../protocol/failure.ts";
import type { Able, AppState } from "../state/app-state.ts";
import type { EarningsPageProps } from "./earnings-page.tsx";

type EarningsView = (props: EarningsPageProps) => JSX.Element;
type Loaded = { readonly view: EarningsView } | "loading" | "not-loaded";

/** Loads the page of earnings with all it brings along, and stands in for it where it cannot be shown. */
export function EarningsGate({ state }: { readonly state: AppState }): JSX.Element {
  const { able, trouble } = state;
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>Earnings</h1>
        <p class="lede">What this browser’s key has earned, down to the signatures it rests on.</p>
      </div>
      {trouble !== undefined && <TroubleNotice {...trouble} />}
      {able !== undefined && <LoadedPage state={state} able={able} />}
    </>
  );
}

function LoadedPage({ state, able }: { readonly state: AppState; readonly able: Able }): JSX.Element {
  const loaded = useSignal<Loaded>("loading");
  const load = async (): Promise<void> => {
    loaded.value = "loading";
    try {
      const { EarningsPage } = await import("./earnings-page.tsx");
      loaded.value = { view: EarningsPage };
    } catch {
      loaded.value = "not-loaded";
    }
  };
  useEffect(() => {
    void load();
  }, []);
  const peer = able.account.peer.value;
  if (loaded.value === "loading") return <p class="empty">Loading…</p>;
  if (loaded.value === "not-loaded") {
    const failure = new FailureError("disconnected", "this part of the page could not be loaded").toFailure();
    return <FailureNotice title="The page is not complete" failure={failure} onRetry={() => void load()} />;
  }
  if (peer === undefined) return <NoAccount />;
  const { view: EarningsPage } = loaded.value;
  return <EarningsPage key={peer} state={state} memory={able.memory} peer={peer} />;
}

function NoAccount(): JSX.Element {
  return (
    <section class="card blank">
      <h2>Nothing earned yet</h2>
      <p>Your key is made when you first contribute, and every receipt it earns is listed here.</p>
      <p>
        <a class="button" href="#/">
          Contribute with this tab
        </a>
      </p>
    </section>
  );
}
