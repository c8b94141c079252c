import type { JSX, RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { SiteHeader } from "./components/site-header.tsx";
import { UpdateNotice } from "./components/update-notice.tsx";
import { ContributePage } from "./pages/contribute-page.tsx";
import { EarningsGate } from "./pages/earnings-gate.tsx";
import { type LoadPage, PageGate } from "./pages/page-gate.tsx";
import { SearchGate } from "./pages/search-gate.tsx";
import type { AppState } from "./state/app-state.ts";
import type { PageName } from "./state/route.ts";

const TITLES: Readonly<Record<PageName, string>> = {
  contribute: "Contribute",
  earnings: "Earnings",
  jobs: "Jobs",
  runs: "Runs",
  search: "Search",
  network: "Network",
  sites: "Sites",
};

const loadJobs: LoadPage = async () => (await import("./pages/jobs-page.tsx")).JobsPage;
const loadRuns: LoadPage = async () => (await import("./pages/runs-page.tsx")).RunsPage;
const loadNetwork: LoadPage = async () => (await import("./pages/network-page.tsx")).NetworkPage;
const loadSites: LoadPage = async () => (await import("./pages/sites-page.tsx")).SitesPage;

/** A change of page is a change of place: title, focus and the top of the window move with it, as with a full load. */
function useArrival(page: PageName): RefObject<HTMLElement | null> {
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${TITLES[page]} · Tabmesh`;
    if (isFirst.current) {
      isFirst.current = false;
      return undefined;
    }
    scrollTo(0, 0);
    return main.current === null ? undefined : focusHeading(main.current);
  }, [page]);
  return main;
}

/**
 * Moves the focus to the page's heading, which a page loaded when first shown brings along later. A person who has
 * moved on by then keeps the focus where it is.
 * @returns what stops the wait.
 */
function focusHeading(main: HTMLElement): () => void {
  const startedAt = document.activeElement;
  const isFocused = (): boolean => {
    const heading = main.querySelector("h1");
    heading?.focus({ preventScroll: true });
    return heading !== null;
  };
  if (isFocused()) return () => undefined;
  const arrivals = new MutationObserver(() => {
    const hasMovedOn = document.activeElement !== startedAt && document.activeElement !== document.body;
    if (hasMovedOn || isFocused()) arrivals.disconnect();
  });
  arrivals.observe(main, { childList: true, subtree: true });
  return () => arrivals.disconnect();
}

export function App({ state }: { readonly state: AppState }): JSX.Element {
  const page = state.page.value;
  const main = useArrival(page);
  return (
    <>
      <a class="skip" href="#main" onClick={focusMain}>
        Skip to content
      </a>
      <SiteHeader state={state} />
      <main id="main" tabIndex={-1} ref={main}>
        <Page page={page} state={state} />
      </main>
      <footer class="site-footer">
        <p>
          Every amount here rests on a receipt that both sides signed and the relay has logged. Verify any of
          them on the <a href="#/earnings">Earnings</a> page.
        </p>
      </footer>
      <UpdateNotice update={state.update} />
    </>
  );
}

function Page({ page, state }: { readonly page: PageName; readonly state: AppState }): JSX.Element {
  switch (page) {
    case "contribute":
      return <ContributePage state={state} />;
    case "earnings":
      return <EarningsGate state={state} />;
    case "search":
      return <SearchGate state={state} />;
    case "jobs":
      return <PageGate key={page} title={TITLES[page]} load={loadJobs} state={state} needsMemory />;
    case "runs":
      return <PageGate key={page} title={TITLES[page]} load={loadRuns} state={state} needsMemory />;
    case "network":
      return <PageGate key={page} title={TITLES[page]} load={loadNetwork} state={state} />;
    case "sites":
      return <PageGate key={page} title={TITLES[page]} load={loadSites} state={state} needsMemory />;
    default:
      return page satisfies never;
  }
}

/** The hash is the page, so the skip link moves the focus by hand. */
function focusMain(event: MouseEvent): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#main")?.focus();
}
