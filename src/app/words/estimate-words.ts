import { microCredits } from "../../protocol/units.ts";
import type { Estimate } from "../state/estimate.ts";
import { creditText } from "./credits.ts";
import { counted } from "./quantities.ts";

export interface EstimateWords {
  /** "about 0.0123", with so many digits as are worth anything. */
  readonly perDay: string;
  readonly range: string;
  /** How it is made, in full. */
  readonly made: string;
}

/** Two digits that count: an estimate that shows more pretends. */
export function roughCredits(micros: number): string {
  const credits = micros / 1e6;
  if (credits === 0) return "0";
  if (credits >= 100) return Math.round(credits).toLocaleString("en");
  return Number(credits.toPrecision(2)).toLocaleString("en", { maximumFractionDigits: 8 });
}

export function estimateWords({ low, average, high, days, hoursWorked, total }: Estimate): EstimateWords {
  const range =
    days === 1
      ? "From one day alone, so it may be far off."
      : `Days were between ${roughCredits(low)} and ${roughCredits(high)}.`;
  return {
    perDay: `about ${roughCredits(average)}`,
    range,
    made:
      `The last ${days === 1 ? "day" : `${days} days`} of 24 hours, up to the last full hour: ` +
      `${creditText(microCredits(total))} in ${counted(hoursWorked, "hour")} with work, divided by the days. ` +
      "It assumes that you contribute as long, and that demand and prices stay as they are. Nobody promises that.",
  };
}
