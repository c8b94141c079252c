import type { EarningsPoint } from "../../protocol/relay-api.ts";
import { type MicroCredits, microCredits } from "../../protocol/units.ts";
import type { ChartData } from "../state/earnings.ts";

/** One part of stacked bars. */
export interface Layer {
  /** CID of a function or id of a site; "" for what has no name. */
  readonly name: string;
  readonly kind: "all" | "named" | "others" | "unsplit";
  readonly amount: MicroCredits;
  readonly tasks: number;
  readonly points: readonly EarningsPoint[];
  /** CSS variable of its colour. */
  readonly colour: string;
}

function layerOf(name: string, kind: Layer["kind"], points: readonly EarningsPoint[], colour: string): Layer {
  return {
    name,
    kind,
    amount: microCredits(points.reduce((sum, { amount }) => sum + amount, 0n)),
    tasks: points.reduce((sum, { tasks }) => sum + tasks, 0),
    points,
    colour,
  };
}

/** What of the points is in none of the shares: earned before it was written down what it was earned with. */
function unsplit(data: ChartData): readonly EarningsPoint[] {
  const left = new Map(data.points.map((point) => [point.start, point]));
  for (const { start, amount, tasks } of data.shares.flatMap(({ points }) => points)) {
    const before = left.get(start);
    // What visitors of a site send its owner is no work of the owner's, and not among the points.
    if (before === undefined || tasks === 0) continue;
    left.set(start, {
      start,
      amount: microCredits(before.amount > amount ? before.amount - amount : 0n),
      tasks: Math.max(0, before.tasks - tasks),
    });
  }
  return [...left.values()].filter(({ amount, tasks }) => amount > 0n || tasks > 0);
}

/** The layers of a chart, the largest at the bottom. */
export function layersOf(data: ChartData): readonly Layer[] {
  if (data.split === "total") return [layerOf("", "all", data.points, "--accent")];
  const shares = data.shares.map(({ name, points }, at) =>
    layerOf(
      name,
      name === "" ? "others" : "named",
      points,
      name === "" ? "--share-rest" : `--share-${at + 1}`,
    ),
  );
  const rest = unsplit(data);
  return rest.length === 0 ? shares : [...shares, layerOf("", "unsplit", rest, "--share-none")];
}

/** For each layer the height up to which it reaches, by piece of time, what is below it included. */
export function stackOf(
  layers: readonly Layer[],
  starts: readonly number[],
): readonly (readonly MicroCredits[])[] {
  const tops = starts.map(() => 0n);
  return layers.map(({ points }) => {
    const known = new Map(points.map(({ start, amount }) => [start, amount]));
    return starts.map((start, at) => {
      tops[at] = (tops[at] ?? 0n) + (known.get(start) ?? 0n);
      return microCredits(tops[at] ?? 0n);
    });
  });
}

/** All layers together, by piece of time. */
export function sumsOf(layers: readonly Layer[], starts: readonly number[]): readonly EarningsPoint[] {
  const sums = new Map(starts.map((start) => [start, { start, amount: microCredits(0n), tasks: 0 }]));
  for (const { start, amount, tasks } of layers.flatMap(({ points }) => points)) {
    const before = sums.get(start);
    if (before !== undefined)
      sums.set(start, { start, amount: microCredits(before.amount + amount), tasks: before.tasks + tasks });
  }
  return [...sums.values()];
}
