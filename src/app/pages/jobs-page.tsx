// oxlint-disable-next-line import/no-unassigned-import -- the rules of this page
import "../styles/jobs.css";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { JobForm } from "../components/job-form.tsx";
import { JobRecent } from "../components/job-recent.tsx";
import { JobRun } from "../components/job-run.tsx";
import type { Able, AppState } from "../state/app-state.ts";
import { jobsOf } from "../state/jobs.ts";
import type { PageProps } from "./page-gate.tsx";

export function JobsPage({ state }: PageProps): JSX.Element {
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>Jobs</h1>
        <p class="lede">Run a function on other people’s tabs, watch it work, and keep its receipts.</p>
      </div>
      {state.able !== undefined && <AblePage state={state} able={state.able} />}
    </>
  );
}

function AblePage({ state, able }: { readonly state: AppState; readonly able: Able }): JSX.Element {
  const jobs = jobsOf(state, able);
  useEffect(() => {
    void jobs.recall();
    return () => jobs.rest();
  }, [jobs]);
  const { relay } = state;
  const { memory } = able;
  const testMoney = state.testMoney.value;
  const work = jobs.work.value;
  const hadWork = useRef(work !== undefined);
  useEffect(() => {
    // The way back to the draft is a way to the top of the page.
    if (work === undefined && hadWork.current) document.querySelector("h1")?.focus();
    hadWork.current = work !== undefined;
  }, [work]);
  return (
    <>
      {work === undefined ? (
        <JobForm jobs={jobs} testMoney={testMoney} available={able.account.view.value?.available} />
      ) : (
        <JobRun jobs={jobs} work={work} relay={relay} memory={memory} testMoney={testMoney} />
      )}
      <JobRecent {...{ jobs, relay, memory, testMoney }} />
    </>
  );
}
