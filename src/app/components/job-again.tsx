import type { JSX } from "preact";
import { logOf } from "../state/jobs-trial.ts";
import type { JobWork, Recomputed } from "../state/jobs-work.ts";
import { tookText } from "../words/function-words.ts";
import { Log } from "./job-log.tsx";

/**
 * A task's log. No log travels from a stranger's tab: the same function on the same input writes the same, so it is
 * computed again here, and that it is the same is seen at once.
 */
export function JobAgain({ work, index }: { readonly work: JobWork; readonly index: number }): JSX.Element {
  const state = work.recomputed.value.get(index);
  return (
    <div class="job-again">
      {state?.kind !== "ended" && (
        <button
          class="link"
          type="button"
          disabled={state?.kind === "running"}
          onClick={() => void work.recompute(index)}
        >
          {state?.kind === "running" ? "Computing it again here…" : "Check it here and show its log"}
        </button>
      )}
      <div role="status">{state !== undefined && <Outcome state={state} />}</div>
    </div>
  );
}

function Outcome({ state }: { readonly state: Recomputed }): JSX.Element | null {
  if (state.kind === "running") return null;
  if (state.kind === "failed")
    return <p class="hint hint-alarm">{`It could not be run here: ${state.detail}.`}</p>;
  const { same, result, tookMs } = state;
  const log = logOf(result);
  return (
    <>
      <p class="job-verdict">
        <span class={same ? "chip chip-good" : "chip chip-bad"}>
          {same ? "The same here" : "Not the same"}
        </span>
        <span>
          {same
            ? `This tab computed it again in ${tookText(tookMs)}: the same end to the bit, for the same fuel.`
            : notSameWords(result)}
        </span>
      </p>
      {log === "" ? <p class="hint">It wrote nothing to its log.</p> : <Log text={log} />}
    </>
  );
}

/** A limit of this machine is no word against anybody. */
function notSameWords(result: Extract<Recomputed, { kind: "ended" }>["result"]): string {
  const isHere = result.kind === "failed" && (result.code < 20_000 || result.code === 30_011);
  return isHere
    ? `This tab could not finish it (${result.detail}), so nothing is known.`
    : "This tab came to something else. An audit by the relay decides who is right; keep this job’s receipts.";
}
