import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import type { RecentJob, TabMemory } from "../../provider/tab-memory.ts";
import type { Jobs } from "../state/jobs.ts";
import type { RelayLink } from "../state/relay-link.ts";
import { recentWords } from "../words/job-words.ts";
import { fullTimeText, logTimeText } from "../words/log-time.ts";
import { Amount } from "./amount.tsx";
import { JobReceipts } from "./job-receipts.tsx";

export interface JobRecentProps {
  readonly jobs: Jobs;
  readonly relay: RelayLink;
  readonly memory: TabMemory;
  readonly testMoney: boolean;
}

/** Jobs asked for in this browser; inputs and results are not kept. */
export function JobRecent({ jobs, relay, memory, testMoney }: JobRecentProps): JSX.Element | null {
  const current = jobs.work.value?.job;
  const list = jobs.recent.value.filter(({ job }) => job !== current);
  if (list.length === 0) return null;
  return (
    <section class="card" aria-labelledby="job-recent-title">
      <div class="card-head">
        <h2 id="job-recent-title">Jobs before</h2>
        <p class="hint">Kept in this browser alone, without inputs and results.</p>
      </div>
      <ul class="job-recent">
        {list.map((job) => (
          <li key={job.job}>
            <Folded
              summary={
                <Line job={job} testMoney={testMoney} isElsewhere={jobs.elsewhere.value.has(job.job)} />
              }
            >
              <JobReceipts
                job={job.job}
                leases={job.leases}
                {...{ relay, memory, testMoney }}
                onEnded={
                  jobs.elsewhere.value.has(job.job) ? undefined : (view) => void jobs.settle(job, view)
                }
              />
              <button class="link" type="button" onClick={() => jobs.forget(job)}>
                Remove from this list
              </button>
            </Folded>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What is in it is made when it is first opened. */
function Folded({
  summary,
  children,
}: {
  readonly summary: JSX.Element;
  readonly children: ComponentChildren;
}): JSX.Element {
  const isOpen = useSignal(false);
  return (
    <details onToggle={(event) => (isOpen.value = event.currentTarget.open)}>
      <summary>{summary}</summary>
      {isOpen.value && children}
    </details>
  );
}

interface LineProps {
  readonly job: RecentJob;
  readonly testMoney: boolean;
  /** Another tab carries it out. */
  readonly isElsewhere: boolean;
}

function Line({ job, testMoney, isElsewhere }: LineProps): JSX.Element {
  return (
    <span class="job-recent-line">
      <span class="job-file">{job.name}</span>
      <span class="hint">
        {isElsewhere && job.state === "running"
          ? "Under way in another tab of this browser"
          : recentWords(job)}
      </span>
      <span class="job-recent-end">
        {job.state !== "running" && <Amount value={job.spent} testMoney={testMoney} withUnit />}
        <time
          class="hint"
          dateTime={new Date(job.startedAt).toISOString()}
          title={fullTimeText(job.startedAt)}
        >
          {logTimeText(job.startedAt, Date.now())}
        </time>
      </span>
    </span>
  );
}
