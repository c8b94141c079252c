import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { EarningsPoint } from "../../protocol/relay-api.ts";
import { estimateFrom } from "../state/estimate.ts";
import { creditUnit } from "../words/credits.ts";
import { estimateWords, roughCredits } from "../words/estimate-words.ts";

export interface EstimatePanelProps {
  /** Earned by hour in the last week. */
  readonly week: readonly EarningsPoint[] | undefined;
  readonly testMoney: boolean;
}

const DAYS_PER_MONTH = 30;

/** What the next days may bring, and how that number is made. */
export function EstimatePanel({ week, testMoney }: EstimatePanelProps): JSX.Element | null {
  const estimate = useMemo(() => (week === undefined ? undefined : estimateFrom(week, Date.now())), [week]);
  if (week === undefined) return null;
  const unit = creditUnit(testMoney);
  const words = estimate === undefined ? undefined : estimateWords(estimate);
  return (
    <section class="card estimate" aria-labelledby="estimate-title">
      <h2 id="estimate-title">If the next days are like the last</h2>
      {estimate === undefined || words === undefined ? (
        <p class="hint">
          An estimate needs a day between your first earnings and now. Before that a few good minutes, or a
          few bad ones, would say anything.
        </p>
      ) : (
        <>
          <p class="estimate-value">
            {words.perDay} <span class="estimate-unit">{unit} a day</span>
          </p>
          <p class="hint">
            {words.range} Thirty such days make {roughCredits(estimate.average * DAYS_PER_MONTH)}.
          </p>
          <details class="technical">
            <summary>How this is made</summary>
            <p>{words.made}</p>
          </details>
        </>
      )}
    </section>
  );
}
