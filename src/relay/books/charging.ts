import { decodeEntry } from "../../protocol/messages/entry.ts";
import { microCredits } from "../../protocol/units.ts";
import { periodOf } from "./api-key-rules.ts";
import type { Draft } from "./draft.ts";
import type { JobState } from "./standing.ts";

/**
 * What a job paid for under an api-key sets aside counts for the key, in the period the job was opened in; what a job of a run
 * sets aside counts for the run. Call before the draft has the job as it is to be.
 */
export function charge(draft: Draft, job: JobState): void {
  const run = job.terms.run === undefined ? undefined : draft.runs.run(job.terms.run.id);
  const apiKey = run?.terms.apiKey ?? job.terms.apiKey;
  if (run === undefined && apiKey === undefined) return;
  const changed = (draft.job(job.id)?.refunded ?? job.terms.cap) - job.refunded;
  if (changed === 0n) return;
  if (run !== undefined) draft.changeRuns().setRun({ ...run, charged: microCredits(run.charged + changed) });
  const key = apiKey === undefined ? undefined : draft.apiKey(apiKey);
  if (key === undefined) return;
  const opened = draft.entry(job.escrowIndex);
  const period = periodOf(key.terms, opened === undefined ? draft.time : decodeEntry(opened).time);
  draft.spend({ apiKey: key.id, period, amount: draft.spending(key.id, period) + changed });
}
