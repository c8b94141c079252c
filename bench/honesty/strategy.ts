import type { Lots } from "./lots.ts";

/**
 * What becomes of one task. `work`: computed; `lie`: made up at no cost; `fail`: said to have burnt all its fuel, at no
 * cost; `copy`: what another replica says, at no cost; `miss`: computed, but too late to be paid.
 */
export type Deed = "work" | "lie" | "fail" | "copy" | "miss";

/** What somebody knows of its own situation when it decides. */
export interface Situation {
  /** Tasks that this identity has answered. */
  readonly age: number;
  /** Tasks of strangers among them. */
  readonly forStrangers: number;
  readonly lots: Lots;
  /** Whether its answer is certain to be recomputed: the rates are public. */
  readonly isWatched: boolean;
}

/** How the dishonest ones of a run behave. What is left out they do as honest ones do. */
export interface Strategy {
  readonly name: string;
  readonly means: string;
  /** Share of answers that are false, where that is what it is about. */
  readonly share?: number;
  deed(situation: Situation): Deed;
  /** Whether it begins anew under another name when it is barred; true unless it says otherwise. */
  readonly restarts?: boolean;
  /** Whether it opens a drawn leaf that it knows to be false. */
  readonly opensLies?: boolean;
  /** Part of the second providers that audit and are with it: they say what it said, and slander others. */
  readonly auditors?: number;
  /** Every task is asked of two providers. */
  readonly replicas?: boolean;
  /** Threads it says it has, of which it has one. */
  readonly threads?: number;
  /** Tasks of its own requesters, that cost nothing to compute, until an identity turns to strangers. */
  readonly washes?: number;
  /** Tasks that it answers of a stranger's lease before it gives that back. */
  readonly hits?: number;
  /** An identity retires after so many tasks of strangers, and another one takes its place. */
  readonly retiresAfter?: number;
  /** Chance that a lease is dropped before anything was done. */
  readonly drops?: number;
  /** Whether the second half of a lease stays without a countersigned receipt. */
  readonly hidesTail?: boolean;
  /** Its own requester asks two providers for everything and countersigns one: the other brings a dispute. */
  readonly hedges?: boolean;
}

/** Nobody in its right mind lies where that is certain to be seen. */
function cheats(share: number): (situation: Situation) => Deed {
  return ({ lots, isWatched }) => (!isWatched && lots.isHit(share) ? "lie" : "work");
}

const always = (): Deed => "work";

/** Shares of false answers, in per cent. */
const SHARES = [1, 2, 5, 10, 20, 50, 100] as const;

/** Nobody cheats: what the others are measured by. */
export const HONEST: Strategy = { name: "honest", means: "computes everything", deed: always };

export const STRATEGIES: readonly Strategy[] = [
  ...SHARES.map((percent): Strategy => ({
    name: percent === 100 ? "always-cheat" : `cheat-${percent}`,
    means: `${percent} % of the answers that are not certain to be recomputed are made up; barred, it begins anew`,
    share: percent / 100,
    deed: cheats(percent / 100),
  })),
  {
    name: "cheat-20-once",
    means: "20 % of its answers are made up; barred, it stays away",
    share: 0.2,
    deed: cheats(0.2),
    restarts: false,
  },
  {
    name: "blind-cheat",
    means: "everything is made up, seen or not",
    deed: () => "lie",
  },
  {
    name: "honest-then-cheat",
    means: "honest for 250 tasks, then everything is made up",
    share: 1,
    deed: ({ age, isWatched }) => (age < 250 || isWatched ? "work" : "lie"),
  },
  {
    name: "fresh-identities",
    means: "twelve honest tasks, then everything is made up, seen or not; a new identity after every bar",
    share: 1,
    deed: ({ age }) => (age < 12 ? "work" : "lie"),
  },
  {
    name: "copy-replica",
    means: "asked with another for the same task, it shows the other's result as its own",
    share: 1,
    replicas: true,
    deed: () => "copy",
  },
  {
    name: "collude-auditors",
    means: "20 % made up; a third of the providers that audit says what it said, and slanders others",
    share: 0.2,
    deed: cheats(0.2),
    auditors: 1 / 3,
  },
  {
    name: "withhold-openings-5",
    means: "5 % made up; a drawn leaf that is false is never opened",
    share: 0.05,
    deed: cheats(0.05),
    opensLies: false,
  },
  {
    name: "withhold-openings",
    means: "20 % made up; a drawn leaf that is false is never opened",
    share: 0.2,
    deed: cheats(0.2),
    opensLies: false,
  },
  {
    name: "sandbag-capability",
    means: "says it has four threads and has one: three of four tasks come too late",
    deed: ({ lots }) => (lots.isHit(0.75) ? "miss" : "work"),
    threads: 4,
  },
  {
    name: "washing",
    means: "its own requesters make it known; then it makes up three answers for a stranger and retires",
    share: 1,
    deed: cheats(1),
    washes: 250,
    hits: 3,
    retiresAfter: 3,
  },
  {
    name: "washing-20",
    means: "its own requesters make it known; then 20 % of its answers for strangers are made up",
    share: 0.2,
    deed: cheats(0.2),
    washes: 250,
  },
  {
    name: "unreported-windows",
    means: "makes up the second half of each lease, and is gone before a receipt over it is countersigned",
    share: 0.5,
    deed: always,
    hidesTail: true,
  },
  {
    name: "failure-farming",
    means: "20 % of its tasks are said to have burnt all their fuel",
    share: 0.2,
    deed: ({ lots, isWatched }) => (!isWatched && lots.isHit(0.2) ? "fail" : "work"),
  },
  {
    name: "drop-farming",
    means: "drops every other lease before it has done anything",
    deed: always,
    drops: 0.5,
  },
  {
    name: "hedging",
    means: "a requester that asks two providers for everything and countersigns one of them",
    deed: always,
    hedges: true,
  },
];

export function strategyNamed(name: string): Strategy | undefined {
  return [HONEST, ...STRATEGIES].find((strategy) => strategy.name === name);
}
