import { DatabaseSync } from "node:sqlite";
import type { Cid } from "../../protocol/cid.ts";
import { parsePeerId, type PeerId } from "../../protocol/peer-id.ts";
import { migrate } from "../store/migrations.ts";
import { blob, cidIn, int, type Row, str } from "../store/rows.ts";
import { Statements } from "../store/statements.ts";
import { type MailBytes, MailSums } from "./mail-sums.ts";
import { MAIL_MIGRATIONS, MAIL_PRAGMAS, TABLES_OF_RUNS } from "./run-mail-schema.ts";

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
  /** As much as the boxes have together: whoever asks for room does so at each receipt. */
  readonly #sums = new MailSums();

  /** @param path of the file, or ":memory:" */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(MAIL_PRAGMAS);
    migrate(this.#database, MAIL_MIGRATIONS);
    this.#ask = new Statements(this.#database);
    for (const { payer, bytes, valueBytes } of this.boxes()) this.#sums.add(payer, { bytes, valueBytes });
  }

  box(run: Cid): BoxRow | undefined {
    return this.#ask.one(boxRow, `SELECT ${BOX} FROM boxes WHERE run = ?`, run);
  }

  /** Nothing changes where there is a box already. */
  openBox({ run, payer, name, plan, params, keptUntil, values }: NewBox): void {
    if (this.box(run) !== undefined) return;
    const bytes = plan.length + params.length;
    this.#write(() => {
      this.#run(
        "INSERT INTO boxes (run, payer, name, bytes, kept_until) VALUES (?, ?, ?, ?, ?)",
        run,
        payer,
        name,
        bytes,
        keptUntil,
      );
      this.#run("INSERT INTO plans VALUES (?, ?, ?)", run, plan, params);
      this.#name(run, values);
    });
    this.#sums.add(payer, { bytes });
  }

  /** The plan of a run, encoded, and its parameters. */
  terms(run: Cid): { readonly plan: Uint8Array; readonly params: Uint8Array } | undefined {
    return this.#ask.one(
      (row) => ({ plan: blob(row, "plan"), params: blob(row, "params") }),
      "SELECT plan, params FROM plans WHERE run = ?",
      run,
    );
  }

  /** The run's end names a value. */
  addName(run: Cid, value: Cid): void {
    this.#name(run, [value]);
  }

  keepUntil(run: Cid, time: number): void {
    this.#run("UPDATE boxes SET kept_until = ? WHERE run = ?", time, run);
  }

  /** Whether a receipt is here as this peer signed it. */
  has(run: Cid, step: Cid, signer: PeerId): boolean {
    const found = this.#ask.one(
      count,
      "SELECT 1 AS count FROM steps WHERE run = ? AND id = ? AND signer = ?",
      run,
      step,
      signer,
    );
    return found !== undefined;
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

  /** Keeps receipts of a run that has a box, all or none, in this order. They are not there yet. */
  add(run: Cid, steps: readonly NewStep[]): void {
    const box = this.box(run);
    if (box === undefined) return;
    const bytes = steps.reduce((sum, { envelope }) => sum + envelope.length, 0);
    this.#write(() => {
      for (const [more, step] of steps.entries()) this.#addStep(run, box.steps + more, step);
      this.#run(
        "UPDATE boxes SET steps = steps + ?, bytes = bytes + ? WHERE run = ?",
        steps.length,
        bytes,
        run,
      );
    });
    this.#sums.add(box.payer, { bytes });
  }

  #addStep(run: Cid, place: number, { id, signer, step, envelope, values }: NewStep): void {
    this.#run("INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?)", run, place, id, signer, step, envelope);
    this.#run(
      `INSERT INTO senders VALUES (?, ?, 1, ?)
       ON CONFLICT DO UPDATE SET steps = steps + 1, bytes = bytes + excluded.bytes`,
      run,
      signer,
      envelope.length,
    );
    this.#name(run, values);
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

  /** A named value of a run that has a box has come. @returns whether it is one more */
  arrived(run: Cid, cid: Cid, size: number): boolean {
    const box = this.box(run);
    if (box === undefined || !this.isNamed(run, cid) || this.isHere(run, cid)) return false;
    this.#write(() => {
      this.#run("UPDATE named SET is_here = 1 WHERE run = ? AND cid = ?", run, cid);
      this.#run("UPDATE boxes SET value_bytes = value_bytes + ? WHERE run = ?", size, run);
    });
    this.#sums.add(box.payer, { valueBytes: size });
    return true;
  }

  /** Values that wait for a run. */
  values(run: Cid): readonly Cid[] {
    return this.#ask.all(
      (row) => cidIn(row, "cid"),
      "SELECT cid FROM named WHERE run = ? AND is_here = 1",
      run,
    );
  }

  /** Runs with a box, in the order in which they are to go. */
  boxes(): readonly BoxRow[] {
    return this.#ask.all(boxRow, `SELECT ${BOX} FROM boxes ORDER BY kept_until`);
  }

  /** The box that is to go first, of one payer or of all. */
  oldest(payer?: PeerId): BoxRow | undefined {
    const first = "ORDER BY kept_until LIMIT 1";
    if (payer === undefined) return this.#ask.one(boxRow, `SELECT ${BOX} FROM boxes ${first}`);
    return this.#ask.one(boxRow, `SELECT ${BOX} FROM boxes WHERE payer = ? ${first}`, payer);
  }

  /** What waits for all runs of a payer, or of everybody. */
  bytes(payer?: PeerId): MailBytes {
    return payer === undefined ? this.#sums.all() : this.#sums.of(payer);
  }

  remove(run: Cid): void {
    const box = this.box(run);
    this.#write(() => {
      for (const table of TABLES_OF_RUNS) this.#run(`DELETE FROM ${table} WHERE run = ?`, run);
    });
    if (box !== undefined) this.#sums.add(box.payer, { bytes: -box.bytes, valueBytes: -box.valueBytes });
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
