import type { JSX } from "preact";
import { LazyPart } from "../components/lazy-part.tsx";
import { TroubleNotice } from "../components/trouble-notice.tsx";
import type { Able, AppState } from "../state/app-state.ts";
import type { EarningsPageProps } from "./earnings-page.tsx";

type EarningsView = (props: EarningsPageProps) => JSX.Element;

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

async function loadPage(): Promise<EarningsView> {
  const { EarningsPage } = await import("./earnings-page.tsx");
  return EarningsPage;
}

function LoadedPage({ state, able }: { readonly state: AppState; readonly able: Able }): JSX.Element {
  return <LazyPart load={loadPage} show={(EarningsPage) => <EarningsPage state={state} able={able} />} />;
}
