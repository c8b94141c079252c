import { DatabaseSync } from "node:sqlite";
import type { Json } from "../../effects/canonical-json.ts";
import { canonicalJson, parseJson } from "../../effects/canonical-json.ts";
import type { KeyValueStore } from "../../effects/effect-ports.ts";
import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { EffectPlace } from "../../protocol/messages/effect.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { blob, int, type Row, str } from "../store/rows.ts";
import { Statements } from "../store/statements.ts";
import { KEPT_ANSWERS_MS, MAX_STORE_BYTES } from "./limits.ts";

/** Two processes over one file wait so long for each other's commits, ms. */
const BUSY_MS = 10_000;

const SCHEMA = `
  PRAGMA busy_timeout = ${BUSY_MS};
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA trusted_schema = OFF;
  CREATE TABLE IF NOT EXISTS kept (
    account TEXT NOT NULL, namespace TEXT NOT NULL, key BLOB NOT NULL, version INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (account, namespace, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS namespaces (
    account TEXT NOT NULL, namespace TEXT NOT NULL, version INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (account, namespace)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS effects (
    run TEXT NOT NULL, node TEXT NOT NULL, iteration TEXT NOT NULL, attempt INTEGER NOT NULL,
    asked TEXT NOT NULL, until INTEGER NOT NULL, reply BLOB,
    PRIMARY KEY (run, node, iteration, attempt)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS effects_until ON effects (until);
`;

/** What is known of an effect: never asked for, under way (or broken off with the process), or done. */
export type KnownEffect =
  | { readonly state: "new" }
  | { readonly state: "begun"; readonly asked: string }
  | { readonly state: "done"; readonly asked: string; readonly reply: Uint8Array };

/**
 * Stores of accounts, and what the relay has carried out, in a file of their own. What a method has returned from is on the disk;
 * what it decides, it decides in one transaction.
 */
export class EffectRows {
  readonly #database: DatabaseSync;
  readonly #ask: Statements;

  /** @param path of the file, or ":memory:" */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: BUSY_MS });
    this.#database.exec(SCHEMA);
    this.#ask = new Statements(this.#database);
  }

  close(): void {
    this.#database.close();
  }

  /**
   * Notes that an effect is begun. Nobody begins it a second time: not in another process over this file, and not after a restart.
   * @param asked what it is asked for; the same place with another question is another effect
   * @param until the run's end, milliseconds since 1970
   * @returns what was known of it before
   */
  begin(
    { run, node, iteration, attempt }: EffectPlace,
    asked: string,
    until: number,
    nowMs: number,
  ): KnownEffect {
    return this.#together(() => {
      this.#run("DELETE FROM effects WHERE until < ?", nowMs);
      const row = this.#ask.one(
        (found) => found,
        "SELECT asked, reply FROM effects WHERE run = ? AND node = ? AND iteration = ? AND attempt = ?",
        run,
        node,
        iteration,
        attempt,
      );
      if (row !== undefined) {
        const before = str(row, "asked");
        return row["reply"] === null
          ? { state: "begun", asked: before }
          : { state: "done", asked: before, reply: blob(row, "reply") };
      }
      this.#run(
        "INSERT INTO effects VALUES (?, ?, ?, ?, ?, ?, NULL)",
        run,
        node,
        iteration,
        attempt,
        asked,
        until + KEPT_ANSWERS_MS,
      );
      return { state: "new" };
    });
  }

  done({ run, node, iteration, attempt }: EffectPlace, reply: Uint8Array): void {
    this.#run(
      "UPDATE effects SET reply = ? WHERE run = ? AND node = ? AND iteration = ? AND attempt = ?",
      reply,
      run,
      node,
      iteration,
      attempt,
    );
  }

  /** It has certainly not been done, so it may be begun again. */
  forget({ run, node, iteration, attempt }: EffectPlace): void {
    this.#run(
      "DELETE FROM effects WHERE run = ? AND node = ? AND iteration = ? AND attempt = ?",
      run,
      node,
      iteration,
      attempt,
    );
  }

  /** How many effects a run has had, and bytes of their answers. */
  totals(run: Cid): { readonly count: number; readonly bytes: number } {
    return (
      this.#ask.one(
        (row) => ({ count: int(row, "count"), bytes: int(row, "bytes") }),
        "SELECT count(*) AS count, coalesce(sum(length(reply)), 0) AS bytes FROM effects WHERE run = ?",
        run,
      ) ?? { count: 0, bytes: 0 }
    );
  }

  /** The stores of one account; see KeyValueStore. */
  store(account: PeerId): KeyValueStore {
    return {
      get: (namespace, key) => this.#get(account, namespace, key),
      put: (namespace, key, value, ifVersion) => this.#put(account, namespace, key, value, ifVersion),
      list: (namespace, prefix, after, limit) => this.#list(account, namespace, prefix, after, limit),
    };
  }

  #get(account: PeerId, namespace: string, key: string): ReturnType<KeyValueStore["get"]> {
    return this.#ask.one(
      (row) => ({ version: int(row, "version"), value: parseJson(blob(row, "value")) ?? null }),
      "SELECT version, value FROM kept WHERE account = ? AND namespace = ? AND key = ?",
      account,
      namespace,
      encodeUtf8(key),
    );
  }

  #put(
    account: PeerId,
    namespace: string,
    name: string,
    value: Json,
    ifVersion: number | undefined,
  ): number | undefined {
    const key = encodeUtf8(name);
    const bytes = canonicalJson(value);
    return this.#together(() => {
      const before = this.#ask.one(
        (row) => ({ version: int(row, "version"), bytes: int(row, "bytes") }),
        "SELECT version, length(key) + length(value) AS bytes FROM kept WHERE account = ? AND namespace = ? AND key = ?",
        account,
        namespace,
        key,
      );
      if (ifVersion !== undefined && ifVersion !== (before?.version ?? 0)) return undefined;
      const { last, all } = this.#room(account, namespace);
      const added = (value === null ? 0 : key.length + bytes.length) - (before?.bytes ?? 0);
      if (added > 0 && all + added > MAX_STORE_BYTES)
        throw new FailureError(
          "too-large",
          `an account keeps at most ${MAX_STORE_BYTES} bytes in its stores`,
        );
      // Versions of a namespace only grow: a key that was deleted and put again is not the one that somebody has read.
      const version = last + 1;
      this.#run(
        `INSERT INTO namespaces VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET version = excluded.version, bytes = bytes + excluded.bytes`,
        account,
        namespace,
        version,
        added,
      );
      if (value === null) {
        this.#run(
          "DELETE FROM kept WHERE account = ? AND namespace = ? AND key = ?",
          account,
          namespace,
          key,
        );
        return 0;
      }
      this.#run(
        "INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?)",
        account,
        namespace,
        key,
        version,
        bytes,
      );
      return version;
    });
  }

  #room(account: PeerId, namespace: string): { readonly last: number; readonly all: number } {
    const last = this.#ask.one(
      (row) => int(row, "version"),
      "SELECT version FROM namespaces WHERE account = ? AND namespace = ?",
      account,
      namespace,
    );
    const all = this.#ask.one(
      (row) => int(row, "bytes"),
      "SELECT coalesce(sum(bytes), 0) AS bytes FROM namespaces WHERE account = ?",
      account,
    );
    return { last: last ?? 0, all: all ?? 0 };
  }

  #list(
    account: PeerId,
    namespace: string,
    prefix: string,
    after: string,
    limit: number,
  ): ReturnType<KeyValueStore["list"]> {
    const first = encodeUtf8(prefix);
    return this.#ask.all(
      (row: Row) => ({ key: Buffer.from(blob(row, "key")).toString("utf8"), version: int(row, "version") }),
      `SELECT key, version FROM kept WHERE account = ? AND namespace = ? AND key > ? AND key >= ?
       AND substr(key, 1, ?) = ? ORDER BY key LIMIT ?`,
      account,
      namespace,
      encodeUtf8(after),
      first,
      first.length,
      first,
      limit,
    );
  }

  #run(sql: string, ...values: (string | number | Uint8Array)[]): void {
    this.#ask.get(sql).run(...values);
  }

  #together<T>(act: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = act();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
