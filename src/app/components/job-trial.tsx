import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { DryRun, JobDraft } from "../state/jobs-draft.ts";
import { valueOf } from "../state/loadable.ts";
import { logOf } from "../state/jobs-trial.ts";
import { tookText } from "../words/function-words.ts";
import { taskFailureWords } from "../words/job-words.ts";
import { bytesText } from "../words/model-words.ts";
import { scaledText } from "../words/quantities.ts";
import { FailureNotice } from "./failure-notice.tsx";
import { Log } from "./job-log.tsx";
import { JobOutput } from "./job-output.tsx";
import { Notice } from "./notice.tsx";

/** Third step: one input in this tab, in the sandbox that providers have. */
export function JobTrial({ draft }: { readonly draft: JobDraft }): JSX.Element {
  const at = useSignal<number | undefined>(undefined);
  const list = draft.inputs();
  const inputs = list.kind === "ready" ? list.inputs : [];
  const run = draft.dryRun.value;
  const isRunning = run?.kind === "running";
  const canRun = draft.chosen.value?.inspection.kind === "ready" && inputs.length > 0;
  // The first tile of a picture is mostly sky; its middle says more.
  const usual = draft.chosen.value?.isPicture === true ? Math.floor(inputs.length / 2) + 1 : 1;
  const index = Math.min(Math.max(at.value ?? usual, 1), Math.max(inputs.length, 1)) - 1;
  return (
    <section class="card job-step" aria-labelledby="job-trial-title">
      <h2 id="job-trial-title">
        <span class="job-number">3</span>Dry run
      </h2>
      <p class="hint">
        Runs inputs here, in this tab’s own sandbox: no other tab, no money. Their fuel makes the price known.
      </p>
      <div class="job-try">
        {isRunning ? (
          <button class="button button-quiet" type="button" onClick={() => draft.stopTrying()}>
            Stop
          </button>
        ) : (
          <button
            class="button button-quiet"
            type="button"
            disabled={!canRun}
            onClick={() => void draft.tryHere(index)}
          >
            {run === undefined ? "Try it here" : "Try again"}
          </button>
        )}
        {inputs.length > 1 && (
          <label class="job-inline">
            with input
            <input
              type="number"
              min={1}
              max={inputs.length}
              value={index + 1}
              disabled={isRunning}
              onChange={(event) => (at.value = event.currentTarget.valueAsNumber || undefined)}
            />
            <span class="hint">{inputs[index]?.name}</span>
          </label>
        )}
      </div>
      <div role="status">{run !== undefined && <Trial run={run} draft={draft} />}</div>
    </section>
  );
}

function Trial({ run, draft }: { readonly run: DryRun; readonly draft: JobDraft }): JSX.Element {
  if (run.kind === "running") return <p class="empty">{`Running ${run.inputName} here…`}</p>;
  if (run.kind === "failed")
    return <FailureNotice title="The dry run was not possible" failure={run.failure} />;
  return <Ended run={run} draft={draft} />;
}

function Ended({
  run,
  draft,
}: {
  readonly run: Extract<DryRun, { kind: "ended" }>;
  readonly draft: JobDraft;
}): JSX.Element {
  const { result, tookMs, index } = run;
  const plan = draft.chosen.value?.isPicture === true ? valueOf(draft.plan.value) : undefined;
  const tile = plan?.tile(index);
  const log = logOf(result);
  return (
    <div class="job-ended">
      {result.kind === "failed" ? (
        <Notice tone="alarm" title={`${run.inputName} failed`}>
          <p>{taskFailureWords(result)}</p>
          <p class="code">{result.detail}</p>
          {result.stack !== undefined && result.stack.length > 0 && (
            <pre class="job-text" tabIndex={0} aria-label="Where it failed">
              {result.stack.join("\n")}
            </pre>
          )}
        </Notice>
      ) : (
        <JobOutput
          output={result.output}
          label={`Output of ${run.inputName}`}
          {...(tile === undefined ? {} : { tile })}
        />
      )}
      <dl class="facts">
        <Fact name="Fuel">{scaledText(Number(result.fuel))}</Fact>
        <Fact name="Time here">{tookText(tookMs)}</Fact>
        {result.kind === "done" && <Fact name="Output">{bytesText(result.output.length)}</Fact>}
        {result.peakMemoryBytes !== undefined && (
          <Fact name="Memory">{bytesText(result.peakMemoryBytes)}</Fact>
        )}
      </dl>
      {log !== "" && <Log text={log} />}
    </div>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
