import { DatabaseSync } from "node:sqlite";
import type { PeerId } from "../../protocol/peer-id.ts";
import { KNOWN_DAYS } from "../limits.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS known (peer TEXT PRIMARY KEY, day INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS newcomers (
    block TEXT NOT NULL, day INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (block, day)
  ) STRICT, WITHOUT ROWID;
`;

/**
 * Which identities have offered here before, and how many new ones came from each block of addresses today. A file of its own beside the
 * books: it moves no money, and whoever loses it lets a few more in. Who came from which block is not kept, and a block's number not longer than its day.
 */
export class Newcomers {
  readonly #database: DatabaseSync;

  /** @param path of the file, or ":memory:" */
  constructor(path: string, nowMs: number) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(SCHEMA);
    const day = Math.floor(nowMs / DAY_MS);
    this.#run("DELETE FROM known WHERE day < ?", day - KNOWN_DAYS);
    this.#run("DELETE FROM newcomers WHERE day < ?", day);
  }

  isKnown(peer: PeerId): boolean {
    return this.#database.prepare("SELECT 1 FROM known WHERE peer = ?").get(peer) !== undefined;
  }

  /** An identity is here, newly or again. */
  remember(peer: PeerId, nowMs: number): void {
    const day = Math.floor(nowMs / DAY_MS);
    this.#run("INSERT INTO known VALUES (?, ?) ON CONFLICT (peer) DO UPDATE SET day = ?", peer, day, day);
  }

  /** New identities of a block in the day that it is now, in UTC. */
  count(block: string, nowMs: number): number {
    const day = Math.floor(nowMs / DAY_MS);
    const row = this.#database
      .prepare("SELECT count FROM newcomers WHERE block = ? AND day = ?")
      .get(block, day);
    return Number(row?.["count"] ?? 0);
  }

  /** One more new identity of a block. */
  add(block: string, nowMs: number): void {
    const day = Math.floor(nowMs / DAY_MS);
    this.#run("DELETE FROM newcomers WHERE day < ?", day);
    this.#run(
      "INSERT INTO newcomers VALUES (?, ?, 1) ON CONFLICT (block, day) DO UPDATE SET count = count + 1",
      block,
      day,
    );
  }

  /** Idempotent. */
  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #run(sql: string, ...values: readonly (string | number)[]): void {
    this.#database.prepare(sql).run(...values);
  }
}
