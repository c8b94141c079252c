import type { DatabaseSync } from "node:sqlite";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import { jobMessage } from "../../protocol/messages/job.ts";
import { runHoldersMessage, runMessage } from "../../protocol/messages/run.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { AUDIT_TABLES } from "./sqlite-audits.ts";
import { HISTORY_TABLES } from "./sqlite-history.ts";
import { PAYOUT_TABLES } from "./sqlite-payouts.ts";
import { HOLDING_TABLES, RUN_TABLES } from "./sqlite-runs.ts";
import { SITE_TABLES } from "./sqlite-sites.ts";

/**
 * Steps from one schema version to the next; the version is the database's `user_version`. A step that has been released
 * is never changed. Money is a signed 64-bit integer (the books issue less than 2^63); fuel and bytes may be larger and
 * are decimal text.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    size INTEGER NOT NULL, root BLOB NOT NULL, time INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE entries (
    idx INTEGER PRIMARY KEY, bytes BLOB NOT NULL, seq INTEGER, previous INTEGER
  ) STRICT;
  CREATE TABLE rare_entries (
    type TEXT NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (type, idx)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE nodes (
    level INTEGER NOT NULL, first INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, first)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE accounts (
    peer TEXT PRIMARY KEY,
    available INTEGER NOT NULL, pending INTEGER NOT NULL, escrowed INTEGER NOT NULL, earned INTEGER NOT NULL,
    CHECK (available >= 0 AND pending >= 0 AND escrowed >= 0 AND earned >= 0)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE jobs (
    escrow_index INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE, requester TEXT NOT NULL, nonce BLOB NOT NULL, expires INTEGER NOT NULL,
    state TEXT NOT NULL, unbound INTEGER NOT NULL CHECK (unbound >= 0),
    spent INTEGER NOT NULL, refunded INTEGER NOT NULL, open_leases INTEGER NOT NULL,
    UNIQUE (requester, nonce)
  ) STRICT;
  CREATE INDEX jobs_due ON jobs (expires) WHERE state = 'open';
  CREATE TABLE leases (
    idx INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE, job TEXT NOT NULL, provider TEXT NOT NULL, instance TEXT NOT NULL,
    revision TEXT NOT NULL, terms_index INTEGER NOT NULL, state TEXT NOT NULL,
    bound INTEGER NOT NULL CHECK (bound >= 0), report_by INTEGER NOT NULL,
    receipt TEXT, receipt_index INTEGER, receipt_time INTEGER, seq INTEGER, count INTEGER, payable INTEGER,
    cancelled INTEGER, fuel TEXT, bytes TEXT, amount INTEGER, root BLOB, task_count INTEGER, tasks_root BLOB,
    final INTEGER
  ) STRICT;
  CREATE INDEX leases_of_job ON leases (job);
  CREATE INDEX leases_due ON leases (report_by) WHERE state <> 'settled';
  CREATE INDEX leases_bound ON leases (instance) WHERE state <> 'settled';
  CREATE INDEX receipts_of ON leases (provider, receipt_index) WHERE receipt_index IS NOT NULL;
  CREATE TABLE earnings (
    peer TEXT NOT NULL, hour INTEGER NOT NULL, amount INTEGER NOT NULL, tasks INTEGER NOT NULL,
    PRIMARY KEY (peer, hour)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE denials (
    kind TEXT NOT NULL, value TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (kind, value)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE spendings (
    api_key TEXT NOT NULL, period INTEGER NOT NULL, amount INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (api_key, period)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE published_models (
    name TEXT PRIMARY KEY, model TEXT NOT NULL, publisher TEXT NOT NULL, published INTEGER NOT NULL,
    manifest BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  PAYOUT_TABLES,
  AUDIT_TABLES,
  `
  CREATE TABLE evidence (cid TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;
  `,
  HISTORY_TABLES,
  SITE_TABLES,
  RUN_TABLES,
  HOLDING_TABLES,
];

/** For migrations: what the job of an escrow entry computes. */
function workOfEscrow(bytes: unknown): string {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("a job's escrow entry is not there");
  return openEnvelope(jobMessage, decodeEntryOf("escrow", bytes).body.envelope).body.work.cid;
}

/** For migrations: whom a run-holders entry names, as a JSON list. */
function holdersOfEntry(bytes: unknown): string {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("a run's run-holders entry is not there");
  const { envelope } = decodeEntryOf("run-holders", bytes).body;
  return JSON.stringify(openEnvelope(runHoldersMessage, envelope).body.holders);
}

/** For migrations: until when the run of an entry lasts. */
function untilOfEntry(bytes: unknown): number {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("a run's entry is not there");
  return openEnvelope(runMessage, decodeEntryOf("run", bytes).body.envelope).body.notAfter;
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}

/** @throws RangeError for a database of another version than this program's. */
export function requireNewest(database: DatabaseSync): void {
  const version = versionOf(database);
  if (version !== MIGRATIONS.length)
    throw new RangeError(`the database has schema ${version}, this program reads ${MIGRATIONS.length}`);
}

/**
 * Brings a database to the newest schema, each step in a transaction of its own.
 * @throws RangeError for a database written by a later version.
 */
export function migrate(database: DatabaseSync, migrations: readonly string[] = MIGRATIONS): void {
  const version = versionOf(database);
  if (version > migrations.length)
    throw new RangeError(`the database has schema ${version}, this program knows ${migrations.length}`);
  database.function("work_of_escrow", { deterministic: true, directOnly: true }, workOfEscrow);
  database.function("until_of", { deterministic: true, directOnly: true }, untilOfEntry);
  database.function("holders_of", { deterministic: true, directOnly: true }, holdersOfEntry);
  for (const [step, sql] of migrations.entries()) {
    if (step < version) continue;
    try {
      database.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version = ${step + 1}; COMMIT`);
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }
}
