import type { Measurement } from "../bench.ts";
import type { Outcome } from "./outcome.ts";
import type { QuorumResult } from "./quorum.ts";

/** A goal about a strategy that falsifies at least this share has to do with its net. */
const LEAST_SHARE = 0.02;

export interface QuorumRow {
  readonly liars: number;
  readonly collude: boolean;
  readonly passed: number;
  readonly tasks: number;
  readonly result: QuorumResult;
}

function sizeOf({ providers, tasks }: Outcome): string {
  return `${providers} × ${tasks}`;
}

/** What the table of one size shows, each number with its goal. @param honest the run in which nobody cheats. */
export function measurementsOf(honest: Outcome | undefined, outcomes: readonly Outcome[]): Measurement[] {
  const rows: Measurement[] = outcomes.flatMap((outcome) => {
    const { strategy, share, net, lostPerSaved, badAccepted } = outcome;
    const isShare = strategy === "always-cheat" || /^cheat-\d+$/u.test(strategy);
    const name = `${sizeOf(outcome)} ${strategy}`;
    return [
      ...(lostPerSaved === null
        ? []
        : [
            {
              name: `${name}: revenue lost / compute saved, c = w`,
              value: lostPerSaved,
              unit: "",
              goal: isShare ? ({ value: 1.5, better: "higher" } as const) : null,
            },
          ]),
      {
        name: `${name}: net, c = w/2`,
        value: net,
        unit: "of honest",
        goal: (share ?? 1) >= LEAST_SHARE ? ({ value: 0.97, better: "lower" } as const) : null,
      },
      {
        name: `${name}: false results accepted`,
        value: badAccepted * 1000,
        unit: "of 1,000",
        goal: { value: 1, better: "lower" } as const,
      },
    ];
  });
  if (honest !== undefined) rows.push(...honestRows(honest, sizeOf(honest)));
  const all = honest === undefined ? outcomes : [honest, ...outcomes];
  const [some] = all;
  const size = some === undefined ? "" : sizeOf(some);
  rows.push(
    {
      name: `${size} honest providers barred`,
      value: all.reduce((sum, { honestBarred }) => sum + honestBarred, 0),
      unit: "",
      goal: { value: 0, better: "lower" },
    },
    {
      name: `${size} pay that honest providers earned and did not get`,
      value: all.reduce((sum, { honestLost }) => sum + Math.abs(honestLost), 0),
      unit: "µcredits",
      goal: { value: 0, better: "lower" },
    },
    {
      name: `${size} longest run, on one core`,
      value: Math.max(...all.map(({ seconds }) => seconds)),
      unit: "s",
      goal: { value: 120, better: "lower" },
    },
  );
  return rows;
}

function honestRows({ overheadAt, overheadAfter500 }: Outcome, size: string): Measurement[] {
  return [
    ...Object.entries(overheadAt).map(([count, value]) => ({
      name: `${size} honest: recomputed of the first ${count} tasks`,
      value: 100 * value,
      unit: "%",
      goal: null,
    })),
    ...(overheadAfter500 === null
      ? []
      : [
          {
            name: `${size} honest: recomputed after 500 tasks`,
            value: 100 * overheadAfter500,
            unit: "%",
            goal: { value: 6, better: "lower" } as const,
          },
        ]),
  ];
}

export function quorumMeasurements(rows: readonly QuorumRow[]): Measurement[] {
  return rows.map(({ liars, collude, passed, tasks, result }) =>
    collude
      ? {
          name: `quorum of 2, ${(100 * liars).toFixed(0)} % collude, ${passed} audits passed: accepted beside f²`,
          value: result.accepted / tasks,
          unit: "of all",
          reference: liars ** 2,
          goal: null,
        }
      : {
          name: `quorum of 2, ${100 * liars} % lie alone: accepted of ${tasks.toLocaleString("en-US")}`,
          value: result.accepted,
          unit: "",
          goal: { value: 0, better: "lower" },
        },
  );
}
