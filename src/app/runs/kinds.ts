import type { PlanNode } from "../../plan/plan.ts";

/** What a person can put into a plan: the kinds of nodes, with models apart from functions. */
export type KindName = PlanNode["kind"] | "model";

/** A kind of step in words and as a picture. */
export interface KindWords {
  readonly label: string;
  /** One sentence: what it does. */
  readonly sentence: string;
  /** Strokes on a sheet of 20 by 20. */
  readonly icon: string;
}

export const KINDS: Readonly<Record<KindName, KindWords>> = {
  call: {
    label: "Function",
    sentence: "Runs a WebAssembly function in somebody’s tab.",
    icon: "M12.6 4.4c-2.4-.8-3.4.8-3.6 2.8L8 14c-.2 1.9-1.2 2.6-2.7 2M6.3 9h6",
  },
  model: {
    label: "Model",
    sentence: "Asks a language model, or turns texts into vectors.",
    icon: "M5 6.5 10 10l5-3.5M5 13.5 10 10l5 3.5M4.5 5.5h.01M15.5 5.5h.01M4.5 14.5h.01M15.5 14.5h.01",
  },
  effect: {
    label: "Effect",
    sentence: "Reaches outside: a fetch, a store, a chain, the time. Recorded and signed.",
    icon: "M9 5H5v10h10v-4M11 4h5v5M16 4l-6.5 6.5",
  },
  agent: {
    label: "Agent",
    sentence: "A model that picks tools until it has an answer.",
    icon: "M10 4.5v2M5.5 8.5h9v7h-9zM8.2 11.5h.01M11.8 11.5h.01M10 4h.01",
  },
  expr: {
    label: "Expression",
    sentence: "Computes a value from others, at once and for nothing.",
    icon: "M5 8h10M5 12.5h10",
  },
  map: {
    label: "For each",
    sentence: "Does its steps for every element of a list, on many tabs at a time.",
    icon: "M4.5 5.5h7M4.5 10h7M4.5 14.5h7M14 4l2 1.5L14 7M14 8.5l2 1.5-2 1.5M14 13l2 1.5-2 1.5",
  },
  reduce: {
    label: "Gather",
    sentence: "Goes through a list and carries a value along.",
    icon: "M4 5l6 5.5L16 5M10 4v12M7.5 13.5 10 16l2.5-2.5",
  },
  branch: {
    label: "Branch",
    sentence: "Goes one way or the other, by a condition.",
    icon: "M10 3.5V8L5 12v4M10 8l5 4v4",
  },
  select: {
    label: "Choose",
    sentence: "Tries several ways at once and takes the first, or those that agree.",
    icon: "M4 5h4M4 10h4M4 15h4M11 10.5l2.2 2.2L17 8",
  },
  attempt: {
    label: "Fallback",
    sentence: "Does something else where its steps fail.",
    icon: "M5 4v6a4 4 0 0 0 4 4h6M12.5 11.5 15 14l-2.5 2.5M5 4h.01",
  },
  retry: {
    label: "Retry",
    sentence: "Does its steps again where the failure may pass.",
    icon: "M15.5 10a5.5 5.5 0 1 1-1.8-4M14.5 3v3.5H11",
  },
  timeout: {
    label: "Time limit",
    sentence: "Gives its steps so long, and no longer.",
    icon: "M10 6v4.3l2.8 1.7M10 3.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13",
  },
  delay: {
    label: "Delay",
    sentence: "Passes a value on after a while.",
    icon: "M6 4h8M6 16h8M7 4c0 4 6 4 6 8v4M13 4c0 4-6 4-6 8v4",
  },
  loop: {
    label: "Loop",
    sentence: "Does its steps until their result says that it is done.",
    icon: "M6 7h6a3 3 0 0 1 0 7H6M8 5 6 7l2 2M6 14h.01",
  },
  subplan: {
    label: "Group",
    sentence: "Steps of their own, kept together under one name.",
    icon: "M4 4.5h12v11H4zM7 8h6v4.5H7z",
  },
  observe: {
    label: "Observe",
    sentence: "Signs which steps had ended, and how, at a moment.",
    icon: "M3.5 10c3-5 10-5 13 0-3 5-10 5-13 0M10 8.3a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4",
  },
  stream: {
    label: "Stream",
    sentence: "Collects values in the order in which they come.",
    icon: "M3.5 7c2-2 4.5-2 6.5 0s4.5 2 6.5 0M3.5 13c2-2 4.5-2 6.5 0s4.5 2 6.5 0",
  },
  fail: {
    label: "Stop",
    sentence: "Ends the run with a reason of your own.",
    icon: "M7 3.5h6l3.5 3.5v6L13 16.5H7L3.5 13V7zM8 8l4 4M12 8l-4 4",
  },
};

/** The kind that a person knows a node by. */
export function kindOf(node: PlanNode): KindName {
  return node.kind === "call" && node.callee.kind === "model" ? "model" : node.kind;
}
