/** What a measurement is, and how it is judged. A file `x.bench.ts` exports `benches: readonly Bench[]`. */

/** What is to be reached. A ratio is value / reference within one run; a value stands for itself. */
export interface Goal {
  readonly ratio?: number;
  readonly value?: number;
  readonly better: "lower" | "higher";
}

/** One number that was measured. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same measured of something simpler in the same run, in the same unit. */
  readonly reference?: number;
  /** In the place of the bench's goal; `null` for a number that has none. */
  readonly goal?: Goal | null;
}

export interface Bench {
  readonly name: string;
  /** Copied from what was promised; a goal that is changed is a miss. */
  readonly goal?: Goal;
  run(): Promise<readonly Measurement[]>;
}

/** One row of results.json. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly reference: number | null;
  readonly ratio: number | null;
  readonly goal: Goal | null;
  /** Null where there is no goal. */
  readonly met: boolean | null;
}

function isReached(found: number, wanted: number, better: Goal["better"]): boolean {
  return better === "lower" ? found <= wanted : found >= wanted;
}

/** Judges a measurement. A goal about a ratio that has no reference is not met. */
export function judge(measured: Measurement, benchGoal: Goal | undefined): Row {
  const { name, value, unit, reference } = measured;
  const ratio = reference === undefined || reference === 0 ? null : value / reference;
  const goal = measured.goal === undefined ? (benchGoal ?? null) : measured.goal;
  const isMet =
    goal === null
      ? null
      : (goal.ratio === undefined || (ratio !== null && isReached(ratio, goal.ratio, goal.better))) &&
        (goal.value === undefined || isReached(value, goal.value, goal.better));
  return { name, value, unit, reference: reference ?? null, ratio, goal, met: isMet };
}

function number(value: number): string {
  const digits = Math.abs(value) >= 1_000 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

function goalText({ ratio, value, better }: Goal): string {
  const sign = better === "lower" ? "≤" : "≥";
  return [
    ...(ratio === undefined ? [] : [`${sign} ${ratio}×`]),
    ...(value === undefined ? [] : [`${sign} ${number(value)}`]),
  ].join(" ");
}

const HEAD = ["", "value", "unit", "reference", "ratio", "goal", ""] as const;

/** Words stand on the left, numbers on the right. */
function isLeft(column: number): boolean {
  return column === 0 || column === 2 || column === 6;
}

/** The rows as a table for a terminal. A miss says so. */
export function tableText(rows: readonly Row[]): string {
  const cells = rows.map(({ name, value, unit, reference, ratio, goal, met }) => [
    name,
    number(value),
    unit,
    reference === null ? "" : number(reference),
    ratio === null ? "" : `${ratio.toFixed(2)}×`,
    goal === null ? "" : goalText(goal),
    met === null ? "" : met ? "met" : "MISSED",
  ]);
  const all = [HEAD, ...cells];
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) =>
          isLeft(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
