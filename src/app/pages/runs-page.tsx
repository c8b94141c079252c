// oxlint-disable-next-line import/no-unassigned-import -- what outputs look like
import "../styles/jobs.css";
// oxlint-disable-next-line import/no-unassigned-import -- the rules of this page
import "../styles/runs.css";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { LazyPart } from "../components/lazy-part.tsx";
import { RecentRuns } from "../runs/recent-runs.tsx";
import { runsDeskOf } from "../runs/runs-desk.ts";
import { RecordCheck } from "../runs/run-proof.tsx";
import { RunView } from "../runs/run-view.tsx";
import { StartForm } from "../runs/start-form.tsx";
import type { Able, AppState } from "../state/app-state.ts";
import { valueOf } from "../state/loadable.ts";
import type { PageProps } from "./page-gate.tsx";

const loadEditor = async (): Promise<typeof import("../editor/editor.tsx").Editor> =>
  (await import("../editor/editor.tsx")).Editor;

/** Plans: drawn, run on other people's tabs, watched, and proven. */
export function RunsPage({ state }: PageProps): JSX.Element {
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>Runs</h1>
        <p class="lede">
          Functions, models and effects put together into a plan. Its steps run in many tabs, data goes
          straight from one to the next, and each step is signed.
        </p>
      </div>
      {state.able !== undefined && <AblePage state={state} able={state.able} />}
    </>
  );
}

function AblePage({ state, able }: { readonly state: AppState; readonly able: Able }): JSX.Element {
  const desk = runsDeskOf(state, able);
  useEffect(() => {
    void desk.refresh();
    void able.account.refresh();
    return () => desk.rest();
  }, [desk]);
  const view = desk.view.value;
  const before = useRef(view);
  useEffect(() => {
    // The way back is a way to the top of the page.
    if (before.current !== view && view === "start") document.querySelector("h1")?.focus();
    before.current = view;
  }, [view]);
  const info = valueOf(state.relay.info.value);
  const testMoney = state.testMoney.value;
  const work = desk.work.value;
  const available = able.account.view.value?.available;
  return (
    <>
      {view === "editor" && (
        <>
          <p>
            <button class="link" type="button" onClick={() => (desk.view.value = "start")}>
              Back to the run
            </button>
          </p>
          <LazyPart
            load={loadEditor}
            show={(Editor) => (
              <Editor
                draft={desk.draft}
                models={desk.models.value}
                info={info}
                testMoney={testMoney}
                onUse={() => (desk.view.value = "start")}
              />
            )}
          />
        </>
      )}
      {view === "run" && work !== undefined && <RunView desk={desk} work={work} testMoney={testMoney} />}
      {view === "start" && <StartForm desk={desk} info={info} available={available} testMoney={testMoney} />}
      {view !== "editor" && <RecentRuns desk={desk} testMoney={testMoney} />}
      {view === "start" && desk.recent.value.kind !== "loading" && <RecordCheck />}
    </>
  );
}
