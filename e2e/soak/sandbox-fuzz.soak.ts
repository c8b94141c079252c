/** Programs made at random, run metered and as their own slow reference, and damaged modules: for as long as one likes. */
import { setFlagsFromString } from "node:v8";
import { corrupt, judge } from "../../src/sandbox/proof/corrupt.contract.ts";
import { corruptSubjects, largeSubject } from "../../src/sandbox/proof/corrupt-subjects.contract.ts";
import { findDifference } from "../../src/sandbox/proof/differential.contract.ts";
import { PROFILE_FUEL } from "../../src/sandbox/proof/fuel-rules.contract.ts";
import { generateProgram } from "../../src/sandbox/proof/generate-program.contract.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { draw } from "./chance.ts";
import type { Soak, SoakContext } from "./soak.ts";

/** Ten minutes on an idle machine: each runs seven times or more. */
const PROGRAMS = 60_000;
/** Five minutes on an idle machine. */
const MUTATIONS = 2_000_000;
/** Between two looks at the signal. */
const PROGRAM_BATCH = 250;
const MUTATION_BATCH = 10_000;
/** One mutation in so many is of a large module. */
const LARGE_EVERY = 500;

interface State {
  readonly done: number;
  /** By how they ended, or what became of them. */
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: number;
}

function stateOf(context: SoakContext): State {
  return (context.state as State | undefined) ?? { done: 0, counts: {}, findings: 0 };
}

function counted(counts: Readonly<Record<string, number>>, seen: readonly string[]): Record<string, number> {
  const sums: Record<string, number> = { ...counts };
  for (const each of seen) sums[each] = (sums[each] ?? 0) + 1;
  return sums;
}

/**
 * Runs batches until so many are done, and keeps the state behind each.
 * @param one returns what became of a round, for the counts. Its findings go to `found`.
 */
async function batches(
  context: SoakContext,
  { most, batch }: { readonly most: number; readonly batch: number },
  one: (round: number, found: (what: string) => void) => string | Promise<string>,
): Promise<State> {
  let state = stateOf(context);
  // One after the other, and what is counted is kept.
  while (state.done < most && !context.signal.aborted) {
    const seen: string[] = [];
    let { done, findings } = state;
    for (const end = Math.min(most, done + batch); done < end; done += 1) {
      const round = done;
      seen.push(
        await one(round, (what) => {
          findings += 1;
          context.log(`round ${round} ${what}`);
        }),
      );
    }
    state = { done, findings, counts: counted(state.counts, seen) };
    await context.save(state);
    if (done % (batch * 20) === 0) context.log(`${done} rounds: ${JSON.stringify(state.counts)}`);
  }
  context.signal.throwIfAborted();
  return state;
}

function rows(
  name: string,
  what: string,
  most: number,
  { done, counts, findings }: State,
): Awaited<ReturnType<Soak["run"]>> {
  return [
    { name: `${name}: rounds`, value: done, unit: what, goal: { value: most, better: "higher" } },
    ...Object.entries(counts)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([end, value]) => ({ name: `${name}: ${end}`, value, unit: what, goal: null })),
    { name: `${name}: findings`, value: findings, unit: "findings" },
  ];
}

/** Every second batch is compiled by the optimising compiler at once, which folds constants and forgets signs of NaNs. */
function chooseCompiler(round: number): void {
  if (round % PROGRAM_BATCH !== 0) return;
  setFlagsFromString((round / PROGRAM_BATCH) % 2 === 0 ? "--liftoff" : "--no-liftoff");
}

async function runPrograms(context: SoakContext): ReturnType<Soak["run"]> {
  const sandbox = createSandbox();
  const state = await batches(context, { most: PROGRAMS, batch: PROGRAM_BATCH }, async (round, found) => {
    chooseCompiler(round);
    const program = generateProgram(draw("sandbox-fuzz", round), {
      tailCalls: round % 3 !== 0,
      vectors: round % 4 !== 0,
    });
    let ended = "nothing";
    const difference = await findDifference(sandbox, program, PROFILE_FUEL, (end) => {
      ended = end;
    });
    if (difference !== undefined) found(difference);
    return ended;
  });
  return rows("sandbox-fuzz", "programs", PROGRAMS, state);
}

async function runMutations(context: SoakContext): ReturnType<Soak["run"]> {
  const small = corruptSubjects();
  const large = [largeSubject()];
  const state = await batches(context, { most: MUTATIONS, batch: MUTATION_BATCH }, (round, found) => {
    const by = draw("sandbox-corrupt", round);
    const subjects = round % LARGE_EVERY === 0 ? large : small;
    const subject = subjects[by(subjects.length)];
    const other = small[by(small.length)];
    if (subject === undefined || other === undefined) throw new RangeError("there are no modules");
    const judgement = judge(corrupt(subject.bytes, other.bytes, by));
    if (typeof judgement === "string") return judgement;
    found(`(${subject.name}) ${judgement.wrong}`);
    return "wrong";
  });
  return rows("sandbox-corrupt", "modules", MUTATIONS, state);
}

export const soaks: readonly Soak[] = [
  { name: "sandbox-fuzz", goal: { value: 0, better: "lower" }, run: runPrograms },
  { name: "sandbox-corrupt", goal: { value: 0, better: "lower" }, run: runMutations },
];
