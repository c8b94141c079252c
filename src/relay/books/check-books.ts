import type { Cid } from "../../protocol/cid.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { type ApiKey, apiKeyMessage } from "../../protocol/messages/api-key.ts";
import { decodeEntry, decodeEntryOf } from "../../protocol/messages/entry.ts";
import { equalBytes } from "../../protocol/bytes.ts";
import { DUE_AT_THE_END } from "../../ledger/assignment-replay.ts";
import { LogCheck } from "../../ledger/check-log.ts";
import type { Replay } from "../../ledger/replay.ts";
import type { JobState, LeaseState } from "../../ledger/ledger-state.ts";
import type { BooksStore, JobRow, LeaseRow } from "../store/books-store.ts";
import { periodOf } from "./api-key-rules.ts";
import { recordProblems } from "./check-records.ts";
import { payoutProblems, setAside } from "./check-payouts.ts";
import { runProblems } from "./check-runs.ts";
import { assignmentProblems } from "./check-sites.ts";
import { entryHash, joinHashes, sha256 } from "./native-hash.ts";

/** Entries that are read at a time. */
const READ_AT_ONCE = 1_024;

/** Reads every entry again; holds all jobs and leases. */
function replayed(store: BooksStore, size: number): { readonly replay: Replay; readonly root: Uint8Array } {
  const check = new LogCheck({ leafHash: entryHash, join: joinHashes, digest: sha256, signatures: false });
  while (check.size < size) {
    const entries = store.entries(check.size, Math.min(READ_AT_ONCE, size - check.size));
    if (entries.length === 0) throw new RangeError(`entry ${check.size} is missing`);
    for (const entry of entries) check.append(entry);
  }
  return { replay: check.replay, root: check.root() };
}

type Rows = ReturnType<BooksStore["everything"]>;

function* accountProblems(store: BooksStore, { accounts }: Rows, replay: Replay): Generator<string> {
  const escrowed = new Map<string, bigint>();
  for (const { terms, id, unbound } of replay.jobs.values()) {
    escrowed.set(terms.payer, (escrowed.get(terms.payer) ?? 0n) + unbound);
    if (replay.balance(`escrow:${id}`) !== unbound) yield `job ${id} has another escrow than its account`;
  }
  const earned = new Map<string, bigint>();
  for (const { terms, job, bound, earned: sum, forfeited, state } of replay.leases.values()) {
    const payer = replay.job(job)?.terms.payer ?? "";
    escrowed.set(payer, (escrowed.get(payer) ?? 0n) + bound);
    if (state === "settled") earned.set(terms.provider, (earned.get(terms.provider) ?? 0n) + sum - forfeited);
  }
  let listed = setAside(store);
  for (const row of accounts) {
    const { peer } = row;
    listed += row.available + row.pending + row.escrowed;
    if (row.available !== replay.balance(`available:${peer}`)) yield `${peer} has another balance available`;
    if (row.pending !== replay.balance(`pending:${peer}`)) yield `${peer} has another balance pending`;
    if (row.escrowed !== (escrowed.get(peer) ?? 0n)) yield `${peer} has another sum in escrow`;
    if (row.earned !== (earned.get(peer) ?? 0n)) yield `${peer} has earned another sum`;
  }
  for (const { held, bond } of store.audits.records().providers) listed += held + bond;
  if (replay.total() !== 0n) yield "the accounts do not sum to zero";
  if (listed + replay.balance("burnt") !== -replay.balance("outside")) yield "an account is not listed";
}

/** What the jobs of the log set aside or spent under api-keys, by key and period. */
function spendingsOf(store: BooksStore, replay: Replay): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>();
  const periods = apiKeyPeriods(store);
  for (const { terms, escrowIndex, refunded } of replay.jobs.values()) {
    const run = terms.run === undefined ? undefined : replay.runs.runs.get(terms.run.id);
    const apiKey = run?.terms.apiKey ?? terms.apiKey;
    const entry = apiKey === undefined ? undefined : store.entry(escrowIndex);
    if (apiKey === undefined || entry === undefined) continue;
    const key = periods.get(apiKey);
    if (key === undefined) throw new RangeError(`the log has no api-key ${apiKey}`);
    const name = `${apiKey} ${periodOf(key, decodeEntry(entry).time)}`;
    sums.set(name, (sums.get(name) ?? 0n) + terms.cap - refunded);
  }
  return sums;
}

function apiKeyPeriods(store: BooksStore): ReadonlyMap<Cid, ApiKey> {
  const keys = new Map<Cid, ApiKey>();
  for (const index of store.entriesOf("api-key")) {
    const entry = store.entry(index);
    if (entry === undefined) continue;
    const { id, body } = openEnvelope(apiKeyMessage, decodeEntryOf("api-key", entry).body.envelope);
    keys.set(id, body);
  }
  return keys;
}

function* spendingProblems(store: BooksStore, { spendings }: Rows, replay: Replay): Generator<string> {
  const sums = spendingsOf(store, replay);
  const listed = new Map(spendings.map(({ apiKey, period, amount }) => [`${apiKey} ${period}`, amount]));
  for (const name of new Set([...sums.keys(), ...listed.keys()]))
    if ((sums.get(name) ?? 0n) !== (listed.get(name) ?? 0n)) yield `api-key ${name} has spent another sum`;
}

function sameJob(row: JobRow, job: JobState | undefined): boolean {
  return (
    job !== undefined &&
    row.escrowIndex === job.escrowIndex &&
    row.state === job.state &&
    row.unbound === job.unbound &&
    row.spent === job.spent &&
    row.refunded === job.refunded &&
    row.openLeases === job.openLeases
  );
}

function sameLease(row: LeaseRow, lease: LeaseState | undefined): boolean {
  return (
    lease !== undefined &&
    row.state === lease.state &&
    row.bound === lease.bound &&
    row.reportBy === lease.reportBy &&
    row.revision === lease.revision &&
    row.newest?.id === lease.newest?.id &&
    row.newest?.index === lease.newest?.index &&
    row.newest?.amount === lease.newest?.amount &&
    row.earned === lease.earned &&
    row.held === lease.held &&
    row.forfeited === lease.forfeited &&
    row.settledAt === lease.settledAt &&
    row.drawn === lease.drawn &&
    row.judged === lease.judged
  );
}

function* stateProblems({ jobs, leases }: Rows, replay: Replay): Generator<string> {
  if (jobs.length !== replay.jobs.size) yield "there are more or fewer jobs than the log has";
  if (leases.length !== replay.leases.size) yield "there are more or fewer leases than the log has";
  for (const row of jobs)
    if (!sameJob(row, replay.job(row.id))) yield `job ${row.id} stands otherwise in the log`;
  for (const row of leases)
    if (!sameLease(row, replay.lease(row.id))) yield `lease ${row.id} stands otherwise in the log`;
}

/** What the books' tables say otherwise than the entries, in words. */
export function* rowProblems(store: BooksStore, replay: Replay): Generator<string> {
  // A relay's largest tables: they are read once.
  const rows = store.everything();
  yield* accountProblems(store, rows, replay);
  yield* spendingProblems(store, rows, replay);
  yield* stateProblems(rows, replay);
  yield* recordProblems(store, replay);
  yield* payoutProblems(store, replay);
  yield* assignmentProblems(store, replay);
  yield* runProblems(store, replay);
}

/**
 * Recomputes the log's root and all balances, jobs and leases from the entries alone, and compares.
 * @returns what differs, in words; nothing in sound books.
 * @throws RangeError when the log contradicts itself.
 */
export function checkBooks(store: BooksStore): readonly string[] {
  const head = store.head();
  if (head === undefined) return [];
  const { replay, root } = replayed(store, head.size);
  const problems = equalBytes(root, head.root) ? [] : ["the entries do not make the stored root"];
  if (replay.assignments.isDue) problems.push(DUE_AT_THE_END);
  if (store.entry(head.size) !== undefined) problems.push("there are entries beyond the head");
  return [...problems, ...rowProblems(store, replay)];
}
