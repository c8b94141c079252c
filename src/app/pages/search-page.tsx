import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { FailureNotice, TechnicalDetail } from "../components/failure-notice.tsx";
import { Notice } from "../components/notice.tsx";
import { SearchForm } from "../components/search-form.tsx";
import { SearchResults } from "../components/search-results.tsx";
import type { Able, AppState } from "../state/app-state.ts";
import { createSearch, type SearchPhase } from "../state/search.ts";
import { noteWords, progressWords, searchFailureWords } from "../words/search-words.ts";

export interface SearchPageProps {
  readonly state: AppState;
  readonly able: Able;
}

export function SearchPage({ state, able }: SearchPageProps): JSX.Element {
  const search = useMemo(
    () => createSearch(state.relay, able.memory, () => void able.account.refresh()),
    [state.relay, able],
  );
  useEffect(() => {
    void search.refreshModels();
    return () => void search.close();
  }, [search]);
  const models = search.models.value;
  if (models.kind === "loading") return <p class="empty">Asking the relay for its models…</p>;
  if (models.kind === "failed")
    return (
      <FailureNotice
        title="The models are not known"
        failure={models.failure}
        onRetry={() => void search.refreshModels()}
      />
    );
  if (models.value.length === 0) return <NoModel onRetry={() => void search.refreshModels()} />;
  const phase = search.phase.value;
  return (
    <>
      <SearchForm
        models={models.value}
        isBusy={phase.kind === "searching"}
        onSearch={(question) => void search.search(question)}
        onCancel={() => search.cancel()}
      />
      <Outcome phase={phase} testMoney={state.testMoney.value} />
    </>
  );
}

interface OutcomeProps {
  readonly phase: SearchPhase;
  readonly testMoney: boolean;
}

/** What became of the search; the focus moves to it, so that it is read aloud and reached at once. */
function Outcome({ phase, testMoney }: OutcomeProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const { kind } = phase;
  useEffect(() => {
    if (kind === "found") place.current?.querySelector("h2")?.focus();
  }, [kind]);
  return (
    <div>
      <div role="status">
        {phase.kind === "searching" && <Searching phase={phase} />}
        {phase.kind === "cancelled" && (
          <Notice tone="info" title="Cancelled">
            <p>The tabs were told to stop, and what was not spent goes back to your account.</p>
          </Notice>
        )}
        {phase.kind === "failed" && <Failed failure={phase.failure} />}
      </div>
      <div ref={place}>
        {phase.kind === "found" && <SearchResults found={phase.found} testMoney={testMoney} />}
      </div>
    </div>
  );
}

function Searching({ phase }: { readonly phase: Extract<SearchPhase, { kind: "searching" }> }): JSX.Element {
  const { progress } = phase;
  const share =
    progress?.total === undefined || progress.total === 0 ? undefined : progress.done / progress.total;
  return (
    <div class="card searching">
      <progress aria-label="Search" {...(share === undefined || share === 0 ? {} : { value: share })} />
      <p>{progressWords(progress)}</p>
      {progress?.note !== undefined && <p class="hint">{noteWords(progress.note, progress.state)}</p>}
    </div>
  );
}

function Failed({ failure }: Pick<Extract<SearchPhase, { kind: "failed" }>, "failure">): JSX.Element {
  const { cause, advice } = searchFailureWords(failure);
  return (
    <Notice tone="alarm" title="The search did not succeed">
      <p>{`${cause} ${advice}`}</p>
      <TechnicalDetail failure={failure} />
    </Notice>
  );
}

function NoModel({ onRetry }: { readonly onRetry: () => void }): JSX.Element {
  return (
    <section class="card blank">
      <h2>No model for searching yet</h2>
      <p>
        This relay keeps none that turns texts into vectors. Whoever has one can publish it for everybody:
      </p>
      <pre class="recipe code" tabIndex={0}>
        npx tabmesh model publish sentences.tmm
      </pre>
      <p>
        <button class="button button-quiet" type="button" onClick={onRetry}>
          Look again
        </button>
      </p>
    </section>
  );
}
