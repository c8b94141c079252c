import type { JSX } from "preact";
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
            <details>
              <summary>
                <Line job={job} testMoney={testMoney} />
              </summary>
              <JobReceipts job={job.job} leases={job.leases} {...{ relay, memory, testMoney }} />
              <button class="link" type="button" onClick={() => jobs.forget(job)}>
                Remove from this list
              </button>
            </details>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Line({ job, testMoney }: { readonly job: RecentJob; readonly testMoney: boolean }): JSX.Element {
  return (
    <span class="job-recent-line">
      <span class="job-file">{job.name}</span>
      <span class="hint">{recentWords(job)}</span>
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
