import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { boundsOf, type PlanBounds as Bounds } from "../../plan/bounds.ts";
import type { Plan } from "../../plan/plan.ts";
import type { RelayInfo } from "../../protocol/relay-api.ts";
import { Amount } from "../components/amount.tsx";
import { countText, scaledText } from "../words/quantities.ts";
import type { PlanDraft } from "./plan-draft.ts";

/** What a plan takes at most, at a relay's tariff. */
export function planBounds(plan: Plan, info: RelayInfo | undefined): Bounds | undefined {
  return info === undefined ? undefined : boundsOf(plan, { tariff: info.tariff });
}

export interface PlanBoundsProps {
  readonly draft: PlanDraft;
  readonly info: RelayInfo | undefined;
  readonly testMoney: boolean;
}

/** The most that a run of the plan takes, known before anything starts; moves with every edit. */
export function PlanBounds({ draft, info, testMoney }: PlanBoundsProps): JSX.Element {
  const { plan } = draft;
  const bounds = useMemo(() => planBounds(plan, info), [plan, info]);
  const own = draft.selected.value === undefined ? undefined : bounds?.perNode.get(draft.selected.value);
  return (
    <div class="plan-bounds">
      <dl class="plan-figures" aria-label="The most that a run takes">
        <div>
          <dt>Steps at most</dt>
          <dd>{bounds === undefined ? "–" : stepsText(bounds.steps)}</dd>
        </div>
        <div>
          <dt>Fuel at most</dt>
          <dd>{bounds === undefined ? "–" : scaledText(Number(bounds.fuel))}</dd>
        </div>
        <div>
          <dt>Price at most</dt>
          <dd>
            {bounds === undefined ? "–" : <Amount value={bounds.cost} testMoney={testMoney} withUnit />}
          </dd>
        </div>
      </dl>
      <p class="hint">
        {own === undefined
          ? "With every list full, every branch the dearer way, and every step repeated as often as it may be. Most runs cost a small part of it."
          : "Of that, the chosen step: "}
        {own !== undefined && (
          <>
            <Amount value={own.cost} testMoney={testMoney} withUnit />
            {` for ${stepsText(own.steps)} ${own.steps === 1n ? "step" : "steps"} at most.`}
          </>
        )}
      </p>
    </div>
  );
}

export function stepsText(steps: bigint): string {
  return steps < 1_000_000n ? countText(Number(steps)) : scaledText(Number(steps));
}
