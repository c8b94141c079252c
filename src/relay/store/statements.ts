import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Row } from "./rows.ts";

type Parameter = number | string | Uint8Array;

/** Questions to one database, each prepared once. */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      statement.setReadBigInts(true);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  all<T>(read: (row: Row) => T, sql: string, ...parameters: Parameter[]): readonly T[] {
    return this.get(sql)
      .all(...parameters)
      .map(read);
  }

  one<T>(read: (row: Row) => T, sql: string, ...parameters: Parameter[]): T | undefined {
    const row = this.get(sql).get(...parameters);
    return row === undefined ? undefined : read(row);
  }
}
