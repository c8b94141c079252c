import { DatabaseSync } from "node:sqlite";
import { parsePeerId, type PeerId } from "../../protocol/peer-id.ts";
import { blob, int, type Row, str } from "../store/rows.ts";
import { Statements } from "../store/statements.ts";

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA trusted_schema = OFF;
  CREATE TABLE IF NOT EXISTS names (
    name TEXT PRIMARY KEY, owner TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
    envelope BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS names_of ON names (owner, name);
`;

/** A name as its owner signed it last. */
export interface NameRow {
  readonly name: string;
  readonly owner: PeerId;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly expires: number;
  readonly envelope: Uint8Array;
}

function nameRow(row: Row): NameRow {
  return {
    name: str(row, "name"),
    owner: parsePeerId(str(row, "owner")),
    version: int(row, "version"),
    expires: int(row, "expires"),
    envelope: blob(row, "envelope"),
  };
}

/** Registered names, in a file of their own: they move no money. */
export class NameRows {
  readonly #database: DatabaseSync;
  readonly #ask: Statements;

  /** @param path of the file, or ":memory:" */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(SCHEMA);
    this.#ask = new Statements(this.#database);
  }

  find(name: string): NameRow | undefined {
    return this.#ask.one(nameRow, "SELECT * FROM names WHERE name = ?", name);
  }

  of(owner: PeerId): readonly NameRow[] {
    return this.#ask.all(nameRow, "SELECT * FROM names WHERE owner = ? ORDER BY name", owner);
  }

  put({ name, owner, version, expires, envelope }: NameRow): void {
    this.#ask
      .get("INSERT OR REPLACE INTO names VALUES (?, ?, ?, ?, ?)")
      .run(name, owner, version, expires, envelope);
  }

  /** Forgets names that expired before. */
  sweep(time: number): void {
    this.#ask.get("DELETE FROM names WHERE expires < ?").run(time);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}
