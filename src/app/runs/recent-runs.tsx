import type { JSX } from "preact";
import type { RunState, RunSummary } from "../../protocol/run-views.ts";
import { Amount } from "../components/amount.tsx";
import { FailureNotice } from "../components/failure-notice.tsx";
import { fullTimeText, logTimeText } from "../words/log-time.ts";
import { shortCid } from "../words/short-id.ts";
import type { RunsDesk } from "./runs-desk.ts";
import { type Mark, StateMark } from "./state-mark.tsx";

export interface RecentRunsProps {
  readonly desk: RunsDesk;
  readonly testMoney: boolean;
}

const STATES: Readonly<Record<RunState, readonly [mark: Mark, words: string]>> = {
  open: ["running", "Under way"],
  done: ["done", "Done"],
  failed: ["failed", "Failed"],
  cancelled: ["skipped", "Cancelled"],
  "out-of-time": ["skipped", "Ran out of time"],
};

/** The account's runs as the relay has them in its log, whoever carries them. */
export function RecentRuns({ desk, testMoney }: RecentRunsProps): JSX.Element | null {
  const recent = desk.recent.value;
  if (recent.kind === "loading") return <p class="empty">Asking the relay for your runs…</p>;
  if (recent.kind === "failed")
    return (
      <FailureNotice
        title="Your runs could not be listed"
        failure={recent.failure}
        onRetry={() => void desk.refresh()}
      />
    );
  const runs = recent.value.filter(({ run }) => !desk.isShown(run));
  if (runs.length === 0) return null;
  return (
    <section class="card" aria-labelledby="runs-recent-title">
      <div class="card-head">
        <h2 id="runs-recent-title">Your runs</h2>
        <p class="hint">From the relay’s log. Values stay with those who made them.</p>
      </div>
      <ul class="runs-recent">
        {runs.map((run) => (
          <Line key={run.run} desk={desk} run={run} testMoney={testMoney} />
        ))}
      </ul>
    </section>
  );
}

function Line({ desk, run, testMoney }: RecentRunsProps & { readonly run: RunSummary }): JSX.Element {
  const [mark, words] = STATES[run.state];
  return (
    <li class="runs-line">
      <StateMark mark={mark} />
      <span class="runs-line-name">
        <strong>{run.name === "" ? shortCid(run.plan) : run.name}</strong>
        <span class="hint">{words}</span>
      </span>
      <span class="runs-line-end">
        <Amount value={run.spent} testMoney={testMoney} withUnit />
        <time class="hint" dateTime={new Date(run.issuedAt).toISOString()} title={fullTimeText(run.issuedAt)}>
          {logTimeText(run.issuedAt, Date.now())}
        </time>
      </span>
      <button
        class="button button-quiet button-small"
        type="button"
        disabled={desk.isRunning}
        aria-label={`${run.state === "open" ? "Continue" : "Look at"} ${run.name}`}
        onClick={() => void desk.resume(run)}
      >
        {run.state === "open" ? "Continue" : "Look at it"}
      </button>
    </li>
  );
}
