import type { RunState } from "../../ledger/run-rules.ts";
import type { Cid } from "../../protocol/cid.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import { runHoldersMessage, runMessage } from "../../protocol/messages/run.ts";
import type { RunHoldingRow, RunJobRow, RunRow, RunRows, RunStore } from "../store/run-rows.ts";
import { KEPT_STATES } from "./limits.ts";
import { RecentMap } from "./recent-map.ts";

/** How runs stand at some point. */
export interface RunsStanding {
  run(id: Cid): RunState | undefined;
  /** The job of a turn. */
  runJob(run: Cid, node: string, turn: number): Cid | undefined;
  /** The highest turn that a node had. */
  lastTurn(run: Cid, node: string): number | undefined;
  /** Jobs of a run, or of one of its nodes, that are open, or were before what has not been written yet. */
  openJobs(run: Cid, node?: string): readonly Cid[];
}

function stepName(run: Cid, node: string, turn: number): string {
  return `${run} ${node} ${turn}`;
}

function rowOf({ id, index, holdersIndex, endedIndex, terms, charged }: RunState): RunRow {
  return {
    id,
    index,
    ...(holdersIndex === undefined ? {} : { holdersIndex }),
    ...(endedIndex === undefined ? {} : { endedIndex }),
    initiator: terms.initiator,
    payer: terms.payer,
    budget: terms.budget,
    charged,
  };
}

/** Who holds a run, where anybody was ever named. */
function holdingOf({ index, holdersIndex, endedIndex, holders, terms }: RunState): readonly RunHoldingRow[] {
  if (holdersIndex === undefined) return [];
  return [{ index, until: terms.notAfter, holders: endedIndex === undefined ? holders : [] }];
}

/** What operations change about runs, on top of how those stood; see Draft. */
export class RunDraft implements RunsStanding {
  readonly #base: RunsStanding;
  readonly #runs = new Map<Cid, RunState>();
  readonly #jobs = new Map<string, RunJobRow>();

  constructor(base: RunsStanding) {
    this.#base = base;
  }

  run(id: Cid): RunState | undefined {
    return this.#runs.get(id) ?? this.#base.run(id);
  }

  runJob(run: Cid, node: string, turn: number): Cid | undefined {
    return this.#jobs.get(stepName(run, node, turn))?.job ?? this.#base.runJob(run, node, turn);
  }

  lastTurn(run: Cid, node: string): number | undefined {
    const turns = this.#own(run, node).map(({ turn }) => turn);
    const before = this.#base.lastTurn(run, node);
    return turns.length === 0 ? before : Math.max(...turns, before ?? 0);
  }

  openJobs(run: Cid, node?: string): readonly Cid[] {
    return [...this.#base.openJobs(run, node), ...this.#own(run, node).map(({ job }) => job)];
  }

  #own(run: Cid, node: string | undefined): readonly RunJobRow[] {
    return [...this.#jobs.values()].filter(
      (row) => row.run === run && (node === undefined || row.node === node),
    );
  }

  setRun(run: RunState): void {
    this.#runs.set(run.id, run);
  }

  addJob(row: RunJobRow): void {
    this.#jobs.set(stepName(row.run, row.node, row.turn), row);
  }

  /** Takes over what a draft on top of this one has changed. */
  absorb(other: RunDraft): void {
    for (const run of other.#runs.values()) this.setRun(run);
    for (const row of other.#jobs.values()) this.addJob(row);
  }

  /** Runs as they are after it. */
  get changed(): Iterable<RunState> {
    return this.#runs.values();
  }

  /** What it changes, to be written. */
  rows(): RunRows {
    const runs = [...this.#runs.values()];
    return { runs: runs.map(rowOf), jobs: [...this.#jobs.values()], holdings: runs.flatMap(holdingOf) };
  }
}

/** Runs on the disk; those that were asked for lately are remembered, since every job and lease of a run needs it. */
export class CommittedRuns implements RunsStanding {
  readonly #store: RunStore;
  readonly #entry: (index: number) => Uint8Array;
  readonly #runs = new RecentMap<Cid, RunState>(KEPT_STATES);

  /** @param entry bytes of an entry that the log has */
  constructor(store: RunStore, entry: (index: number) => Uint8Array) {
    this.#store = store;
    this.#entry = entry;
  }

  run(id: Cid): RunState | undefined {
    const known = this.#runs.get(id);
    if (known !== undefined) return known;
    const row = this.#store.run(id);
    if (row === undefined) return undefined;
    const run = this.ofRow(row);
    this.#runs.set(id, run);
    return run;
  }

  ofRow({ id, index, holdersIndex, endedIndex, charged }: RunRow): RunState {
    const { time, body } = decodeEntryOf("run", this.#entry(index));
    const named = holdersIndex === undefined ? undefined : this.#holders(holdersIndex);
    return {
      id,
      index,
      time,
      terms: openEnvelope(runMessage, body.envelope).body,
      holders: named?.holders ?? [],
      holdersRev: named?.rev ?? 0,
      ...(holdersIndex === undefined ? {} : { holdersIndex }),
      charged,
      ...(endedIndex === undefined ? {} : { endedIndex }),
    };
  }

  #holders(index: number): Pick<RunState, "holders"> & { readonly rev: number } {
    const { envelope } = decodeEntryOf("run-holders", this.#entry(index)).body;
    return openEnvelope(runHoldersMessage, envelope).body;
  }

  runJob(run: Cid, node: string, turn: number): Cid | undefined {
    return this.#store.runJob(run, node, turn);
  }

  lastTurn(run: Cid, node: string): number | undefined {
    return this.#store.lastTurn(run, node);
  }

  openJobs(run: Cid, node?: string): readonly Cid[] {
    return this.#store.openJobs(run, node);
  }

  /** Takes over what was written just now. */
  absorb(draft: RunDraft): void {
    for (const run of draft.changed) this.#runs.set(run.id, run);
  }
}
