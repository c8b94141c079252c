import { failureKind } from "../../protocol/failure-code.ts";
import type { Failure } from "../../protocol/failure.ts";
import type { RecentJob } from "../../provider/tab-memory.ts";
import type { JobProgress, JobSummary } from "../../sdk/index.ts";
import { type FailureWords, failureWords } from "./phase-words.ts";
import { counted, countText } from "./quantities.ts";

/** What a job is at, for a person. */
export function jobStateWords(progress: JobProgress | undefined): string {
  const { state = "submitting", providers = 0 } = progress ?? {};
  switch (state) {
    case "submitting":
      return "Joining the mesh";
    case "finding-providers":
      return "Looking for tabs that fit";
    case "connecting":
      return "Connecting to a tab";
    case "running":
      return providers === 0 ? "Waiting for a tab" : `${counted(providers, "tab")} at work`;
    case "auditing":
      return "Results are recomputed before they count";
    case "settling":
      return "Settling: receipts are signed and logged";
    case "done":
      return "Done";
    case "cancelled":
      return "Cancelled";
    default:
      return state satisfies never;
  }
}

/** What happened last, as a sentence. */
export function eventWords(text: string): string {
  const sentence = text.replaceAll("provider", "tab");
  return `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}${/[.!?]$/u.test(sentence) ? "" : "."}`;
}

/** What a person who asks for work can do about it. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  [
    "no-provider",
    "Open Contribute in another browser or on another machine and switch it on there, then run the job again.",
  ],
  [
    "insufficient-funds",
    "Lower what is set aside, give fewer inputs or less fuel, or earn some credits with this tab first.",
  ],
  ["unreachable", "Allow WebRTC (UDP) between the browsers, or wait for tabs that can be reached."],
  ["cancelled", "Run it again whenever you like."],
  ["over-budget", "Set more aside, or give each task less work."],
  ["rate-limited", "Wait a minute, then run it again."],
]);

/** Who pays for a task that failed. */
function payWords({ code }: Failure): string {
  const { pay } = failureKind(code);
  if (pay === "fuel") return "Its fuel is paid: the function itself ended like this, and would again.";
  return pay === "start-fee" ? "It had begun, so a small fee is paid." : "Nothing is paid for it.";
}

export function jobFailureWords(failure: Failure): FailureWords {
  const words = failureWords(failure);
  return { ...words, advice: ADVICE.get(failureKind(failure.code).name) ?? words.advice };
}

/** What came of one task that failed: what happened, who pays, what to do. */
export function taskFailureWords(failure: Failure): string {
  const { means, advice } = failureKind(failure.code);
  return `${means} ${payWords(failure)} ${advice}`;
}

/** A job that has ended, in one sentence. */
export function summaryWords(summary: JobSummary): string {
  const { done, failed, reassigned, voided, agreed, disputed, copied, cancelled } = summary;
  if (cancelled)
    return summary.leases.length === 0
      ? "Cancelled before any tab took it. Nothing was spent."
      : `Cancelled after ${counted(summary.tasks, "task")}. What was not spent has come back to your account.`;
  const parts = [`${counted(done, "task")} done`];
  if (failed > 0) parts.push(`${countText(failed)} failed`);
  if (agreed !== undefined) parts.push(`${countText(agreed)} agreed on by all tabs that computed them`);
  if (disputed !== undefined && disputed > 0) parts.push(`${countText(disputed)} settled by the relay`);
  if (reassigned > 0) parts.push(`${countText(reassigned)} given to another tab`);
  if (copied > 0) parts.push(`${countText(copied)} late ones given to two tabs`);
  if (voided > 0) parts.push(`${countText(voided)} found false and computed again`);
  return `${parts.join(", ")}.`;
}

/** How a job of the list ended. */
export function recentWords({ state, tasks, done, failed, failure }: RecentJob): string {
  switch (state) {
    case "running":
      return `Not finished here: the page was closed or reloaded. What was not spent comes back when the job expires.`;
    case "cancelled":
      return `Cancelled, ${countText(done + failed)} of ${counted(tasks, "task")} served`;
    case "failed":
      return failure === undefined ? "Not carried out" : jobFailureWords(failure).cause;
    case "done":
      return failed === 0
        ? `${counted(done, "task")} done`
        : `${counted(done, "task")} done, ${countText(failed)} failed`;
    default:
      return state satisfies never;
  }
}
