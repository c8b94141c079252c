import { World, type WorldOptions } from "./world.ts";

/** What one run showed. Pay and compute in micro-credits. */
export interface Outcome {
  readonly strategy: string;
  readonly means: string;
  readonly share: number | null;
  readonly providers: number;
  readonly tasks: number;
  /** Pay of the tasks that the dishonest were given, of those they computed and of those they made up. */
  readonly assigned: number;
  readonly computed: number;
  readonly madeUp: number;
  /** What they had in the end. */
  readonly revenue: number;
  /** Revenue lost over compute saved, where computing costs what it pays; null where nothing was saved. */
  readonly lostPerSaved: number | null;
  /** (revenue − compute) over the same of honest ones, where computing costs half of what it pays. */
  readonly net: number;
  /** Share of accepted results that are false. */
  readonly badAccepted: number;
  readonly barred: number;
  readonly honestBarred: number;
  /** Pay that honest ones earned and did not get. */
  readonly honestLost: number;
  /** Recomputations per task of honest ones: of the first so many, and of those after the 500th. */
  readonly overheadAt: Readonly<Record<string, number>>;
  readonly overheadAfter500: number | null;
  readonly rounds: number;
  /** Of one core, so that other programs do not count. */
  readonly seconds: number;
}

const COMPUTE_COST = 0.5;

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function overheadOf({ overhead }: World, from: number, to: number): number | null {
  const outcomes = sum(overhead.outcomes.subarray(from, to));
  return outcomes === 0 ? null : sum(overhead.recomputed.subarray(from, to)) / outcomes;
}

/** A requester's surplus, where a result is worth twice its price: a provider's, mirrored. */
function requesterNet(world: World): number {
  const paid = -world.gained(world.gang, world.funds);
  return world.gangValue === 0 ? 0 : (2 * world.gangValue - paid) / world.gangValue;
}

function secondsOf({ user, system }: { readonly user: number; readonly system: number }): number {
  return (user + system) / 1e6;
}

export function simulate(options: WorldOptions): Outcome {
  const start = process.threadCpuUsage();
  const world = new World(options);
  world.run();
  const { strategy, tasks, providers } = options;
  const dishonest = world.actors.filter(({ isHonest }) => !isHonest);
  const honest = world.actors.filter(({ isHonest }) => isHonest);
  const [assigned, computed, madeUp] = [
    sum(dishonest.map((actor) => actor.assigned)),
    sum(dishonest.map((actor) => actor.computed)),
    sum(dishonest.map((actor) => actor.madeUp)),
  ];
  const revenue =
    world.gained(dishonest.flatMap(({ identities }) => identities)) +
    (strategy.hedges === true ? 0 : world.gained(world.gang, world.funds));
  const honestAssigned = sum(honest.map((actor) => actor.assigned));
  const honestRevenue = world.gained(honest.flatMap(({ identities }) => identities));
  const honestNet = (honestRevenue - COMPUTE_COST * honestAssigned) / honestAssigned;
  const net = (revenue - COMPUTE_COST * computed) / assigned / honestNet;
  return {
    strategy: strategy.name,
    means: strategy.means,
    share: strategy.share ?? null,
    providers,
    tasks,
    assigned,
    computed,
    madeUp,
    revenue,
    lostPerSaved: madeUp === 0 ? null : (assigned * (honestRevenue / honestAssigned) - revenue) / madeUp,
    net: strategy.hedges === true ? requesterNet(world) : assigned === 0 ? 1 : net,
    badAccepted: world.accepted === 0 ? 0 : world.badAccepted / world.accepted,
    barred: world.barred,
    honestBarred: world.honestBarred,
    honestLost: honestAssigned - honestRevenue,
    overheadAt: Object.fromEntries(
      [100, 500, 1_000].flatMap((count) => {
        const overhead = count <= tasks ? overheadOf(world, 0, count) : null;
        return overhead === null ? [] : [[count, overhead]];
      }),
    ),
    overheadAfter500: tasks > 500 ? overheadOf(world, 500, tasks) : null,
    rounds: world.rounds,
    seconds: secondsOf(process.threadCpuUsage(start)),
  };
}
