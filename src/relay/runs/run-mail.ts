import { DatabaseSync } from "node:sqlite";
import type { Cid } from "../../protocol/cid.ts";
import { parsePeerId, type PeerId } from "../../protocol/peer-id.ts";
import { blob, cidIn, int, type Row, str } from "../store/rows.ts";
import { Statements } from "../store/statements.ts";

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA trusted_schema = OFF;
  CREATE TABLE IF NOT EXISTS mailboxes (
    run TEXT PRIMARY KEY, payer TEXT NOT NULL, name TEXT NOT NULL, plan BLOB NOT NULL, params BLOB NOT NULL, steps INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
    value_bytes INTEGER NOT NULL DEFAULT 0, kept_until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS mailboxes_of ON mailboxes (payer, kept_until);
  CREATE INDEX IF NOT EXISTS mailboxes_until ON mailboxes (kept_until);
  CREATE TABLE IF NOT EXISTS steps (
    run TEXT NOT NULL, place INTEGER NOT NULL, id TEXT NOT NULL, signer TEXT NOT NULL, step TEXT NOT NULL,
    envelope BLOB NOT NULL, PRIMARY KEY (run, place)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX IF NOT EXISTS steps_by_id ON steps (run, id);
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

/** What a box begins with. */
export interface NewBox {
  readonly run: Cid;
  readonly payer: PeerId;
  /** Of its plan. */
  readonly name: string;
  readonly plan: Uint8Array;
  readonly params: Uint8Array;
  /** Milliseconds since 1970. */
  readonly keptUntil: number;
  /** Values that the parameters name. */
  readonly values: readonly Cid[];
}

/** How much waits. */
export interface MailBytes {
  /** Plan, parameters and receipts. */
  readonly bytes: number;
  readonly valueBytes: number;
}

/** What waits for one run. */
export interface BoxRow extends MailBytes {
  readonly run: Cid;
  readonly payer: PeerId;
  /** Of its plan. */
  readonly name: string;
  readonly steps: number;
  /** Milliseconds since 1970. */
  readonly keptUntil: number;
}

export interface StepRow {
  readonly place: number;
  readonly envelope: Uint8Array;
}

/** A receipt that is to be kept. */
export interface NewStep {
  readonly id: Cid;
  readonly signer: PeerId;
  /** Names the step among those of its signer. */
  readonly step: string;
  readonly envelope: Uint8Array;
  /** Values that it names. */
  readonly values: readonly Cid[];
}

export interface SenderRow {
  readonly signer: PeerId;
  readonly steps: number;
  readonly bytes: number;
}

/** A run's end that is to be told to its return address. */
export interface ReturnRow {
  readonly run: Cid;
  readonly attempts: number;
}

/** All but the bytes. */
const BOX = "run, payer, name, steps, bytes, value_bytes, kept_until";

function boxRow(row: Row): BoxRow {
  return {
    run: cidIn(row, "run"),
    payer: parsePeerId(str(row, "payer")),
    name: str(row, "name"),
    steps: int(row, "steps"),
    bytes: int(row, "bytes"),
    valueBytes: int(row, "value_bytes"),
    keptUntil: int(row, "kept_until"),
  };
}

function mailBytes(row: Row): MailBytes {
  return { bytes: int(row, "bytes"), valueBytes: int(row, "value_bytes") };
}

function count(row: Row): number {
  return int(row, "count");
}

/**
 * Mailboxes of runs: plans, receipts, and which values wait. A file of its own beside the books: it moves no money, and whoever loses it
 * has to ask the peers of the run.
 */
export class RunMail {
  readonly #database: DatabaseSync;
  readonly #ask: Statements;

  /** @param path of the file, or ":memory:" */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(SCHEMA);
    this.#ask = new Statements(this.#database);
  }

  box(run: Cid): BoxRow | undefined {
    return this.#ask.one(boxRow, `SELECT ${BOX} FROM mailboxes WHERE run = ?`, run);
  }

  /** Nothing changes where there is a box already. */
  openBox({ run, payer, name, plan, params, keptUntil, values }: NewBox): void {
    this.#write(() => {
      this.#run(
        "INSERT OR IGNORE INTO mailboxes (run, payer, name, plan, params, bytes, kept_until) VALUES (?, ?, ?, ?, ?, ?, ?)",
        run,
        payer,
        name,
        plan,
        params,
        plan.length + params.length,
        keptUntil,
      );
      this.#name(run, values);
    });
  }

  /** The plan of a run, encoded, and its parameters. */
  terms(run: Cid): { readonly plan: Uint8Array; readonly params: Uint8Array } | undefined {
    return this.#ask.one(
      (row) => ({ plan: blob(row, "plan"), params: blob(row, "params") }),
      "SELECT plan, params FROM mailboxes WHERE run = ?",
      run,
    );
  }

  /** The run's end names a value. */
  addName(run: Cid, value: Cid): void {
    this.#name(run, [value]);
  }

  keepUntil(run: Cid, time: number): void {
    this.#run("UPDATE mailboxes SET kept_until = ? WHERE run = ?", time, run);
  }

  has(run: Cid, step: Cid): boolean {
    return (
      this.#ask.one(count, "SELECT 1 AS count FROM steps WHERE run = ? AND id = ?", run, step) !== undefined
    );
  }

  /** Receipts of a signer for one step. */
  versions(run: Cid, signer: PeerId, step: string): number {
    return (
      this.#ask.one(
        count,
        "SELECT COUNT(*) AS count FROM steps WHERE run = ? AND signer = ? AND step = ?",
        run,
        signer,
        step,
      ) ?? 0
    );
  }

  sender(run: Cid, signer: PeerId): SenderRow {
    const found = this.#ask.one(
      (row): SenderRow => ({
        signer: parsePeerId(str(row, "signer")),
        steps: int(row, "steps"),
        bytes: int(row, "bytes"),
      }),
      "SELECT * FROM senders WHERE run = ? AND signer = ?",
      run,
      signer,
    );
    return found ?? { signer, steps: 0, bytes: 0 };
  }

  /** Keeps receipts, all or none, in this order. They are not there yet. */
  add(run: Cid, steps: readonly NewStep[]): void {
    this.#write(() => {
      let place = this.box(run)?.steps ?? 0;
      for (const { id, signer, step, envelope, values } of steps) {
        this.#run("INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?)", run, place, id, signer, step, envelope);
        this.#run(
          `INSERT INTO senders VALUES (?, ?, 1, ?)
           ON CONFLICT DO UPDATE SET steps = steps + 1, bytes = bytes + excluded.bytes`,
          run,
          signer,
          envelope.length,
        );
        this.#run(
          "UPDATE mailboxes SET steps = steps + 1, bytes = bytes + ? WHERE run = ?",
          envelope.length,
          run,
        );
        this.#name(run, values);
        place += 1;
      }
    });
  }

  /** Receipts from a place on, in the order in which they came. */
  steps(run: Cid, from: number, limit: number): readonly StepRow[] {
    return this.#ask.all(
      (row) => ({ place: int(row, "place"), envelope: blob(row, "envelope") }),
      "SELECT place, envelope FROM steps WHERE run = ? AND place >= ? ORDER BY place LIMIT ?",
      run,
      from,
      limit,
    );
  }

  /** Whether run, plan or a receipt names a value. */
  isNamed(run: Cid, cid: Cid): boolean {
    return (
      this.#ask.one(count, "SELECT 1 AS count FROM named WHERE run = ? AND cid = ?", run, cid) !== undefined
    );
  }

  isHere(run: Cid, cid: Cid): boolean {
    const found = this.#ask.one(
      count,
      "SELECT 1 AS count FROM named WHERE run = ? AND cid = ? AND is_here = 1",
      run,
      cid,
    );
    return found !== undefined;
  }

  /** A named value has come. */
  arrived(run: Cid, cid: Cid, size: number): void {
    if (this.isHere(run, cid)) return;
    this.#write(() => {
      this.#run("UPDATE named SET is_here = 1 WHERE run = ? AND cid = ?", run, cid);
      this.#run("UPDATE mailboxes SET value_bytes = value_bytes + ? WHERE run = ?", size, run);
    });
  }

  /** Values that wait for a run. */
  values(run: Cid): readonly Cid[] {
    return this.#ask.all(
      (row) => cidIn(row, "cid"),
      "SELECT cid FROM named WHERE run = ? AND is_here = 1",
      run,
    );
  }

  /** Runs with a box, of one payer or of all, in the order in which they are to go. */
  boxes(payer?: PeerId): readonly BoxRow[] {
    const all = `SELECT ${BOX} FROM mailboxes`;
    if (payer === undefined) return this.#ask.all(boxRow, `${all} ORDER BY kept_until`);
    return this.#ask.all(boxRow, `${all} WHERE payer = ? ORDER BY kept_until`, payer);
  }

  /** What waits for all runs of a payer, or of everybody. */
  bytes(payer?: PeerId): MailBytes {
    const sums = `SELECT COALESCE(SUM(bytes), 0) AS bytes, COALESCE(SUM(value_bytes), 0) AS value_bytes FROM mailboxes`;
    const found =
      payer === undefined
        ? this.#ask.one(mailBytes, sums)
        : this.#ask.one(mailBytes, `${sums} WHERE payer = ?`, payer);
    return found ?? { bytes: 0, valueBytes: 0 };
  }

  remove(run: Cid): void {
    this.#write(() => {
      for (const table of ["mailboxes", "steps", "senders", "named", "returns", "returned"])
        this.#run(`DELETE FROM ${table} WHERE run = ?`, run);
    });
  }

  /** A run's end is to be told, once. */
  addReturn(run: Cid, due: number): void {
    this.#run(
      "INSERT OR IGNORE INTO returns (run, due) SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM returned WHERE run = ?)",
      run,
      due,
      run,
    );
  }

  dueReturns(now: number, limit: number): readonly ReturnRow[] {
    return this.#ask.all(
      (row) => ({ run: cidIn(row, "run"), attempts: int(row, "attempts") }),
      "SELECT * FROM returns WHERE due <= ? ORDER BY due LIMIT ?",
      now,
      limit,
    );
  }

  /** @param due absent when it is told or given up */
  noteReturn(run: Cid, due: number | undefined): void {
    if (due !== undefined) {
      this.#run("UPDATE returns SET due = ?, attempts = attempts + 1 WHERE run = ?", due, run);
      return;
    }
    this.#write(() => {
      this.#run("DELETE FROM returns WHERE run = ?", run);
      this.#run("INSERT OR IGNORE INTO returned VALUES (?)", run);
    });
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #name(run: Cid, values: Iterable<Cid>): void {
    for (const cid of values) this.#run("INSERT OR IGNORE INTO named (run, cid) VALUES (?, ?)", run, cid);
  }

  #run(sql: string, ...parameters: (number | string | Uint8Array)[]): void {
    this.#ask.get(sql).run(...parameters);
  }

  #write(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
