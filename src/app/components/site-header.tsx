import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { AppState } from "../state/app-state.ts";
import { valueOf } from "../state/loadable.ts";
import { hashOf, type PageName } from "../state/route.ts";
import { Mark } from "./mark.tsx";
import { ThemeButton } from "./theme-button.tsx";

const PAGES: readonly (readonly [PageName, string])[] = [
  ["contribute", "Contribute"],
  ["earnings", "Earnings"],
  ["jobs", "Jobs"],
  ["runs", "Runs"],
  ["search", "Search"],
  ["network", "Network"],
  ["sites", "Sites"],
];

/** The strip of tabs that the page hangs from. */
export function SiteHeader({ state }: { readonly state: AppState }): JSX.Element {
  const current = state.page.value;
  const tabs = useRef<HTMLUListElement>(null);
  useEffect(() => {
    // On a very small phone the tabs scroll.
    tabs.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [current]);
  return (
    <header class="strip">
      <div class="strip-inner">
        <a class="brand" href="#/" aria-label="Tabmesh, first page">
          <Mark />
          <span class="brand-name">Tabmesh</span>
        </a>
        <nav aria-label="Pages">
          <ul class="tabs" ref={tabs}>
            {PAGES.map(([page, label]) => (
              <li key={page}>
                <a class="tab" href={hashOf(page)} aria-current={current === page ? "page" : undefined}>
                  {label}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="strip-end">
          <RelayBadge state={state} />
          <ThemeButton preferences={state.preferences} />
        </div>
      </div>
    </header>
  );
}

/** Which relay this is, and that its money is for tests where it is. */
function RelayBadge({ state }: { readonly state: AppState }): JSX.Element {
  const { relay } = state;
  const info = valueOf(relay.info.value);
  return (
    <p class="relay-badge" role="status">
      {relay.info.value.kind === "failed" && (
        <>
          <span class="dot dot-wait" />
          Offline
          <button class="link" type="button" onClick={() => void relay.refresh()}>
            Retry
          </button>
        </>
      )}
      {info !== undefined && (
        <>
          <span class="dot dot-ready" />
          <span class="relay-name">{info.name}</span>
          {info.testMoney && <span class="chip">Test credits</span>}
        </>
      )}
    </p>
  );
}
