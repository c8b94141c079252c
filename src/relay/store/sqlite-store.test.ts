import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { booksStoreContract } from "./books-store.contract.ts";
import { migrate, MIGRATIONS } from "./migrations.ts";
import { payoutStoreContract } from "./payout-store.contract.ts";
import { siteStoreContract } from "./site-store.contract.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const folder = mkdtempSync(join(tmpdir(), "tabmesh-store-"));
let files = 0;

function nextFile(): string {
  files += 1;
  return join(folder, `${files}.sqlite`);
}

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function version(database: DatabaseSync): unknown {
  return database.prepare("PRAGMA user_version").get()?.["user_version"];
}

describe("a store in memory", () => {
  booksStoreContract(() => openSqliteStore(":memory:"));
  payoutStoreContract(() => openSqliteStore(":memory:"));
  siteStoreContract(() => openSqliteStore(":memory:"));
});

describe("a store in a file", () => {
  booksStoreContract(() => openSqliteStore(nextFile()));
  payoutStoreContract(() => openSqliteStore(nextFile()));
  siteStoreContract(() => openSqliteStore(nextFile()));

  it("syncs every commit to the disk", () => {
    const path = nextFile();
    openSqliteStore(path).close();
    const database = new DatabaseSync(path);
    expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    database.close();
  });

  it("is used by one process at a time", () => {
    const path = nextFile();
    const store = openSqliteStore(path);
    expect(() => openSqliteStore(path)).toThrow(/locked/u);
    store.close();
    openSqliteStore(path).close();
  });
});

describe("migrations", () => {
  it("bring a database of the first version to the newest, keeping what is in it", () => {
    const database = new DatabaseSync(":memory:");
    migrate(database, MIGRATIONS.slice(0, 1));
    expect(version(database)).toBe(1);
    database.exec("INSERT INTO denials VALUES ('cid', 'a', 'harm')");
    const next = [...MIGRATIONS, "ALTER TABLE denials ADD COLUMN since INTEGER NOT NULL DEFAULT 0"];
    migrate(database, next);
    expect(version(database)).toBe(next.length);
    expect(database.prepare("SELECT * FROM denials").all()).toEqual([
      { kind: "cid", value: "a", reason: "harm", since: 0 },
    ]);
    migrate(database, next);
    expect(version(database)).toBe(next.length);
    database.close();
  });

  it("leave a database as it was when a step fails", () => {
    const database = new DatabaseSync(":memory:");
    migrate(database);
    const broken = [...MIGRATIONS, "CREATE TABLE half (a INTEGER) STRICT; INSERT INTO missing VALUES (1)"];
    expect(() => migrate(database, broken)).toThrow(/missing/u);
    expect(version(database)).toBe(MIGRATIONS.length);
    expect(database.prepare("SELECT name FROM sqlite_master WHERE name = 'half'").get()).toBeUndefined();
    migrate(database);
    database.close();
  });

  it("refuse a database of a later version", () => {
    const database = new DatabaseSync(":memory:");
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    expect(() => migrate(database)).toThrow(/this program knows/u);
    database.close();
  });
});
