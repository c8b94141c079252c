import type { RunState } from "../../ledger/run-rules.ts";
import type { Replay } from "../../ledger/replay.ts";
import type { BooksStore } from "../store/books-store.ts";
import type { RunRow } from "../store/run-rows.ts";

function sameRun(row: RunRow, run: RunState | undefined): boolean {
  return (
    run !== undefined &&
    row.index === run.index &&
    row.holdersIndex === run.holdersIndex &&
    row.endedIndex === run.endedIndex &&
    row.initiator === run.terms.initiator &&
    row.payer === run.terms.payer &&
    row.budget === run.terms.budget &&
    row.charged === run.charged
  );
}

/** What the jobs of each run set aside or spent, by the jobs themselves. */
function chargesOf(replay: Replay): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { terms, refunded } of replay.jobs.values())
    if (terms.run !== undefined)
      sums.set(terms.run.id, (sums.get(terms.run.id) ?? 0n) + terms.cap - refunded);
  return sums;
}

/** Until when who holds a run, in one text. */
function holdingText(until: number, holders: readonly string[]): string {
  return [until, ...holders.toSorted()].join(" ");
}

/** The same by its entries: "" where it is over or nobody is named. */
function heldBy(run: RunState): string {
  if (run.endedIndex !== undefined || run.holders.length === 0) return "";
  return holdingText(run.terms.notAfter, run.holders);
}

/** What the tables of runs say otherwise than the entries, in words. */
export function* runProblems(store: BooksStore, replay: Replay): Generator<string> {
  const { runs, jobs, holdings } = store.runs.everything();
  if (runs.length !== replay.runs.runs.size) yield "there are more or fewer runs than the log has";
  const charges = chargesOf(replay);
  for (const row of runs) {
    const run = replay.runs.runs.get(row.id);
    if (!sameRun(row, run)) yield `run ${row.id} stands otherwise in the log`;
    if (row.charged !== (charges.get(row.id) ?? 0n))
      yield `run ${row.id} has spent another sum than its jobs`;
    if (row.charged > row.budget) yield `run ${row.id} has spent more than its budget`;
  }
  const held = new Map(holdings.map(({ index, until, holders }) => [index, holdingText(until, holders)]));
  for (const run of replay.runs.runs.values())
    if ((held.get(run.index) ?? "") !== heldBy(run)) yield `run ${run.id} is held by others in the log`;
  let count = 0;
  for (const { terms } of replay.jobs.values()) if (terms.run !== undefined) count += 1;
  if (jobs.length !== count) yield "there are more or fewer steps of runs than the log has";
  for (const { run, node, turn, job } of jobs)
    if (replay.runs.jobsOf(run, node).get(turn) !== job) yield `turn ${turn} of ${node} is another job's`;
}
