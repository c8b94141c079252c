/** Of the file that keeps what waits for runs. What a method has returned from is on the disk. */
export const MAIL_PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA trusted_schema = OFF;
`;

/** Files of before had no version: their tables are those of the first step. */
const FIRST = `
  CREATE TABLE IF NOT EXISTS mailboxes (
    run TEXT PRIMARY KEY, payer TEXT NOT NULL, name TEXT NOT NULL, plan BLOB NOT NULL, params BLOB NOT NULL, steps INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
    value_bytes INTEGER NOT NULL DEFAULT 0, kept_until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS steps (
    run TEXT NOT NULL, place INTEGER NOT NULL, id TEXT NOT NULL, signer TEXT NOT NULL, step TEXT NOT NULL,
    envelope BLOB NOT NULL, PRIMARY KEY (run, place)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS steps_of ON steps (run, signer, step);
  CREATE TABLE IF NOT EXISTS senders (
    run TEXT NOT NULL, signer TEXT NOT NULL, steps INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (run, signer)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS named (
    run TEXT NOT NULL, cid TEXT NOT NULL, is_here INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (run, cid)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS returns (
    run TEXT PRIMARY KEY, due INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS returned (run TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;

/** Two peers may sign the same words: each has its own receipt. */
const STEPS_BY_SIGNER = `
  DROP INDEX IF EXISTS steps_by_id;
  CREATE UNIQUE INDEX steps_signed ON steps (run, id, signer);
`;

/** Plans are large, and whoever looks at boxes does not want to read over them. */
const PLANS_APART = `
  CREATE TABLE boxes (
    run TEXT PRIMARY KEY, payer TEXT NOT NULL, name TEXT NOT NULL, steps INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL,
    value_bytes INTEGER NOT NULL DEFAULT 0, kept_until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE plans (run TEXT PRIMARY KEY, plan BLOB NOT NULL, params BLOB NOT NULL) STRICT;
  INSERT INTO boxes SELECT run, payer, name, steps, bytes, value_bytes, kept_until FROM mailboxes;
  INSERT INTO plans SELECT run, plan, params FROM mailboxes;
  DROP TABLE mailboxes;
  CREATE INDEX boxes_of ON boxes (payer, kept_until);
  CREATE INDEX boxes_until ON boxes (kept_until);
`;

/** Each is a step of the file's version. */
export const MAIL_MIGRATIONS: readonly string[] = [FIRST, STEPS_BY_SIGNER, PLANS_APART];

/** Whatever is kept of a run is in these, under its CID. */
export const TABLES_OF_RUNS = ["boxes", "plans", "steps", "senders", "named", "returns", "returned"] as const;
