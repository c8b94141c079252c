// oxlint-disable-next-line import/no-unassigned-import -- the rules of this page
import "../styles/sites.css";
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { SiteId } from "../../protocol/site.ts";
import type { SiteContributions } from "../../sdk/index.ts";
import { FailureNotice } from "../components/failure-notice.tsx";
import { SiteForm } from "../components/site-form.tsx";
import { SitePanel } from "../components/site-panel.tsx";
import type { Able, AppState } from "../state/app-state.ts";
import { createOwnedSites, type OwnedSites } from "../state/sites.ts";
import type { PageProps } from "./page-gate.tsx";

/** Days are counted at the relay; this page looks again so often. */
const LOOK_AGAIN_MS = 30_000;

export function SitesPage({ state }: PageProps): JSX.Element {
  const { able } = state;
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>Sites</h1>
        <p class="lede">
          Put the widget on your site, and visitors who want to can support it with a little of their
          computer’s spare time.
        </p>
      </div>
      {able !== undefined && <Owned state={state} able={able} />}
    </>
  );
}

function Owned({ state, able }: { readonly state: AppState; readonly able: Able }): JSX.Element {
  const owned = useMemo(() => createOwnedSites(state.relay, able.memory, able.account), [state.relay, able]);
  useEffect(() => {
    void owned.refresh();
    const timer = setInterval(() => void owned.refresh(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [owned]);
  const sites = owned.sites.value;
  if (sites.kind === "loading") return <div class="card skeleton-block sites-wait" aria-busy="true" />;
  if (sites.kind === "failed")
    return (
      <FailureNotice
        title="Your sites are not to be had"
        failure={sites.failure}
        onRetry={() => void owned.refresh()}
      />
    );
  return <Listed state={state} owned={owned} all={sites.value} />;
}

interface ListedProps {
  readonly state: AppState;
  readonly owned: OwnedSites;
  readonly all: readonly SiteContributions[];
}

function Listed({ state, owned, all: unsorted }: ListedProps): JSX.Element {
  const all = unsorted.toSorted((a, b) => a.site.page.localeCompare(b.site.page));
  const chosen = useSignal<SiteId | undefined>(undefined);
  const shown = all.find(({ site }) => site.site === chosen.value) ?? all[0];
  const show = (site: SiteId): void => {
    chosen.value = site;
    // The panel is there after this turn.
    setTimeout(() => document.querySelector<HTMLElement>("#site-title")?.focus());
  };
  return (
    <>
      {all.length > 1 && (
        <div class="site-tabs" role="group" aria-label="Your sites">
          {all.map(({ site }) => (
            <button
              key={site.site}
              class="site-tab"
              type="button"
              aria-current={site.site === shown?.site.site ? "true" : undefined}
              onClick={() => show(site.site)}
            >
              {site.page.replace(/^https:\/\//u, "")}
            </button>
          ))}
        </div>
      )}
      {shown !== undefined && (
        <SitePanel key={shown.site.site} state={state} owned={owned} contributions={shown} />
      )}
      <SiteForm owned={owned} isFirst={all.length === 0} onRegistered={({ site }) => show(site)} />
    </>
  );
}
