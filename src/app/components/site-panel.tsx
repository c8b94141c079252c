import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { SiteContributions } from "../../sdk/index.ts";
import type { AppState } from "../state/app-state.ts";
import type { OwnedSites } from "../state/sites.ts";
import { FailureNotice } from "./failure-notice.tsx";
import { ShareControl } from "./share-control.tsx";
import { SiteDays } from "./site-days.tsx";
import { SiteSnippet } from "./site-snippet.tsx";

export interface SitePanelProps {
  readonly state: AppState;
  readonly owned: OwnedSites;
  readonly contributions: SiteContributions;
}

/** One site: what was contributed, what goes into its pages, and how earnings are divided. */
export function SitePanel({ state, owned, contributions }: SitePanelProps): JSX.Element {
  const { site, days } = contributions;
  const isOpen = site.state === "open";
  return (
    <article class="card site-card" aria-labelledby="site-title">
      <header class="site-head">
        <h2 id="site-title" tabIndex={-1}>
          {site.page.replace(/^https:\/\//u, "")}
        </h2>
        <span class={isOpen ? "chip chip-good" : "chip"}>{isOpen ? "Open" : "Closed"}</span>
        <p class="site-id code">{site.site}</p>
      </header>
      {!isOpen && (
        <p class="hint">
          The widget takes no visitors here. What they have earned for you still comes. Open the site again
          below.
        </p>
      )}
      <SiteDays days={days} testMoney={state.testMoney.value} theme={state.preferences.theme.value} />
      {isOpen && <SiteSnippet relayUrl={state.relay.url} site={site.site} />}
      <Terms owned={owned} contributions={contributions} />
    </article>
  );
}

/** The share, and whether the site takes visitors. */
function Terms({ owned, contributions: { site } }: Omit<SitePanelProps, "state">): JSX.Element {
  const { page, share, state } = site;
  const chosen = useSignal(share);
  const message = useSignal("");
  useEffect(() => {
    chosen.value = share;
    message.value = "";
  }, [chosen, message, site.site]);
  const saving = owned.saving.value;
  const isBusy = saving.kind === "saving";
  const save = async (
    next: { readonly share?: number; readonly state: typeof state },
    done: string,
  ): Promise<void> => {
    message.value = "";
    if ((await owned.register({ page, ...next })) !== undefined) message.value = done;
  };
  return (
    <section class="site-part" aria-labelledby="terms-title">
      <h3 id="terms-title">Share</h3>
      <ShareControl id="change-share" share={chosen.value} onChange={(next) => (chosen.value = next)} />
      <div class="button-row">
        <button
          class="button"
          type="button"
          disabled={isBusy || chosen.value === share}
          onClick={() =>
            void save({ share: chosen.value, state }, "Saved. New visitors are asked for the new share.")
          }
        >
          Save share
        </button>
        {state === "open" ? (
          <button
            class="button button-quiet"
            type="button"
            disabled={isBusy}
            onClick={() => void save({ state: "closed" }, "Closed. The widget takes no visitors any more.")}
          >
            Close this site
          </button>
        ) : (
          <button
            class="button button-quiet"
            type="button"
            disabled={isBusy}
            onClick={() => void save({ state: "open" }, "Open again.")}
          >
            Open this site again
          </button>
        )}
      </div>
      <p class="message" role="status">
        {message.value}
      </p>
      {saving.kind === "failed" && <FailureNotice title="Not saved" failure={saving.failure} />}
    </section>
  );
}
