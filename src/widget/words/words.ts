import type { GovernorReason } from "../../provider/governor/governor-view.ts";

/** Everything that frame and window say, in one language. `{…}` stand for values; see fill.ts. */
export interface Words {
  /** Of money without worth outside its relay, and of other money. */
  readonly testCredits: string;
  readonly credits: string;
  readonly splitAllSite: string;
  readonly splitBoth: string;
  readonly splitAllVisitor: string;
  readonly phases: Readonly<Record<ShownPhase, string>>;
  readonly pauses: Readonly<Record<ShownPause, string>>;
  readonly frame: FrameWords;
  readonly consent: ConsentWords;
}

/** Where the frame stands, as it is said. */
export type ShownPhase =
  | "starting"
  | "waiting"
  | "working"
  | "reconnecting"
  | "stopped"
  | "stopping"
  | "elsewhere"
  | "unable"
  | "failed";

/** Why nothing runs: what the governor says, and what the frame sees of itself. */
export type ShownPause = Exclude<GovernorReason, "hours" | "data-cap" | "busy" | "hot"> | "covered" | "small";

export interface FrameWords {
  readonly limit: string;
  readonly until: string;
  readonly contributed: string;
  readonly stop: string;
  readonly goOn: string;
  readonly withdraw: string;
  readonly running: string;
  readonly nothingRuns: string;
  readonly program: string;
  readonly sandbox: string;
  readonly share: string;
  readonly more: string;
}

export interface ConsentWords {
  readonly asks: string;
  readonly runs: string;
  readonly runsText: string;
  readonly takes: string;
  readonly takesText: string;
  readonly gets: string;
  readonly testText: string;
  readonly sees: string;
  readonly seesText: string;
  readonly long: string;
  readonly longText: string;
  readonly agree: string;
  readonly decline: string;
  readonly moment: string;
  readonly joining: string;
  readonly done: string;
  readonly agreedUntil: string;
  readonly goOn: string;
  readonly withdraw: string;
  readonly withdrawn: string;
  readonly alone: string;
  readonly silent: string;
  readonly failed: string;
  readonly unknown: string;
  readonly closed: string;
  readonly unkept: string;
  readonly claim: string;
  readonly claimText: string;
  readonly share: string;
  readonly shareText: string;
  readonly move: string;
  readonly moved: string;
  readonly app: string;
}
