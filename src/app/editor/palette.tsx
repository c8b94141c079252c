import type { JSX } from "preact";
import type { PublishedModel } from "../../protocol/relay-api.ts";
import { type KindName, KINDS } from "../runs/kinds.ts";
import { blankNode } from "./blank-nodes.ts";
import { modelCallee } from "./callee-fields.tsx";
import { calleeOf } from "./functions-on-hand.ts";
import type { PlanDraft } from "./plan-draft.ts";

export interface PaletteProps {
  readonly draft: PlanDraft;
  readonly models: readonly PublishedModel[];
  /** Told the new step. */
  readonly onAdded: (id: string) => void;
}

/** What most plans are made of, and the rest. */
const OFTEN: readonly KindName[] = ["call", "model", "expr", "map", "branch", "effect"];
const SELDOM: readonly KindName[] = [
  "reduce",
  "loop",
  "select",
  "attempt",
  "retry",
  "timeout",
  "delay",
  "agent",
  "subplan",
  "observe",
  "stream",
  "fail",
];

/** Steps to choose from. */
export function Palette({ draft, models, onAdded }: PaletteProps): JSX.Element {
  const add = async (kind: KindName): Promise<void> => {
    const callee = await firstCallee(draft, models, kind);
    if (callee === undefined) {
      draft.say(whyNone(kind), true);
      return;
    }
    onAdded(draft.add(kind, blankNode(kind, callee)));
  };
  const button = (kind: KindName): JSX.Element => (
    <button
      key={kind}
      class="palette-item"
      type="button"
      title={KINDS[kind].sentence}
      onClick={() => void add(kind)}
    >
      <svg class="graph-icon" width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
        <path d={KINDS[kind].icon} />
      </svg>
      {KINDS[kind].label}
    </button>
  );
  return (
    <div class="palette" role="group" aria-label="Add a step">
      {OFTEN.map(button)}
      <details class="palette-more">
        <summary class="palette-item">More</summary>
        <div class="palette-rest">{SELDOM.map(button)}</div>
      </details>
    </div>
  );
}

/** What a new step calls until somebody chooses. */
async function firstCallee(
  { functions }: PlanDraft,
  models: readonly PublishedModel[],
  kind: KindName,
): Promise<ReturnType<typeof calleeOf> | undefined> {
  const generating = models.find(({ entry }) => entry === "generate");
  if (kind === "model" || (kind === "agent" && generating !== undefined)) {
    const model = generating ?? models[0];
    return model === undefined ? undefined : modelCallee(model);
  }
  try {
    await functions.bring();
  } catch {
    return undefined;
  }
  const [first] = functions.list.value;
  return first === undefined ? undefined : calleeOf(first);
}

function whyNone(kind: KindName): string {
  return kind === "model"
    ? "This relay keeps no model yet. Publish one with “npx tabmesh model publish”, or add a function."
    : "The functions of this page could not be loaded. Check your connection and try again.";
}
