import type { JobProgress } from "../../sdk/index.ts";
import { countText, creditsText, creditUnit, durationText } from "../quantities.ts";

/** What is known of a job at one moment. */
export interface JobMoment extends JobProgress {
  readonly testMoney: boolean;
  /** Since the job began, milliseconds. */
  readonly elapsedMs: number;
}

const STATES: Readonly<Record<JobProgress["state"], string>> = {
  submitting: "submitting",
  "finding-providers": "looking for providers",
  connecting: "connecting",
  running: "running",
  auditing: "waiting for audits",
  settling: "settling",
  done: "done",
  cancelled: "cancelled",
};

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;
const WIDEST_BAR = 32;
const NARROWEST_BAR = 8;

/** A bar of `width` characters, exact to an eighth of one. @param share 0 to 1. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const full = Math.floor(eighths / 8);
  const filled = `${"█".repeat(full)}${EIGHTHS[eighths % 8] ?? ""}`;
  return `▕${filled.padEnd(width)}▏`;
}

/** Tasks that have ended, of how many. */
export function ended({ done, failed, total }: JobProgress): string {
  const all = total === undefined ? "" : `/${total}`;
  return `${done + failed}${all}${failed === 0 ? "" : `, ${failed} failed`}`;
}

/** Rest of a job at its pace so far, milliseconds; undefined before anything ended. */
export function remainingMs({ state, done, failed, total, elapsedMs }: JobMoment): number | undefined {
  const count = done + failed;
  if (state !== "running" || total === undefined || count === 0 || count >= total) return undefined;
  return (elapsedMs / count) * (total - count);
}

/** The progress of a job in one line of at most `columns` characters. */
export function progressLine(moment: JobMoment, columns: number): string {
  const { done, failed, total, providers, spent, testMoney, state } = moment;
  const left = remainingMs(moment);
  const words = [
    ended(moment),
    providers > 0 || state === "running" ? countText(providers, "provider") : STATES[state],
    ...(spent > 0n ? [`${creditsText(spent)} ${creditUnit(testMoney)}`] : []),
    ...(left === undefined ? [] : [`${durationText(left)} left`]),
    ...(state === "settling" || state === "auditing" ? [STATES[state]] : []),
  ];
  const room = columns - 1;
  let text = words.join(" · ");
  while (text.length > room && words.length > 1) {
    words.pop();
    text = words.join(" · ");
  }
  const width = Math.min(WIDEST_BAR, room - text.length - 3);
  if (total === undefined || width < NARROWEST_BAR) return text.slice(0, room);
  return `${bar(total === 0 ? 1 : (done + failed) / total, width)} ${text}`;
}

/** The same as a line of a log. */
export function plainLine(moment: JobMoment): string {
  const { state, done, failed, providers, spent, testMoney } = moment;
  const isCounting = state === "running" && done + failed > 0;
  const subject = isCounting ? ended(moment) : STATES[state];
  const parts = [
    subject,
    ...(state === "running" ? [countText(providers, "provider")] : []),
    ...(spent > 0n ? [`${creditsText(spent)} ${creditUnit(testMoney)}`] : []),
  ];
  return parts.join(", ");
}
