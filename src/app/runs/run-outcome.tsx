import type { JSX } from "preact";
import type { NodeId } from "../../plan/plan.ts";
import { Amount } from "../components/amount.tsx";
import { TechnicalDetail } from "../components/failure-notice.tsx";
import { JobOutput } from "../components/job-output.tsx";
import { Notice } from "../components/notice.tsx";
import { sentence } from "../editor/connections.ts";
import { findNode } from "../editor/find-node.ts";
import { printable, suffixOf } from "../state/jobs-output.ts";
import { saveFile } from "../state/save-file.ts";
import { durationText } from "../words/durations.ts";
import { bytesText } from "../words/model-words.ts";
import { failureWords } from "../words/phase-words.ts";
import { shortCid, shortPeer } from "../words/short-id.ts";
import { noteWords } from "./note-words.ts";
import type { PlanWork } from "./plan-work.ts";

interface FailedProps {
  readonly work: PlanWork;
  readonly testMoney: boolean;
  readonly onGo: (id: NodeId) => void;
}

/** Which node, at whom, why, what was paid, and what to do. */
export function Failed({ work, testMoney, onGo }: FailedProps): JSX.Element | null {
  const phase = work.phase.value;
  if (phase.kind !== "failed") return null;
  const { failure, run } = phase;
  if (work.isCancelled.value)
    return (
      <Notice tone="wait" title="You cancelled it">
        <p>What was worked until then is paid. The rest of the budget is yours again.</p>
      </Notice>
    );
  const { cause, advice } = failureWords(failure);
  const isOnPurpose = run !== undefined && findNode(work.plan, run.node)?.node.kind === "fail";
  return (
    <Notice tone="alarm" title="The run did not come to a result">
      {run === undefined ? (
        <p>{`${cause} ${advice}`}</p>
      ) : (
        <>
          {isOnPurpose ? (
            <p>The plan ends here on purpose, and says why:</p>
          ) : (
            <p>{`${cause} ${run.advice}`}</p>
          )}
          {run.detail !== "" && <p class="run-said">{sentence(printable(run.detail))}</p>}
          <dl class="facts">
            {run.node !== "" && (
              <div>
                <dt>Step</dt>
                <dd>
                  <button class="link" type="button" onClick={() => onGo(run.node)}>
                    {run.node}
                  </button>
                  {run.iteration !== "" && <span>{`turn ${run.iteration}`}</span>}
                </dd>
              </div>
            )}
            {run.peer !== undefined && (
              <div>
                <dt>At</dt>
                <dd class="code">{shortPeer(run.peer)}</dd>
              </div>
            )}
            <div>
              <dt>Paid until then</dt>
              <dd>
                <Amount value={run.paid} testMoney={testMoney} withUnit />
              </dd>
            </div>
          </dl>
        </>
      )}
      <TechnicalDetail failure={failure} />
    </Notice>
  );
}

const SHOWN_NOTES = 30;

/** What happened on the way, the newest first. */
export function Notes({ work }: { readonly work: PlanWork }): JSX.Element | null {
  const notes = work.notes.value;
  if (notes.length === 0) return null;
  return (
    <details class="technical">
      <summary>What happened</summary>
      <ul class="run-notes">
        {notes
          .slice(-SHOWN_NOTES)
          .toReversed()
          .map(({ at, text }) => (
            <li key={`${at} ${text}`}>
              <span class="hint">{durationText(at)}</span> {noteWords(text)}
            </li>
          ))}
      </ul>
    </details>
  );
}

/** What the run came to. */
export function Result({ work }: { readonly work: PlanWork }): JSX.Element | null {
  const phase = work.phase.value;
  if (phase.kind !== "done") return null;
  const { bytes, cid } = phase.result;
  return (
    <section class="card" aria-labelledby="run-result-title">
      <div class="card-head">
        <h2 id="run-result-title">Result</h2>
        <button
          class="button button-quiet button-small"
          type="button"
          onClick={() =>
            saveFile(`${work.plan.name}-result${suffixOf(bytes)}`, new Blob([new Uint8Array(bytes)]))
          }
        >
          Save the result
        </button>
      </div>
      <JobOutput output={bytes} label={`Result of ${work.plan.name}`} />
      <p class="hint">
        {`${bytesText(bytes.length)}, `}
        <span class="code" title={cid}>
          {shortCid(cid)}
        </span>
      </p>
    </section>
  );
}
