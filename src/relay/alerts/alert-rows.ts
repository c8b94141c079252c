import { DatabaseSync } from "node:sqlite";
import { type Cid, parseCid } from "../../protocol/cid.ts";
import { blob, int, type Row, str } from "../store/rows.ts";
import { Statements } from "../store/statements.ts";
import { KEPT_CALLS_MS, MAX_WAITING_CALLS } from "./limits.ts";

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA trusted_schema = OFF;
  CREATE TABLE IF NOT EXISTS alerts (
    id TEXT PRIMARY KEY, body BLOB NOT NULL, created INTEGER NOT NULL,
    is_low INTEGER NOT NULL DEFAULT 0, works INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0, delivered_at INTEGER, failed_at INTEGER, failure TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS calls (
    alert TEXT NOT NULL, event TEXT NOT NULL, body TEXT NOT NULL, created INTEGER NOT NULL,
    due INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, done INTEGER,
    PRIMARY KEY (alert, event)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS calls_due ON calls (due) WHERE done IS NULL;
  CREATE TABLE IF NOT EXISTS removed (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS progress (
    one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS push_keys (
    one INTEGER PRIMARY KEY CHECK (one = 1), public TEXT NOT NULL, private TEXT NOT NULL
  ) STRICT;
`;

/** One alert as it is kept. */
export interface AlertRow {
  readonly id: Cid;
  /** Encoded body of the alert message. */
  readonly body: Uint8Array;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** Whether the balance was below the threshold when it was looked at last. */
  readonly isLow: boolean;
  /** Whether somebody worked for the account when it was looked at last. */
  readonly works: boolean;
  readonly delivered: number;
  readonly deliveredAt?: number;
  readonly failedAt?: number;
  readonly failure?: string;
}

/** One call to be made. */
export interface CallRow {
  readonly alert: Cid;
  /** Names the event among those of its alert: the same one is told once. */
  readonly event: string;
  /** JSON. */
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly due: number;
  readonly attempts: number;
}

export interface PushKeys {
  /** Base64url. */
  readonly public: string;
  readonly private: string;
}

function optional<K extends string, T>(key: K, value: T | null | undefined): { readonly [P in K]?: T } {
  const none: { readonly [P in K]?: T } = {};
  return value === null || value === undefined ? none : { ...none, [key]: value };
}

function alertRow(row: Row): AlertRow {
  const deliveredAt = row["delivered_at"] === null ? undefined : int(row, "delivered_at");
  const failedAt = row["failed_at"] === null ? undefined : int(row, "failed_at");
  return {
    id: parseCid(str(row, "id")),
    body: blob(row, "body"),
    created: int(row, "created"),
    isLow: int(row, "is_low") === 1,
    works: int(row, "works") === 1,
    delivered: int(row, "delivered"),
    ...optional("deliveredAt", deliveredAt),
    ...optional("failedAt", failedAt),
    ...optional("failure", row["failure"] === null ? undefined : str(row, "failure")),
  };
}

function callRow(row: Row): CallRow {
  return {
    alert: parseCid(str(row, "alert")),
    event: str(row, "event"),
    body: str(row, "body"),
    created: int(row, "created"),
    due: int(row, "due"),
    attempts: int(row, "attempts"),
  };
}

/**
 * Alerts and the calls that wait, in a file of their own beside the books: none of it moves money, and it holds what others must not
 * see. What a method has returned from is on the disk.
 */
export class AlertRows {
  readonly #database: DatabaseSync;
  readonly #ask: Statements;

  /** @param path of the file, or ":memory:" */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(SCHEMA);
    this.#ask = new Statements(this.#database);
  }

  alerts(): readonly AlertRow[] {
    return this.#ask.all(alertRow, "SELECT * FROM alerts ORDER BY created, id");
  }

  alert(id: Cid): AlertRow | undefined {
    return this.#ask.one(alertRow, "SELECT * FROM alerts WHERE id = ?", id);
  }

  add(id: Cid, body: Uint8Array, created: number): void {
    this.#run("INSERT OR IGNORE INTO alerts (id, body, created) VALUES (?, ?, ?)", id, body, created);
  }

  /** With what it had to tell. It is not added again before `forgetRemoved` has forgotten it. */
  remove(id: Cid, nowMs: number): void {
    this.#together(() => {
      this.#run("DELETE FROM alerts WHERE id = ?", id);
      this.#run("DELETE FROM calls WHERE alert = ?", id);
      this.#run("INSERT OR REPLACE INTO removed VALUES (?, ?)", id, nowMs);
    });
  }

  wasRemoved(id: Cid): boolean {
    return this.#ask.one(() => true, "SELECT 1 FROM removed WHERE id = ?", id) === true;
  }

  /** @param beforeMs those removed before may be added again: their messages are too old by now */
  forgetRemoved(beforeMs: number): void {
    this.#run("DELETE FROM removed WHERE at < ?", beforeMs);
  }

  setLow(id: Cid, isLow: boolean): void {
    this.#run("UPDATE alerts SET is_low = ? WHERE id = ?", Number(isLow), id);
  }

  setWorks(id: Cid, works: boolean): void {
    this.#run("UPDATE alerts SET works = ? WHERE id = ?", Number(works), id);
  }

  /** Size of the log up to which entries were looked at; undefined at the first start. */
  progress(): number | undefined {
    return this.#ask.one((row) => int(row, "size"), "SELECT size FROM progress");
  }

  /**
   * Several changes at once, with how far the log was looked at: after a crash the rest is looked at again, and nothing is told twice.
   * @throws what `change` throws; nothing is changed then
   */
  advance(size: number, change: () => void): void {
    this.#together(() => {
      change();
      this.#run("INSERT OR REPLACE INTO progress VALUES (1, ?)", size);
    });
  }

  /** An event that was told already, or waits, is passed over; of too many that wait the oldest go. */
  addCall(alert: Cid, event: string, body: string, nowMs: number): void {
    this.#run(
      "INSERT OR IGNORE INTO calls (alert, event, body, created, due) VALUES (?, ?, ?, ?, ?)",
      alert,
      event,
      body,
      nowMs,
      nowMs,
    );
    this.#run(
      `DELETE FROM calls WHERE alert = ? AND done IS NULL AND event NOT IN (
         SELECT event FROM calls WHERE alert = ? AND done IS NULL ORDER BY created DESC, event DESC LIMIT ?)`,
      alert,
      alert,
      MAX_WAITING_CALLS,
    );
  }

  /** Calls whose time has come, those that wait longest first. */
  due(nowMs: number, limit: number): readonly CallRow[] {
    return this.#ask.all(
      callRow,
      "SELECT * FROM calls WHERE done IS NULL AND due <= ? ORDER BY due, alert, event LIMIT ?",
      nowMs,
      limit,
    );
  }

  waiting(alert: Cid): number {
    return (
      this.#ask.one(
        (row) => int(row, "n"),
        "SELECT COUNT(*) AS n FROM calls WHERE alert = ? AND done IS NULL",
        alert,
      ) ?? 0
    );
  }

  delivered({ alert, event }: CallRow, nowMs: number): void {
    this.#together(() => {
      this.#run("UPDATE calls SET done = ? WHERE alert = ? AND event = ?", nowMs, alert, event);
      this.#run(
        `UPDATE alerts SET delivered = delivered + 1, delivered_at = ?, failed_at = NULL, failure = NULL
         WHERE id = ?`,
        nowMs,
        alert,
      );
      this.#run("DELETE FROM calls WHERE done < ?", nowMs - KEPT_CALLS_MS);
    });
  }

  /** Its target is called too often just now. */
  postpone({ alert, event }: CallRow, due: number): void {
    this.#run("UPDATE calls SET due = ? WHERE alert = ? AND event = ?", due, alert, event);
  }

  /** @param due when it is tried again; absent where it is given up */
  failed({ alert, event }: CallRow, words: string, nowMs: number, due: number | undefined): void {
    this.#together(() => {
      if (due === undefined)
        this.#run("UPDATE calls SET done = ? WHERE alert = ? AND event = ?", nowMs, alert, event);
      else
        this.#run(
          "UPDATE calls SET due = ?, attempts = attempts + 1 WHERE alert = ? AND event = ?",
          due,
          alert,
          event,
        );
      this.#run("UPDATE alerts SET failed_at = ?, failure = ? WHERE id = ?", nowMs, words, alert);
    });
  }

  /** The keys by which push services know this relay. */
  pushKeys(): PushKeys | undefined {
    return this.#ask.one(
      (row) => ({ public: str(row, "public"), private: str(row, "private") }),
      "SELECT * FROM push_keys",
    );
  }

  /** For good: browsers subscribe under them. What is there already stays. */
  keepPushKeys(keys: PushKeys): void {
    this.#run("INSERT OR IGNORE INTO push_keys VALUES (1, ?, ?)", keys.public, keys.private);
  }

  /** Idempotent. */
  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #run(sql: string, ...values: readonly (string | number | Uint8Array)[]): void {
    this.#ask.get(sql).run(...values);
  }

  #together(change: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      change();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
