import type { RunState } from "../../ledger/run-rules.ts";
import type { Cid } from "../../protocol/cid.ts";
import { openEnvelope, type Verified } from "../../protocol/envelope.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import type { Inclusion } from "../../protocol/messages/receipt.ts";
import { type Run, type RunEnd, runEndMessage, type RunHolders } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { RunJobView } from "../../protocol/run-views.ts";
import { microCredits } from "../../protocol/units.ts";
import type { RunBooks, RunStanding } from "../run-books.ts";
import type { RunRow } from "../store/run-rows.ts";
import type { Draft } from "./draft.ts";
import type { LedgerBooksParts } from "./ledger-books.ts";
import { endRun, registerRun, setHolders } from "./runs.ts";

/** Runs in the books; see LedgerBooks. */
export class LedgerRuns implements RunBooks {
  readonly #parts: LedgerBooksParts;
  readonly #prove: (index: number) => Inclusion;

  /** @param prove that the log holds an entry. */
  constructor(parts: LedgerBooksParts, prove: (index: number) => Inclusion) {
    this.#parts = parts;
    this.#prove = prove;
  }

  async #logged(run: (draft: Draft) => number): Promise<Inclusion> {
    return this.#parts.queue.submit((draft) => {
      const index = run(draft);
      return () => this.#prove(index);
    });
  }

  async register(run: Verified<Run>): Promise<Inclusion> {
    return this.#logged((draft) => registerRun(this.#parts.court, draft, run));
  }

  async setHolders(holders: Verified<RunHolders>): Promise<Inclusion> {
    return this.#logged((draft) => setHolders(this.#parts.court, draft, holders));
  }

  async end(message: Verified<RunEnd>): Promise<Inclusion> {
    return this.#logged((draft) => endRun(this.#parts.court, draft, message));
  }

  run(id: Cid): RunStanding | undefined {
    const run = this.#parts.committed.runs.run(id);
    return run === undefined ? undefined : this.#standing(run);
  }

  runsOf(account: PeerId, before: number | undefined, limit: number): readonly RunStanding[] {
    return this.#standings(this.#parts.store.runs.runsOf(account, before ?? Number.MAX_SAFE_INTEGER, limit));
  }

  heldBy(account: PeerId, before: number | undefined, limit: number): readonly RunStanding[] {
    const { store, clock, committed } = this.#parts;
    const now = Math.max(clock(), committed.time);
    return this.#standings(store.runs.heldBy(account, now, before ?? Number.MAX_SAFE_INTEGER, limit));
  }

  #standings(rows: readonly RunRow[]): readonly RunStanding[] {
    const { runs } = this.#parts.committed;
    return rows.map((row) => this.#standing(runs.run(row.id) ?? runs.ofRow(row)));
  }

  #standing(run: RunState): RunStanding {
    const { store, clock, committed } = this.#parts;
    const spent = microCredits(store.runs.spent(run.id));
    if (run.endedIndex === undefined) {
      const now = Math.max(clock(), committed.time);
      return { ...run, spent, stage: now > run.terms.notAfter ? "out-of-time" : "open" };
    }
    const entry = committed.entry(run.endedIndex);
    if (entry === undefined) throw new RangeError(`the log keeps no entry ${run.endedIndex}`);
    const { time, body } = decodeEntryOf("run-end", entry);
    const end = openEnvelope(runEndMessage, body.envelope).body;
    return { ...run, spent, stage: end.status, end, endedAt: time };
  }

  jobs(run: Cid, limit: number): readonly RunJobView[] {
    const { store, committed } = this.#parts;
    return store.runs.jobsOf(run, limit).flatMap(({ id, node, turn }) => {
      const job = committed.job(id);
      if (job === undefined) return [];
      const { state, spent, refunded, terms } = job;
      const { requester: coordinator, cap } = terms;
      return [{ job: id, node, turn, coordinator, state, cap, spent, refunded }];
    });
  }

  lease(id: Cid): ReturnType<RunBooks["lease"]> {
    const found = this.#parts.committed.lease(id);
    const step = found === undefined ? undefined : this.#parts.store.runs.stepOf(found.job);
    if (found === undefined || step === undefined) return undefined;
    const { provider, instance } = found.terms;
    return { run: step.run, node: step.node, provider, instance };
  }

  works(run: Cid, provider: PeerId): boolean {
    return this.#parts.store.runs.works(run, provider);
  }
}
