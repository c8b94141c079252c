import { failureKind } from "../../protocol/failure-code.ts";
import type { Failure } from "../../protocol/failure.ts";
import type { JobProgress } from "../../sdk/index.ts";
import { type FailureWords, failureWords } from "./phase-words.ts";
import { counted } from "./quantities.ts";

/** What a search is at, for a person. */
export function progressWords(progress: JobProgress | undefined): string {
  const { state = "submitting", done = 0, total = 0, providers = 0 } = progress ?? {};
  switch (state) {
    case "submitting":
      return "Joining the mesh.";
    case "finding-providers":
      return "Looking for tabs that run this model.";
    case "connecting":
      return "Connecting to a tab.";
    case "running":
      return done === 0
        ? `${counted(providers, "tab")} at work. One that has not run this model before loads it first.`
        : `${counted(providers, "tab")} at work, ${done} of ${counted(total, "part")} there.`;
    case "auditing":
      return "Results are being recomputed before they count.";
    case "settling":
    case "done":
    case "cancelled":
      return "Settling: receipts are signed and logged.";
    default:
      return state satisfies never;
  }
}

/** What happened last, as a sentence, and what helps where nobody is there. */
export function noteWords(note: string, state: JobProgress["state"]): string {
  const sentence = `${note.slice(0, 1).toUpperCase()}${note.slice(1)}.`;
  return state === "finding-providers" ? `${sentence} ${HELP}` : sentence;
}

const HELP = "Switch on Contribute in another browser or on another machine to have a tab for it.";

/** What a person who searches can do about it; the vocabulary speaks to whoever writes jobs. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  [
    "no-provider",
    "Open Contribute in another browser or on another machine and switch it on there, then try again.",
  ],
  ["insufficient-funds", "Search fewer lines at once, or earn some credits with this tab first."],
  ["unreachable", "Allow WebRTC (UDP) between the two browsers, then try again."],
  ["not-found", "Reload the page: the relay keeps other models by now."],
]);

export function searchFailureWords(failure: Failure): FailureWords {
  const words = failureWords(failure);
  return { ...words, advice: ADVICE.get(failureKind(failure.code).name) ?? words.advice };
}

/** Lines with text in them, as a person pasted them. */
export function linesOf(text: string): readonly string[] {
  return text
    .split(/\r?\n/u)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
