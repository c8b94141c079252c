import type { JSX } from "preact";
import { LazyPart } from "../components/lazy-part.tsx";
import { TroubleNotice } from "../components/trouble-notice.tsx";
import type { AppState } from "../state/app-state.ts";
import type { SearchPageProps } from "./search-page.tsx";

async function loadPage(): Promise<(props: SearchPageProps) => JSX.Element> {
  const { SearchPage } = await import("./search-page.tsx");
  return SearchPage;
}

/** Loads the page of searching when it is first shown. */
export function SearchGate({ state }: { readonly state: AppState }): JSX.Element {
  const { able, trouble } = state;
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>Search</h1>
        <p class="lede">
          Ranks lines of text by what they mean. Other people’s tabs compute it, and sign for what they found.
        </p>
      </div>
      {trouble !== undefined && <TroubleNotice {...trouble} />}
      {able !== undefined && (
        <LazyPart load={loadPage} show={(SearchPage) => <SearchPage state={state} able={able} />} />
      )}
    </>
  );
}
