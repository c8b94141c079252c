import { counted, countText } from "./quantities.ts";

/** Why some providers do not take a job, and what helps. */
export interface ReasonWords {
  readonly count: number;
  /** As in "2 tabs are busy with other work". */
  readonly sentence: string;
  readonly advice: string;
}

/** Why nobody is there, in words. */
export interface NoProviderWords {
  readonly title: string;
  readonly reasons: readonly ReasonWords[];
  readonly advice: string;
}

interface Rule {
  /** What one tab does, and what several do. */
  readonly one: string;
  readonly many: string;
  readonly advice: string;
}

const WAIT = "The page keeps asking.";

/** By the reason that the relay counts; `src/market/match-job.ts` has the list. */
const RULES: ReadonlyMap<string, Rule> = new Map([
  [
    "denied",
    {
      one: "is shut out by the relay",
      many: "are shut out by the relay",
      advice: "Their work was found false, or the relay’s operator refuses them.",
    },
  ],
  [
    "at work on it",
    {
      one: "works on this job already",
      many: "work on this job already",
      advice: "Nothing to do.",
    },
  ],
  [
    "gave it back",
    {
      one: "gave this job back a moment ago",
      many: "gave this job back a moment ago",
      advice: "It is asked again in a while.",
    },
  ],
  [
    "retiring",
    {
      one: "has asked for its bond and takes no new work",
      many: "have asked for their bonds and take no new work",
      advice: "Others have to come.",
    },
  ],
  [
    "not asked for",
    {
      one: "is none of those that were asked for",
      many: "are none of those that were asked for",
      advice: "Wait for those, or leave the choice open.",
    },
  ],
  [
    "too close to another step",
    {
      one: "may belong to the owner of another step",
      many: "may belong to the owner of another step",
      advice: "Wait for tabs of other owners.",
    },
  ],
  [
    "too close to another replica",
    {
      one: "may belong to the owner of another copy",
      many: "may belong to the owner of another copy",
      advice: "Wait for tabs of other owners, or ask for fewer tabs for each input.",
    },
  ],
  [
    "asks more",
    {
      one: "asks a higher price than this relay pays",
      many: "ask a higher price than this relay pays",
      advice: "Wait for others.",
    },
  ],
  [
    "lacks the profile",
    {
      one: "runs another version of the sandbox",
      many: "run another version of the sandbox",
      advice: "Reload the page there.",
    },
  ],
  [
    "lacks the interface",
    {
      one: "cannot run functions of this kind",
      many: "cannot run functions of this kind",
      advice: "Reload the page there to get the newest version.",
    },
  ],
  [
    "does not allow the effect",
    {
      one: "does not allow this effect: its person has not granted it",
      many: "do not allow this effect: their people have not granted it",
      advice: "Let the relay do it, or allow it in the settings of a tab of yours.",
    },
  ],
  [
    "too little memory",
    {
      one: "offers less memory than the limit asks for",
      many: "offer less memory than the limit asks for",
      advice: "Lower the memory limit in the settings of the job.",
    },
  ],
  [
    "too slow",
    {
      one: "would miss the time limit with this much fuel",
      many: "would miss the time limit with this much fuel",
      advice: "Allow more time or less fuel for a task, or give each task less work.",
    },
  ],
  [
    "unreachable",
    {
      one: "cannot be reached from other browsers",
      many: "cannot be reached from other browsers",
      advice: "Its network blocks WebRTC.",
    },
  ],
  ["busy", { one: "is busy with other work", many: "are busy with other work", advice: WAIT }],
]);

const NOBODY: NoProviderWords = {
  title: "No tab is contributing right now",
  reasons: [],
  advice:
    "Switch on Contribute in another browser or on another machine. The job waits a minute, and nothing is spent meanwhile.",
};

/**
 * Reads the relay's count, as in "3 providers: 2 busy, 1 asks more".
 * @returns undefined where it is about something else
 */
export function noProviderWords(detail: string): NoProviderWords | undefined {
  if (detail === "no provider is connected") return NOBODY;
  const few = /^(\d+) of (\d+) providers of distinct owners are here$/u.exec(detail);
  if (few !== null) return tooFew(Number(few[1]), Number(few[2]));
  const counts = /^(\d+) providers?: (.+)$/u.exec(detail);
  if (counts === null) return undefined;
  const reasons = (counts[2] ?? "").split(", ").map(reasonOf);
  if (reasons.some((reason) => reason === undefined)) return undefined;
  const total = Number(counts[1]);
  return {
    title:
      total === 1
        ? "One tab is there, but does not fit"
        : `${countText(total)} tabs are there, but none fits`,
    reasons: reasons.flatMap((reason) => reason ?? []),
    advice: "The page keeps asking for a minute, and nothing is spent meanwhile.",
  };
}

function tooFew(here: number, wanted: number): NoProviderWords {
  return {
    title: `${counted(wanted, "tab")} of different owners are needed, ${countText(here)} ${here === 1 ? "is" : "are"} here`,
    reasons: [],
    advice: "Wait for others, or ask for fewer tabs for each input.",
  };
}

function reasonOf(text: string): ReasonWords | undefined {
  const found = /^(\d+) (.+)$/u.exec(text);
  const rule = RULES.get(found?.[2] ?? "");
  if (found === null || rule === undefined) return undefined;
  const count = Number(found[1]);
  return {
    count,
    sentence: `${counted(count, "tab")} ${count === 1 ? rule.one : rule.many}`,
    advice: rule.advice,
  };
}
