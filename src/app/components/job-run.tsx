import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { TabMemory } from "../../provider/tab-memory.ts";
import type { Jobs } from "../state/jobs.ts";
import { type JobWork, paidLeases } from "../state/jobs-work.ts";
import type { RelayLink } from "../state/relay-link.ts";
import { useNow } from "../state/now.ts";
import { durationText } from "../words/durations.ts";
import { tookText } from "../words/function-words.ts";
import { eventWords, jobFailureWords, jobStateWords, paceWords, summaryWords } from "../words/job-words.ts";
import { noProviderWords } from "../words/no-provider-words.ts";
import { countText } from "../words/quantities.ts";
import { Amount } from "./amount.tsx";
import { TechnicalDetail } from "./failure-notice.tsx";
import { JobPicture } from "./job-picture.tsx";
import { JobReceipts } from "./job-receipts.tsx";
import { JobTasks } from "./job-tasks.tsx";
import { NoProvider } from "./no-provider.tsx";
import { Notice } from "./notice.tsx";

export interface JobRunProps {
  readonly jobs: Jobs;
  readonly work: JobWork;
  readonly relay: RelayLink;
  readonly memory: TabMemory;
  readonly testMoney: boolean;
}

/** A job under way, or what became of it. */
export function JobRun({ jobs, work, relay, memory, testMoney }: JobRunProps): JSX.Element {
  const phase = work.phase.value;
  const isRunning = phase.kind === "running";
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), [work]);
  return (
    <>
      <section class="card job-run" aria-labelledby="job-run-title">
        <div class="card-head">
          <h2 id="job-run-title" tabIndex={-1} ref={title}>
            {work.order.name}
          </h2>
          {isRunning ? (
            <button
              class="button button-quiet"
              type="button"
              disabled={work.isCancelled}
              onClick={() => work.cancel()}
            >
              Cancel
            </button>
          ) : (
            <button class="button" type="button" onClick={() => jobs.leaveWork()}>
              New job
            </button>
          )}
        </div>
        <Bar work={work} />
        <Figures work={work} testMoney={testMoney} />
        <div role="status">
          <WhyNobody work={work} />
        </div>
        {phase.kind === "failed" && <Failed work={work} />}
        {phase.kind === "ended" && <p class="job-summary">{summaryWords(phase.summary)}</p>}
        <JobPicture work={work} />
        <Events work={work} />
      </section>
      <JobTasks work={work} />
      {phase.kind === "ended" && paidLeases(phase.summary).length > 0 && (
        <section class="card" aria-labelledby="job-receipts-title">
          <h2 id="job-receipts-title">Receipts</h2>
          <JobReceipts
            job={phase.summary.job}
            leases={paidLeases(phase.summary)}
            {...{ relay, memory, testMoney }}
          />
        </section>
      )}
    </>
  );
}

function Bar({ work }: { readonly work: JobWork }): JSX.Element {
  const progress = work.progress.value;
  const phase = work.phase.value;
  const total = work.order.inputs.length;
  const served = (progress?.done ?? 0) + (progress?.failed ?? 0);
  const isSure = served > 0 || phase.kind !== "running";
  const words =
    phase.kind === "failed"
      ? "Not carried out"
      : work.isCancelled && phase.kind === "running"
        ? "Cancelling at the tabs"
        : jobStateWords(progress);
  const isRunning = phase.kind === "running";
  // Read, so that it is told anew each second.
  void useNow(isRunning).value;
  const pace = isRunning ? paceWords(served, total, work.elapsedMs()) : undefined;
  return (
    <div class="job-bar">
      <progress aria-label="Job" {...(isSure ? { value: served / Math.max(total, 1) } : {})} />
      <p role="status">{words}</p>
      {pace !== undefined && <p class="hint">{pace}</p>}
    </div>
  );
}

const MINUTE_MS = 60_000;

function Figures({ work, testMoney }: { readonly work: JobWork; readonly testMoney: boolean }): JSX.Element {
  const progress = work.progress.value;
  const phase = work.phase.value;
  // Read, so that the seconds go on between two changes.
  void useNow(phase.kind === "running").value;
  const spent = phase.kind === "ended" ? phase.summary.spent : progress?.spent;
  return (
    <dl class="job-figures">
      <div>
        <dt>Done</dt>
        <dd>
          {countText(progress?.done ?? 0)}
          <span class="hint">{` of ${countText(work.order.inputs.length)}`}</span>
        </dd>
      </div>
      <div>
        <dt>Failed</dt>
        <dd>{countText(progress?.failed ?? 0)}</dd>
      </div>
      <div>
        <dt>Time</dt>
        <dd>{elapsedText(work.elapsedMs(), phase.kind === "running")}</dd>
      </div>
      <div>
        <dt>Spent</dt>
        <dd>{spent === undefined ? "0" : <Amount value={spent} testMoney={testMoney} />}</dd>
      </div>
    </dl>
  );
}

/** Counted in seconds while it runs, exact afterwards. */
function elapsedText(ms: number, isRunning: boolean): string {
  return isRunning || ms >= MINUTE_MS ? durationText(ms) : tookText(ms);
}

/** While nobody is there: why, counted by the relay. */
function WhyNobody({ work }: { readonly work: JobWork }): JSX.Element | null {
  const progress = work.progress.value;
  const isLooking =
    work.phase.value.kind === "running" && progress?.providers === 0 && progress.state !== "settling";
  const newest = work.events.value.findLast(({ text }) => noProviderWords(text) !== undefined);
  const words = newest === undefined ? undefined : noProviderWords(newest.text);
  return isLooking && words !== undefined ? <NoProvider words={words} /> : null;
}

function Failed({ work }: { readonly work: JobWork }): JSX.Element | null {
  const phase = work.phase.value;
  if (phase.kind !== "failed") return null;
  const { failure } = phase;
  const { cause, advice } = jobFailureWords(failure);
  const why = noProviderWords(failure.detail);
  return (
    <Notice tone="alarm" title={work.isCancelled ? "Cancelled" : "The job was not carried out"}>
      <p>{`${cause} ${advice}`}</p>
      {why !== undefined && <NoProvider words={why} isPlain />}
      <TechnicalDetail failure={failure} />
    </Notice>
  );
}

/** Events that are shown, the newest first. */
const SHOWN_EVENTS = 30;

function Events({ work }: { readonly work: JobWork }): JSX.Element | null {
  const events = work.events.value.filter(({ text }) => noProviderWords(text) === undefined);
  if (events.length === 0) return null;
  return (
    <details class="technical">
      <summary>What happened</summary>
      <ul class="job-events">
        {events
          .slice(-SHOWN_EVENTS)
          .toReversed()
          .map(({ at, text }) => (
            <li key={`${at} ${text}`}>
              <span class="hint">{durationText(at)}</span> {eventWords(text)}
            </li>
          ))}
      </ul>
    </details>
  );
}
