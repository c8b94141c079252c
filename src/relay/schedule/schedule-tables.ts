import type { DatabaseSync } from "node:sqlite";

/** Two processes that wait for each other's commits do so this long, ms. */
export const BUSY_MS = 10_000;

const SCHEMA = `
  PRAGMA busy_timeout = ${BUSY_MS};
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA trusted_schema = OFF;
  CREATE TABLE IF NOT EXISTS triggers (
    deployment TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, terms BLOB NOT NULL, since INTEGER NOT NULL,
    through INTEGER NOT NULL, due INTEGER, progress TEXT,
    PRIMARY KEY (deployment, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS triggers_due ON triggers (due) WHERE due IS NOT NULL;
  CREATE TABLE IF NOT EXISTS firings (
    deployment TEXT NOT NULL, trigger TEXT NOT NULL, event TEXT NOT NULL,
    at INTEGER NOT NULL, created INTEGER NOT NULL, payload BLOB,
    due INTEGER, token INTEGER NOT NULL DEFAULT 0, holder TEXT,
    attempts INTEGER NOT NULL DEFAULT 0, run TEXT, ended INTEGER, ok INTEGER, words TEXT, begun INTEGER,
    PRIMARY KEY (deployment, trigger, event)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS firings_due ON firings (deployment, at, due) WHERE due IS NOT NULL;
  CREATE INDEX IF NOT EXISTS firings_ended ON firings (ended) WHERE ended IS NOT NULL;
`;

/** Makes what is missing of them. Files of before had no `begun`: the time of a firing's run began when it was written down. */
export function createTables(database: DatabaseSync): void {
  database.exec(SCHEMA);
  database.exec("BEGIN IMMEDIATE");
  try {
    const begun = database.prepare("SELECT 1 FROM pragma_table_info('firings') WHERE name = 'begun'").get();
    if (begun === undefined) database.exec("ALTER TABLE firings ADD COLUMN begun INTEGER");
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}
