import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { EntryType } from "../../protocol/messages/entry.ts";
import type {
  AccountRow,
  Batch,
  Denial,
  EarningsRow,
  EntryRow,
  Head,
  JobRow,
  LeaseRow,
  SpendingRow,
} from "./books-store.ts";
import { AuditWriter } from "./sqlite-audits.ts";
import { ShareWriter } from "./sqlite-history.ts";
import { PayoutWriter } from "./sqlite-payouts.ts";
import { RunWriter } from "./sqlite-runs.ts";
import { SiteWriter } from "./sqlite-sites.ts";

/** Entry types that are too many to list by type. */
const COMMON: ReadonlySet<EntryType> = new Set([
  "escrow",
  "lease",
  "receipt",
  "cancel",
  "settle",
  "release",
  "draw",
  "verdict",
  "vest",
  "assign",
  "transfer",
  "retire-idle",
  "run",
  "run-holders",
  "run-end",
]);

/** Writes one batch in one transaction, with statements prepared once. */
export class BatchWriter {
  readonly #database: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #entry: StatementSync;
  readonly #rare: StatementSync;
  readonly #node: StatementSync;
  readonly #account: StatementSync;
  readonly #earnings: StatementSync;
  readonly #newJob: StatementSync;
  readonly #job: StatementSync;
  readonly #newLease: StatementSync;
  readonly #lease: StatementSync;
  readonly #deny: StatementSync;
  readonly #undeny: StatementSync;
  readonly #secret: StatementSync;
  readonly #evidence: StatementSync;
  readonly #spending: StatementSync;
  readonly #shares: ShareWriter;
  readonly #payouts: PayoutWriter;
  readonly #sites: SiteWriter;
  readonly #runs: RunWriter;
  readonly #audits: AuditWriter;
  readonly #head: StatementSync;
  readonly #firstHead: StatementSync;

  constructor(database: DatabaseSync) {
    const sql = (text: string): StatementSync => database.prepare(text);
    this.#database = database;
    this.#begin = sql("BEGIN IMMEDIATE");
    this.#commit = sql("COMMIT");
    this.#entry = sql("INSERT INTO entries VALUES (?, ?, ?, ?)");
    this.#rare = sql("INSERT INTO rare_entries VALUES (?, ?)");
    this.#node = sql("INSERT INTO nodes VALUES (?, ?, ?)");
    this.#account = sql("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?)");
    this.#earnings = sql(
      `INSERT INTO earnings VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET amount = amount + excluded.amount, tasks = tasks + excluded.tasks`,
    );
    this.#newJob = sql(
      `INSERT INTO jobs (escrow_index, id, requester, nonce, expires, state, unbound, spent, refunded, open_leases, work)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#job = sql(
      "UPDATE jobs SET state = ?, unbound = ?, spent = ?, refunded = ?, open_leases = ? WHERE escrow_index = ?",
    );
    this.#newLease = sql(
      "INSERT INTO leases (idx, id, job, provider, instance, revision, terms_index, state, bound, report_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#lease = sql(
      `UPDATE leases SET revision = ?, terms_index = ?, state = ?, bound = ?, report_by = ?,
         receipt = ?, receipt_index = ?, receipt_time = ?, seq = ?, count = ?, payable = ?, cancelled = ?, fuel = ?,
         bytes = ?, amount = ?, root = ?, task_count = ?, tasks_root = ?, final = ?, failed = ?, peak = ?,
         earned = ?, held = ?, forfeited = ?, settled_at = ?, drawn = ?, judged = ? WHERE idx = ?`,
    );
    this.#audits = new AuditWriter(database);
    this.#deny = sql("INSERT OR REPLACE INTO denials VALUES (?, ?, ?)");
    this.#undeny = sql("DELETE FROM denials WHERE kind = ? AND value = ?");
    this.#secret = sql("INSERT INTO secrets VALUES (?, ?)");
    this.#evidence = sql("INSERT OR IGNORE INTO evidence VALUES (?, ?)");
    this.#spending = sql("INSERT OR REPLACE INTO spendings VALUES (?, ?, ?)");
    this.#shares = new ShareWriter(database);
    this.#payouts = new PayoutWriter(database);
    this.#sites = new SiteWriter(database);
    this.#runs = new RunWriter(database);
    this.#head = sql("UPDATE head SET size = ?, root = ?, time = ? WHERE one = 1 AND size = ?");
    this.#firstHead = sql("INSERT INTO head VALUES (1, ?, ?, ?)");
  }

  /** @throws when another process has written, or the disk fails; then nothing of the batch is there. */
  write(batch: Batch): void {
    this.#begin.run();
    try {
      this.#writeLog(batch);
      for (const row of batch.jobs) this.#writeJob(row);
      const first = batch.head.size - batch.entries.length;
      for (const row of batch.leases) this.#writeLease(row, row.index >= first);
      for (const row of batch.accounts) this.#writeAccount(row);
      for (const row of batch.earnings) this.#writeEarnings(row);
      this.#shares.write(batch.shares ?? []);
      for (const denial of batch.denials) this.#writeDenial(denial);
      for (const { name, value } of batch.secrets) this.#secret.run(name, value);
      for (const { cid, bytes } of batch.evidence) this.#evidence.run(cid, bytes);
      for (const row of batch.spendings) this.#writeSpending(row);
      if (batch.audits !== undefined) this.#audits.write(batch.audits);
      if (batch.payouts !== undefined) this.#payouts.write(batch.payouts);
      if (batch.sites !== undefined) this.#sites.write(batch.sites);
      if (batch.runs !== undefined) this.#runs.write(batch.runs);
      this.#commit.run();
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #writeLog({ entries, nodes, head }: Batch): void {
    for (const entry of entries) this.#writeEntry(entry);
    for (const { level, first, hashes } of nodes) this.#node.run(level, first, hashes);
    this.#writeHead(head, head.size - entries.length);
  }

  #writeEntry({ index, type, bytes, seq, previous }: EntryRow): void {
    this.#entry.run(index, bytes, seq ?? null, previous ?? null);
    if (!COMMON.has(type)) this.#rare.run(type, index);
  }

  #writeHead({ size, root, time }: Head, before: number): void {
    const { changes } = this.#head.run(size, root, time, before);
    if (changes === 1) return;
    if (before !== 0)
      throw new RangeError(`the stored log has not ${before} entries: somebody else has written`);
    this.#firstHead.run(size, root, time);
  }

  #writeJob(row: JobRow): void {
    const { escrowIndex, state, unbound, spent, refunded, openLeases } = row;
    const { changes } = this.#job.run(state, unbound, spent, refunded, openLeases, escrowIndex);
    if (changes === 1) return;
    const { id, requester, nonce, expires, work } = row;
    this.#newJob.run(
      escrowIndex,
      id,
      requester,
      nonce,
      expires,
      state,
      unbound,
      spent,
      refunded,
      openLeases,
      work,
    );
  }

  #writeLease(row: LeaseRow, isNew: boolean): void {
    if (!isNew && this.#updateLease(row)) return;
    const { index, id, job, provider, instance, revision, termsIndex, state, bound, reportBy, newest } = row;
    this.#newLease.run(index, id, job, provider, instance, revision, termsIndex, state, bound, reportBy);
    if (newest !== undefined || row.state === "settled") this.#updateLease(row);
  }

  #updateLease(row: LeaseRow): boolean {
    const { index, revision, termsIndex, state, bound, reportBy, newest } = row;
    const { changes } = this.#lease.run(
      revision,
      termsIndex,
      state,
      bound,
      reportBy,
      newest?.id ?? null,
      newest?.index ?? null,
      newest?.time ?? null,
      newest?.seq ?? null,
      newest?.count ?? null,
      newest?.payable ?? null,
      newest?.cancelled ?? null,
      newest?.fuel.toString() ?? null,
      newest?.bytes.toString() ?? null,
      newest?.amount ?? null,
      newest?.root ?? null,
      newest?.taskCount ?? null,
      newest?.tasksRoot ?? null,
      newest === undefined ? null : Number(newest.final),
      newest?.failed ?? null,
      newest?.peak.toString() ?? null,
      row.earned,
      row.held,
      row.forfeited,
      row.settledAt ?? null,
      row.drawn,
      row.judged,
      index,
    );
    return changes === 1;
  }

  #writeAccount({ peer, available, pending, escrowed, earned }: AccountRow): void {
    this.#account.run(peer, available, pending, escrowed, earned);
  }

  #writeEarnings({ peer, hour, amount, tasks }: EarningsRow): void {
    this.#earnings.run(peer, hour, amount, tasks);
  }

  #writeSpending({ apiKey, period, amount }: SpendingRow): void {
    this.#spending.run(apiKey, period, amount);
  }

  #writeDenial({ kind, value, reason }: Denial): void {
    if (reason === undefined) this.#undeny.run(kind, value);
    else this.#deny.run(kind, value, reason);
  }
}
