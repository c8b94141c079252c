import { backup, DatabaseSync } from "node:sqlite";
import type { Cid } from "../../protocol/cid.ts";
import type { EntryType } from "../../protocol/messages/entry.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { BatchWriter } from "./batch-writer.ts";
import type {
  AccountRow,
  Batch,
  BooksStore,
  Denial,
  DenialKind,
  EarningsRow,
  Head,
  JobRow,
  LeaseRow,
  NodeRun,
  SpendingRow,
} from "./books-store.ts";
import { migrate, requireNewest } from "./migrations.ts";
import type { AuditStore } from "./audit-rows.ts";
import type { PayoutStore } from "./payout-rows.ts";
import type { SiteStore } from "./site-rows.ts";
import type { PublishedRow } from "./published-rows.ts";
import {
  accountRow,
  big,
  blob,
  cidIn,
  earningsRow,
  int,
  jobRow,
  leaseRow,
  publishedRow,
  type Row,
  spendingRow,
  str,
} from "./rows.ts";
import { Statements } from "./statements.ts";
import { SqliteAudits } from "./sqlite-audits.ts";
import type { HistoryStore } from "./history-rows.ts";
import { SqliteHistory } from "./sqlite-history.ts";
import { SqlitePayouts } from "./sqlite-payouts.ts";
import type { RunStore } from "./run-rows.ts";
import { SqliteRuns } from "./sqlite-runs.ts";
import { SqliteSites } from "./sqlite-sites.ts";

/**
 * WAL, so that a commit is one append and readers never wait; FULL, so that it is on the disk when it returns. EXCLUSIVE,
 * so that a second relay on the same file fails to start instead of building on stale balances. 32 MiB of pages are kept:
 * the indexes of a log's jobs and leases soon exceed the 2 MB that are usual, and then each commit reads them again.
 */
const PRAGMAS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA trusted_schema = OFF;
  PRAGMA cache_size = -32768;
`;

function idOf(row: Row): Cid {
  return cidIn(row, "id");
}

/** The books in one SQLite database, by Node's own binding. */
class SqliteStore implements BooksStore {
  readonly #database: DatabaseSync;
  readonly #ask: Statements;
  readonly #writer: BatchWriter;
  readonly payouts: PayoutStore;
  readonly sites: SiteStore;
  readonly runs: RunStore;
  readonly audits: AuditStore;
  readonly history: HistoryStore;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#ask = new Statements(database);
    this.#writer = new BatchWriter(database);
    this.payouts = new SqlitePayouts(database);
    this.sites = new SqliteSites(database);
    this.runs = new SqliteRuns(database);
    this.audits = new SqliteAudits(database);
    this.history = new SqliteHistory(database);
  }

  head(): Head | undefined {
    return this.#ask.one(
      (row) => ({ size: int(row, "size"), root: blob(row, "root"), time: int(row, "time") }),
      "SELECT * FROM head",
    );
  }

  entry(index: number): Uint8Array | undefined {
    return this.#ask.one((row) => blob(row, "bytes"), "SELECT bytes FROM entries WHERE idx = ?", index);
  }

  entries(first: number, count: number): readonly Uint8Array[] {
    return this.#ask.all(
      (row) => blob(row, "bytes"),
      "SELECT bytes FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx",
      first,
      first + count,
    );
  }

  entriesOf(type: EntryType): readonly number[] {
    return this.#ask.all(
      (row) => int(row, "idx"),
      "SELECT idx FROM rare_entries WHERE type = ? ORDER BY idx",
      type,
    );
  }

  receiptEntry(from: number, seq: number): number | undefined {
    return this.#ask.one(
      (row) => int(row, "idx"),
      `WITH RECURSIVE chain (idx, seq, previous) AS (
         SELECT idx, seq, previous FROM entries WHERE idx = ?
         UNION ALL
         SELECT e.idx, e.seq, e.previous FROM entries e JOIN chain c ON e.idx = c.previous WHERE c.seq > ?
       ) SELECT idx FROM chain WHERE seq = ?`,
      from,
      seq,
      seq,
    );
  }

  previousEntry(index: number): number | undefined {
    return this.#ask.one(
      (row) => int(row, "previous"),
      "SELECT previous FROM entries WHERE idx = ? AND previous IS NOT NULL",
      index,
    );
  }

  nodes(level: number, index: number): NodeRun | undefined {
    return this.#ask.one(
      (row) => ({ level, first: int(row, "first"), hashes: blob(row, "hashes") }),
      "SELECT first, hashes FROM nodes WHERE level = ? AND first <= ? ORDER BY first DESC LIMIT 1",
      level,
      index,
    );
  }

  job(id: Cid): JobRow | undefined {
    return this.#ask.one(jobRow, "SELECT * FROM jobs WHERE id = ?", id);
  }

  jobOf(requester: PeerId, nonce: Uint8Array): Cid | undefined {
    return this.#ask.one(idOf, "SELECT id FROM jobs WHERE requester = ? AND nonce = ?", requester, nonce);
  }

  lease(id: Cid): LeaseRow | undefined {
    return this.#ask.one(leaseRow, "SELECT * FROM leases WHERE id = ?", id);
  }

  leasesOf(job: Cid): readonly LeaseRow[] {
    return this.#ask.all(leaseRow, "SELECT * FROM leases WHERE job = ? ORDER BY idx", job);
  }

  leasesBoundTo(instance: PeerId): readonly Cid[] {
    return this.#ask.all(
      idOf,
      "SELECT id FROM leases WHERE instance = ? AND state <> 'settled' ORDER BY idx",
      instance,
    );
  }

  account(peer: PeerId): AccountRow | undefined {
    return this.#ask.one(accountRow, "SELECT * FROM accounts WHERE peer = ?", peer);
  }

  due(time: number, limit: number): { readonly leases: readonly Cid[]; readonly jobs: readonly Cid[] } {
    return {
      leases: this.#ask.all(
        idOf,
        "SELECT id FROM leases WHERE state <> 'settled' AND report_by < ? ORDER BY report_by LIMIT ?",
        time,
        limit,
      ),
      jobs: this.#ask.all(
        idOf,
        "SELECT id FROM jobs WHERE state = 'open' AND expires < ? ORDER BY expires LIMIT ?",
        time,
        limit,
      ),
    };
  }

  receiptsOf(provider: PeerId, before: number, limit: number): readonly LeaseRow[] {
    return this.#ask.all(
      leaseRow,
      "SELECT * FROM leases WHERE provider = ? AND receipt_index < ? ORDER BY receipt_index DESC LIMIT ?",
      provider,
      before,
      limit,
    );
  }

  earnings(peer: PeerId, from: number): readonly EarningsRow[] {
    return this.#ask.all(
      earningsRow,
      "SELECT * FROM earnings WHERE peer = ? AND hour >= ? ORDER BY hour",
      peer,
      from,
    );
  }

  issued(): bigint {
    return (
      this.#ask.one(
        (row) => big(row, "issued"),
        `SELECT (SELECT COALESCE(SUM(available + pending + escrowed), 0) FROM accounts)
          + (SELECT COALESCE(SUM(held + bond), 0) FROM providers)
          + (SELECT COALESCE(SUM(total), 0) FROM payout_batches WHERE state = 'prepared') AS issued`,
      ) ?? 0n
    );
  }

  spending(apiKey: Cid, period: number): bigint {
    const amount = this.#ask.one(
      (row) => big(row, "amount"),
      "SELECT amount FROM spendings WHERE api_key = ? AND period = ?",
      apiKey,
      period,
    );
    return amount ?? 0n;
  }

  denial(kind: DenialKind, value: string): string | undefined {
    return this.#ask.one(
      (row) => str(row, "reason"),
      "SELECT reason FROM denials WHERE kind = ? AND value = ?",
      kind,
      value,
    );
  }

  denials(): readonly Denial[] {
    return this.#ask.all(
      (row): Denial => ({
        kind: str(row, "kind") === "cid" ? "cid" : "peer",
        value: str(row, "value"),
        reason: str(row, "reason"),
      }),
      "SELECT * FROM denials ORDER BY kind, value",
    );
  }

  evidence(cid: Cid): Uint8Array | undefined {
    return this.#ask.one((row) => blob(row, "bytes"), "SELECT bytes FROM evidence WHERE cid = ?", cid);
  }

  secret(name: string): Uint8Array | undefined {
    return this.#ask.one((row) => blob(row, "value"), "SELECT value FROM secrets WHERE name = ?", name);
  }

  everything(): {
    readonly accounts: readonly AccountRow[];
    readonly jobs: readonly JobRow[];
    readonly leases: readonly LeaseRow[];
    readonly spendings: readonly SpendingRow[];
  } {
    return {
      accounts: this.#ask.all(accountRow, "SELECT * FROM accounts"),
      jobs: this.#ask.all(jobRow, "SELECT * FROM jobs"),
      leases: this.#ask.all(leaseRow, "SELECT * FROM leases"),
      spendings: this.#ask.all(spendingRow, "SELECT * FROM spendings"),
    };
  }

  publishedModels(): readonly PublishedRow[] {
    return this.#ask.all(publishedRow, "SELECT * FROM published_models ORDER BY name");
  }

  putPublished({ name, model, publisher, published, manifest }: PublishedRow): void {
    this.#ask
      .get("INSERT OR REPLACE INTO published_models VALUES (?, ?, ?, ?, ?)")
      .run(name, model, publisher, published, manifest);
  }

  removePublished(name: string): void {
    this.#ask.get("DELETE FROM published_models WHERE name = ?").run(name);
  }

  commit(batch: Batch): void {
    this.#writer.write(batch);
  }

  async backup(path: string): Promise<void> {
    await backup(this.#database, path);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

/**
 * Opens or creates the books.
 * @param path a file, or ":memory:".
 * @throws when another process uses the file, or a later version of this program wrote it.
 */
export function openSqliteStore(path: string): BooksStore {
  const database = new DatabaseSync(path);
  try {
    database.exec(PRAGMAS);
    migrate(database);
    return new SqliteStore(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Opens books that are there, to read them alone: nothing of them is changed.
 * @throws when there are none or another process uses them; RangeError when they are of another version.
 */
export function readSqliteStore(path: string): BooksStore {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    requireNewest(database);
    return new SqliteStore(database);
  } catch (error) {
    database.close();
    throw error;
  }
}
