import { failureKind } from "../../protocol/failure-code.ts";
import type { Failure } from "../../protocol/failure.ts";
import type { ProviderState } from "../../provider/provider-state.ts";
import { counted } from "./quantities.ts";

/** How a phase looks: at rest, on its way, ready, at work, waiting for something, or in need of the person. */
export type Tone = "rest" | "start" | "ready" | "work" | "wait" | "alarm";

export interface PhaseWords {
  readonly tone: Tone;
  readonly title: string;
  readonly sentence: string;
}

/** What happened and what to do, for a person; the detail is for whoever they ask. */
export interface FailureWords {
  readonly cause: string;
  readonly advice: string;
  readonly detail: string;
}

/** The vocabulary speaks of peers in general. A page has one in view: the relay that serves it. */
const RELAY_WORDS: ReadonlyMap<string, readonly [cause: string, advice: string]> = new Map([
  ["disconnected", ["The relay cannot be reached.", "Check your connection, then try again."]],
  ["timed-out", ["The relay did not answer in time.", "Check your connection, then try again."]],
  ["relay-fault", ["The relay failed while answering.", "Try again in a while, or ask its operator."]],
  [
    "forged-checkpoint",
    ["This is not the relay you met first, or its log was changed.", "Do not work for it; ask its operator."],
  ],
]);

/** Advice to a requester, whose task goes on elsewhere, is no use to the person whose tab had it. */
const TO_REQUESTERS = "Nothing to do: the task is given to another provider.";

export function failureWords({ code, detail }: Failure): FailureWords {
  const { name, means, advice } = failureKind(code);
  const [cause, ownAdvice] = RELAY_WORDS.get(name) ?? [means, advice];
  return { cause, advice: ownAdvice === TO_REQUESTERS ? "Try again." : ownAdvice, detail };
}

function workingSentence(state: ProviderState): string {
  return `${counted(state.running.length, "task")} under way on ${counted(state.workers, "thread")}.`;
}

/** The provider's phase in plain words. Countdowns are shown beside it, not in it: it is read aloud at each change. */
export function phaseWords(state: ProviderState): PhaseWords {
  const { phase } = state;
  switch (phase) {
    case "stopped":
      return {
        tone: "rest",
        title: "Not contributing",
        sentence: "Nothing runs here. Switch on to let this tab earn.",
      };
    case "starting":
      return { tone: "start", title: "Starting", sentence: "Loading the sandbox and joining the mesh." };
    case "waiting":
      return {
        tone: "ready",
        title: "Ready for work",
        sentence: "Connected. The next task that fits comes here.",
      };
    case "working":
      return { tone: "work", title: "Working", sentence: workingSentence(state) };
    case "paused":
      return {
        tone: "wait",
        title: "Pausing",
        sentence: "Nothing is computed now. Work goes on by itself when it may.",
      };
    case "reconnecting":
      return {
        tone: "wait",
        title: "Reconnecting",
        sentence:
          "The relay cannot be reached. This tab keeps trying, and your receipts are safe here until then.",
      };
    case "draining":
      return {
        tone: "start",
        title: "Finishing up",
        sentence: "Giving unfinished tasks back and reporting the last receipts.",
      };
    case "elsewhere":
      return {
        tone: "wait",
        title: "Another tab is contributing",
        sentence: "One tab per browser earns at a time. Close the other tab, or let it go on.",
      };
    case "failed":
      return {
        tone: "alarm",
        title: "Could not go on",
        sentence: state.failure === undefined ? "No cause was given." : failureWords(state.failure).cause,
      };
    default:
      return phase satisfies never;
  }
}
