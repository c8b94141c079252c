import { DatabaseSync } from "node:sqlite";
import { type Cid, parseCid } from "../../protocol/cid.ts";
import { FIRST_LINE, LOG_KINDS, type LogLine, logLineHash } from "../../protocol/deployment-view.ts";
import { type PeerId, parsePeerId } from "../../protocol/peer-id.ts";
import { type MicroCredits, microCredits } from "../../protocol/units.ts";
import { big, blob, int, type Row, str } from "../store/rows.ts";
import { Statements } from "../store/statements.ts";
import { KEPT_ENDED_MS, MAX_KEPT_LINES } from "./limits.ts";

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA trusted_schema = OFF;
  CREATE TABLE IF NOT EXISTS deployments (
    name TEXT PRIMARY KEY, owner TEXT NOT NULL, created INTEGER NOT NULL, ended INTEGER,
    version INTEGER NOT NULL, runs INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS versions (
    name TEXT NOT NULL, role TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, since INTEGER NOT NULL,
    PRIMARY KEY (name, role)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS spendings (
    name TEXT NOT NULL, day INTEGER NOT NULL, nonce TEXT NOT NULL, amount INTEGER NOT NULL,
    PRIMARY KEY (name, day, nonce)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS lines (
    name TEXT NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, kind TEXT NOT NULL, words TEXT NOT NULL,
    run TEXT, cost INTEGER, prev TEXT NOT NULL,
    PRIMARY KEY (name, seq)
  ) STRICT, WITHOUT ROWID;
`;

export interface DeploymentRow {
  readonly name: string;
  readonly owner: PeerId;
  readonly created: number;
  readonly ended?: number;
  /** The highest that was ever deployed under the name. */
  readonly version: number;
  readonly runs: number;
  readonly failed: number;
}

/** The version that runs, and the one that is being tried. */
export type Role = "current" | "next";

export interface VersionRow {
  readonly name: string;
  readonly role: Role;
  /** CID of the deploy message. */
  readonly id: Cid;
  /** Encoded body of the message. */
  readonly body: Uint8Array;
  readonly since: number;
}

function deploymentRow(row: Row): DeploymentRow {
  return {
    name: str(row, "name"),
    owner: parsePeerId(str(row, "owner")),
    created: int(row, "created"),
    version: int(row, "version"),
    runs: int(row, "runs"),
    failed: int(row, "failed"),
    ...(row["ended"] === null ? {} : { ended: int(row, "ended") }),
  };
}

function versionRow(row: Row): VersionRow {
  return {
    name: str(row, "name"),
    role: str(row, "role") === "current" ? "current" : "next",
    id: parseCid(str(row, "id")),
    body: blob(row, "body"),
    since: int(row, "since"),
  };
}

function logLine(row: Row): LogLine {
  const kind = str(row, "kind");
  return {
    seq: int(row, "seq"),
    time: int(row, "time"),
    kind: LOG_KINDS.find((known) => known === kind) ?? "trouble",
    words: str(row, "words"),
    ...(row["run"] === null ? {} : { run: parseCid(str(row, "run")) }),
    ...(row["cost"] === null ? {} : { cost: microCredits(big(row, "cost")) }),
    prev: str(row, "prev"),
  };
}

type Value = string | number | bigint | Uint8Array | null;

/**
 * Deployments, what they have spent, and what happened to them, in a file of their own: it holds secrets of webhooks. What a method
 * has returned from is on the disk.
 */
export class DeploymentRows {
  readonly #database: DatabaseSync;
  readonly #ask: Statements;

  /** @param path of the file, or ":memory:" */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(SCHEMA);
    this.#ask = new Statements(this.#database);
  }

  find(name: string): DeploymentRow | undefined {
    return this.#ask.one(deploymentRow, "SELECT * FROM deployments WHERE name = ?", name);
  }

  /** Those that have not ended, by name. */
  all(): readonly DeploymentRow[] {
    return this.#ask.all(deploymentRow, "SELECT * FROM deployments WHERE ended IS NULL ORDER BY name");
  }

  versions(name: string): readonly VersionRow[] {
    return this.#ask.all(versionRow, "SELECT * FROM versions WHERE name = ? ORDER BY role", name);
  }

  /** A version is to be tried; one that was being tried is not any more. The name begins, or goes on, to be used. */
  propose(name: string, owner: PeerId, version: number, id: Cid, body: Uint8Array, nowMs: number): void {
    this.#together(() => {
      this.#run(
        `INSERT INTO deployments (name, owner, created, version) VALUES (?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, version = excluded.version, ended = NULL`,
        name,
        owner,
        nowMs,
        version,
      );
      this.#run("INSERT OR REPLACE INTO versions VALUES (?, 'next', ?, ?, ?)", name, id, body, nowMs);
    });
  }

  /** The version that was tried runs from now on. */
  promote(name: string, nowMs: number): void {
    this.#together(() => {
      this.#run("DELETE FROM versions WHERE name = ? AND role = 'current'", name);
      this.#run(
        "UPDATE versions SET role = 'current', since = ? WHERE name = ? AND role = 'next'",
        nowMs,
        name,
      );
    });
  }

  /** The version that was tried is given up. */
  dropNext(name: string): void {
    this.#run("DELETE FROM versions WHERE name = ? AND role = 'next'", name);
  }

  end(name: string, nowMs: number): void {
    this.#together(() => {
      this.#run("UPDATE deployments SET ended = ? WHERE name = ?", nowMs, name);
      this.#run("DELETE FROM versions WHERE name = ?", name);
    });
  }

  ran(name: string, ok: boolean): void {
    this.#run("UPDATE deployments SET runs = runs + 1, failed = failed + ? WHERE name = ?", ok ? 0 : 1, name);
  }

  /**
   * What a run may cost counts from its start, once for each nonce; again for one that goes on, whatever was noted when it was left.
   * @param day its beginning, milliseconds since 1970 @returns whether nothing was noted of it before
   */
  reserve(name: string, day: number, nonce: string, amount: bigint): boolean {
    return this.#together(() => {
      const { changes } = this.#ask
        .get("INSERT OR IGNORE INTO spendings VALUES (?, ?, ?, ?)")
        .run(name, day, nonce, amount);
      if (Number(changes) === 1) return true;
      this.#run(
        "UPDATE spendings SET amount = MAX(amount, ?) WHERE name = ? AND day = ? AND nonce = ?",
        amount,
        name,
        day,
        nonce,
      );
      return false;
    });
  }

  /** What it has cost takes the place of what it might have. */
  settle(name: string, day: number, nonce: string, amount: bigint): void {
    this.#run(
      "UPDATE spendings SET amount = ? WHERE name = ? AND day = ? AND nonce = ?",
      amount,
      name,
      day,
      nonce,
    );
  }

  /** Spent or set aside in a day. @param except a run that is not counted */
  spent(name: string, day: number, except: string): MicroCredits {
    const sum = this.#ask.one(
      (row) => big(row, "sum"),
      "SELECT COALESCE(SUM(amount), 0) AS sum FROM spendings WHERE name = ? AND day = ? AND nonce <> ?",
      name,
      day,
      except,
    );
    return microCredits(sum ?? 0n);
  }

  /** Adds a line behind the last one. */
  append(name: string, line: Omit<LogLine, "seq" | "prev">): LogLine {
    return this.#together(() => {
      const last = this.#ask.one(
        logLine,
        "SELECT * FROM lines WHERE name = ? ORDER BY seq DESC LIMIT 1",
        name,
      );
      const seq = last === undefined ? 0 : last.seq + 1;
      const prev = last === undefined ? FIRST_LINE : logLineHash(name, last);
      const { time, kind, words, run, cost } = line;
      this.#run(
        "INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        name,
        seq,
        time,
        kind,
        words,
        run ?? null,
        cost ?? null,
        prev,
      );
      if (seq % 1_000 === 0)
        this.#run("DELETE FROM lines WHERE name = ? AND seq < ?", name, seq - MAX_KEPT_LINES);
      return { ...line, seq, prev };
    });
  }

  /** Oldest first. @param from the first `seq` */
  lines(name: string, from: number, limit: number): readonly LogLine[] {
    return this.#ask.all(
      logLine,
      "SELECT * FROM lines WHERE name = ? AND seq >= ? ORDER BY seq LIMIT ?",
      name,
      from,
      limit,
    );
  }

  /** Forgets what ended long ago, and spendings of days gone by. */
  forget(nowMs: number): void {
    const before = nowMs - KEPT_ENDED_MS;
    this.#run("DELETE FROM lines WHERE name IN (SELECT name FROM deployments WHERE ended < ?)", before);
    this.#run("DELETE FROM deployments WHERE ended < ?", before);
    this.#run("DELETE FROM spendings WHERE day < ?", before);
  }

  /** Idempotent. */
  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #run(sql: string, ...values: readonly Value[]): void {
    this.#ask.get(sql).run(...values);
  }

  #together<T>(change: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = change();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
