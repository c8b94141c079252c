import type { Cid, Digest } from "../protocol/cid.ts";
import { readBody, readMessage } from "../protocol/envelope.ts";
import type { TypedEntry } from "../protocol/messages/entry.ts";
import type { Job } from "../protocol/messages/job.ts";
import { runEndMessage, runHoldersMessage, runMessage } from "../protocol/messages/run.ts";
import { type MicroCredits, microCredits } from "../protocol/units.ts";
import { found } from "./found.ts";
import type { LedgerEvent } from "./ledger-event.ts";
import type { JobState } from "./ledger-state.ts";
import {
  requireBudget,
  requireHolders,
  requireOpenRun,
  requireRunJob,
  requireRunLease,
  type RunState,
  withHolders,
} from "./run-rules.ts";

export interface RunReplayPorts {
  /** A job as the entries so far have it. */
  readonly job: (id: Cid) => JobState | undefined;
}

/**
 * Follows the runs of a log: that each job of a run was opened by one who coordinates it, for the money of its payer, within its
 * budget and its time, and at one coordinator at a time.
 */
export class RunReplay {
  readonly #ports: RunReplayPorts;
  readonly #runs = new Map<Cid, RunState>();
  /** Jobs by run and node; by turn. */
  readonly #steps = new Map<string, Map<number, Cid>>();

  constructor(ports: RunReplayPorts) {
    this.#ports = ports;
  }

  get runs(): ReadonlyMap<Cid, RunState> {
    return this.#runs;
  }

  /** Jobs that carried out a node of a run, by turn. */
  jobsOf(run: Cid, node: string): ReadonlyMap<number, Cid> {
    return this.#steps.get(`${run} ${node}`) ?? new Map();
  }

  /**
   * Judges the next entry, before the ledger takes it, and takes it.
   * @param index of the entry.
   * @throws FailureError, RangeError when it breaks the rules of its run.
   */
  take(entry: TypedEntry, event: LedgerEvent, index: number, digest?: Digest): void {
    if (entry.type === "run") this.#register(entry.body.envelope, index, entry.time, digest);
    else if (entry.type === "run-holders") this.#name(entry.body.envelope, index, entry.time);
    else if (entry.type === "run-end") this.#end(entry.body.envelope, index);
    else this.#followJobs(event, entry.time);
  }

  #name(envelope: Uint8Array, index: number, time: number): void {
    const body = readBody(runHoldersMessage, envelope);
    const run = this.#run(body.run);
    requireHolders(run, body, time);
    this.#runs.set(run.id, withHolders(run, body, index));
  }

  #end(envelope: Uint8Array, index: number): void {
    const run = this.#run(readBody(runEndMessage, envelope).run);
    if (run.endedIndex !== undefined) throw new RangeError(`run ${run.id} ends twice`);
    this.#runs.set(run.id, { ...run, endedIndex: index });
  }

  #run(id: Cid): RunState {
    return found(this.#runs.get(id), "run");
  }

  #register(envelope: Uint8Array, index: number, time: number, digest: Digest | undefined): void {
    const { id, body: terms } = readMessage(runMessage, envelope, digest);
    if (this.#runs.has(id)) throw new RangeError(`run ${id} is registered twice`);
    const charged = microCredits(0);
    const run: RunState = { id, index, time, terms, holders: [], holdersRev: 0, charged };
    requireOpenRun(run, time);
    this.#runs.set(id, run);
  }

  #followJobs(event: LedgerEvent, time: number): void {
    if (event.type === "escrow") this.#open(event.job, event.terms, time);
    if (event.type === "release") this.#giveBack(event.body.job, event.body.amount);
    if (event.type !== "lease") return;
    const job = this.#ports.job(event.terms.job);
    if (job?.terms.run !== undefined) requireRunLease(this.#run(job.terms.run.id), job.terms.requester, time);
  }

  #open(id: Cid, terms: Job, time: number): void {
    if (terms.run === undefined) return;
    const run = this.#run(terms.run.id);
    requireRunJob(run, terms, time);
    requireBudget(run, terms);
    const { node, turn } = terms.run;
    const name = `${run.id} ${node}`;
    const jobs = this.#steps.get(name) ?? new Map<number, Cid>();
    if (jobs.has(turn)) throw new RangeError(`turn ${turn} of ${node} is taken by another job`);
    for (const other of jobs.values()) {
      const { state, terms: held } = found(this.#ports.job(other), "job");
      if (state === "open" && held.requester !== terms.requester)
        throw new RangeError(`${node} is carried out by two coordinators at a time`);
    }
    this.#steps.set(name, jobs.set(turn, id));
    this.#runs.set(run.id, { ...run, charged: microCredits(run.charged + terms.cap) });
  }

  #giveBack(job: Cid, amount: MicroCredits): void {
    const step = this.#ports.job(job)?.terms.run;
    if (step === undefined) return;
    const run = this.#run(step.id);
    this.#runs.set(run.id, { ...run, charged: microCredits(run.charged - amount) });
  }
}
