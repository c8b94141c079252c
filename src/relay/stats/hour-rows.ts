import { DatabaseSync } from "node:sqlite";
import type { WorkSpan } from "../../protocol/network-view.ts";
import { microCredits } from "../../protocol/units.ts";
import { big, int, str } from "../store/rows.ts";
import { Statements } from "../store/statements.ts";

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS hours (
    start INTEGER PRIMARY KEY, tasks INTEGER NOT NULL, fuel TEXT NOT NULL, paid INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS progress (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL) STRICT;
`;

/** What settled leases add up to by hours of log time, in a file of its own: all of it follows from the log, and is made again from there. */
export class HourRows {
  readonly #database: DatabaseSync;
  readonly #ask: Statements;

  /** @param path of the file, or ":memory:" */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(SCHEMA);
    this.#ask = new Statements(this.#database);
  }

  /** Size of the log up to which settlements are in the hours. */
  progress(): number {
    return this.#ask.one((row) => int(row, "size"), "SELECT size FROM progress") ?? 0;
  }

  /** From `from` on, oldest first. */
  hours(from: number): readonly WorkSpan[] {
    return this.#ask.all(
      (row) => ({
        start: int(row, "start"),
        tasks: int(row, "tasks"),
        fuel: BigInt(str(row, "fuel")),
        paid: microCredits(big(row, "paid")),
      }),
      "SELECT * FROM hours WHERE start >= ? ORDER BY start",
      from,
    );
  }

  /** Adds to hours, and says how far the log was looked at, in one. */
  add(spans: readonly WorkSpan[], size: number): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      for (const { start, tasks, fuel, paid } of spans) this.#addOne(start, tasks, fuel, paid);
      this.#ask.get("INSERT OR REPLACE INTO progress VALUES (1, ?)").run(size);
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Idempotent. */
  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  /** Fuel may be more than 63 bits hold, so it is added here. */
  #addOne(start: number, tasks: number, fuel: bigint, paid: bigint): void {
    const before = this.#ask.one(
      (row) => ({ tasks: int(row, "tasks"), fuel: BigInt(str(row, "fuel")), paid: big(row, "paid") }),
      "SELECT * FROM hours WHERE start = ?",
      start,
    );
    this.#ask
      .get("INSERT OR REPLACE INTO hours VALUES (?, ?, ?, ?)")
      .run(
        start,
        (before?.tasks ?? 0) + tasks,
        `${(before?.fuel ?? 0n) + fuel}`,
        (before?.paid ?? 0n) + paid,
      );
  }
}
