import { failureKind } from "../../protocol/failure-code.ts";
import type { Failure } from "../../protocol/failure.ts";
import type { JobView } from "../../protocol/relay-api.ts";
import type { RecentJob } from "../../provider/tab-memory.ts";
import type { JobProgress, JobSummary } from "../../sdk/index.ts";
import { durationText } from "./durations.ts";
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
      return `${providers === 0 ? "Waiting for a tab" : `${counted(providers, "tab")} at work`}${movedWords(progress)}`;
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

function movedWords(progress: JobProgress | undefined): string {
  const moved = progress?.reassigned ?? 0;
  return moved === 0 ? "" : `, ${counted(moved, "task")} given to another one`;
}

/** What is left, at the pace so far; nothing before that is known. @param elapsedMs since the start */
export function paceWords(served: number, total: number, elapsedMs: number): string | undefined {
  if (served < LEAST_SERVED || served >= total || elapsedMs < LEAST_PACE_MS) return undefined;
  const leftMs = (elapsedMs / served) * (total - served);
  return `About ${durationText(Math.max(leftMs, 1_000))} left at the pace so far.`;
}

/** Before that a pace says little. */
const LEAST_SERVED = 3;
const LEAST_PACE_MS = 3_000;

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
      return "Not finished: its page was closed or reloaded. Open this line to take back what is left.";
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

/** How a job stands at its relay. */
export function jobViewWords({ state }: Pick<JobView, "state">): string {
  switch (state) {
    case "open":
      return "The relay still keeps money aside for it.";
    case "closing":
      return "It is closed. What is left comes back when its last receipts are settled.";
    case "closed":
      return "It is closed and settled.";
    default:
      return state satisfies never;
  }
}

/** How far its results have been recomputed. */
export function auditWords({ leases }: Pick<JobView, "leases">): string {
  const sum = (of: (lease: JobView["leases"][number]) => number): number =>
    leases.reduce((total, lease) => total + of(lease), 0);
  const [drawn, judged] = [sum(({ drawn: each }) => each), sum(({ judged: each }) => each)];
  const isFalse = leases.some(({ forfeited }) => forfeited > 0n);
  const begun =
    drawn === 0
      ? "None of its results has been drawn to be recomputed so far."
      : `${counted(drawn, "result")} ${drawn === 1 ? "was" : "were"} drawn to be recomputed, ${countText(judged)} of them ${judged === 1 ? "is" : "are"} judged.`;
  return isFalse ? `${begun} A tab’s work was found false, and its price has come back.` : begun;
}
