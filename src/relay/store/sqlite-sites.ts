import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AssignmentState, SiteDayState, SiteTab, TransferState } from "../../ledger/assignment.ts";
import { SITE_STATES, type SiteState } from "../../protocol/messages/site.ts";
import { parsePeerId, type PeerId } from "../../protocol/peer-id.ts";
import { parseSiteId, type SiteId } from "../../protocol/site.ts";
import { microCredits } from "../../protocol/units.ts";
import { big, blob, cidIn, int, type Row, str } from "./rows.ts";
import type { SiteRow, SiteRows, SiteStore } from "./site-rows.ts";
import { Statements } from "./statements.ts";

/**
 * Sites, assignments, transfers, and what visitors of sites contributed by day, as a migration. Idle accounts are found by the
 * time at which they may be taken to have retired.
 */
export const SITE_TABLES = `
  CREATE TABLE sites (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, page TEXT NOT NULL, share INTEGER NOT NULL, state TEXT NOT NULL,
    at INTEGER NOT NULL, envelope BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sites_of ON sites (owner);
  CREATE TABLE assignments (
    account TEXT PRIMARY KEY, id TEXT NOT NULL, idx INTEGER NOT NULL, since INTEGER NOT NULL, at INTEGER NOT NULL,
    payee TEXT NOT NULL, ppm INTEGER NOT NULL, site TEXT, retire_after INTEGER, idle_since INTEGER,
    earned INTEGER NOT NULL, passed INTEGER NOT NULL, CHECK (passed >= 0 AND passed <= earned)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX assignments_idle ON assignments (idle_since + retire_after)
    WHERE idle_since IS NOT NULL AND retire_after IS NOT NULL;
  CREATE TABLE transfers (
    idx INTEGER PRIMARY KEY, time INTEGER NOT NULL, sender TEXT NOT NULL, receiver TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0), cause INTEGER NOT NULL, site TEXT
  ) STRICT;
  CREATE INDEX transfers_from ON transfers (sender, idx);
  CREATE INDEX transfers_to ON transfers (receiver, idx);
  CREATE TABLE site_days (
    site TEXT NOT NULL, start INTEGER NOT NULL, tabs INTEGER NOT NULL, tasks INTEGER NOT NULL, fuel TEXT NOT NULL,
    earned INTEGER NOT NULL, to_owner INTEGER NOT NULL, to_visitors INTEGER NOT NULL, PRIMARY KEY (site, start)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE site_tabs (
    site TEXT NOT NULL, start INTEGER NOT NULL, account TEXT NOT NULL, PRIMARY KEY (site, start, account)
  ) STRICT, WITHOUT ROWID;
`;

const IDLE = `
  SELECT a.account FROM assignments a JOIN providers p ON p.peer = a.account
  WHERE a.idle_since IS NOT NULL AND a.retire_after IS NOT NULL AND a.idle_since + a.retire_after <= ?
    AND p.retiring IS NULL AND p.open_leases = 0
  ORDER BY a.idle_since + a.retire_after LIMIT ?`;

function siteIn(row: Row): { readonly site?: SiteId } {
  return row["site"] === null ? {} : { site: parseSiteId(str(row, "site")) };
}

function stateIn(row: Row): SiteState {
  const found = SITE_STATES.find((state) => state === row["state"]);
  if (found === undefined) throw new TypeError("column state does not hold what its schema says");
  return found;
}

function siteRow(row: Row): SiteRow {
  return {
    site: parseSiteId(str(row, "id")),
    owner: parsePeerId(str(row, "owner")),
    page: str(row, "page"),
    share: int(row, "share"),
    state: stateIn(row),
    at: int(row, "at"),
    envelope: blob(row, "envelope"),
  };
}

function assignmentRow(row: Row): AssignmentState {
  return {
    account: parsePeerId(str(row, "account")),
    id: cidIn(row, "id"),
    index: int(row, "idx"),
    since: int(row, "since"),
    at: int(row, "at"),
    payee: parsePeerId(str(row, "payee")),
    ppm: int(row, "ppm"),
    ...siteIn(row),
    ...(row["retire_after"] === null ? {} : { retireAfterMs: int(row, "retire_after") }),
    ...(row["idle_since"] === null ? {} : { idleSince: int(row, "idle_since") }),
    earned: microCredits(big(row, "earned")),
    passed: microCredits(big(row, "passed")),
  };
}

function transferRow(row: Row): TransferState {
  return {
    index: int(row, "idx"),
    time: int(row, "time"),
    from: parsePeerId(str(row, "sender")),
    to: parsePeerId(str(row, "receiver")),
    amount: microCredits(big(row, "amount")),
    cause: int(row, "cause"),
    ...siteIn(row),
  };
}

function dayRow(row: Row): SiteDayState {
  return {
    site: parseSiteId(str(row, "site")),
    start: int(row, "start"),
    tabs: int(row, "tabs"),
    tasks: int(row, "tasks"),
    fuel: BigInt(str(row, "fuel")),
    earned: microCredits(big(row, "earned")),
    toOwner: microCredits(big(row, "to_owner")),
    toVisitors: microCredits(big(row, "to_visitors")),
  };
}

function tabRow(row: Row): SiteTab {
  return {
    site: parseSiteId(str(row, "site")),
    start: int(row, "start"),
    account: parsePeerId(str(row, "account")),
  };
}

/** Sites and assignments in the books' database. */
export class SqliteSites implements SiteStore {
  readonly #ask: Statements;

  constructor(database: DatabaseSync) {
    this.#ask = new Statements(database);
  }

  site(id: SiteId): SiteRow | undefined {
    return this.#ask.one(siteRow, "SELECT * FROM sites WHERE id = ?", id);
  }

  sitesOf(owner: PeerId): readonly SiteRow[] {
    return this.#ask.all(siteRow, "SELECT * FROM sites WHERE owner = ? ORDER BY id", owner);
  }

  assignment(account: PeerId): AssignmentState | undefined {
    return this.#ask.one(assignmentRow, "SELECT * FROM assignments WHERE account = ?", account);
  }

  siteDay(site: SiteId, start: number): SiteDayState | undefined {
    return this.#ask.one(dayRow, "SELECT * FROM site_days WHERE site = ? AND start = ?", site, start);
  }

  hasTab({ site, start, account }: SiteTab): boolean {
    const found = this.#ask.one(
      tabRow,
      "SELECT * FROM site_tabs WHERE site = ? AND start = ? AND account = ?",
      site,
      start,
      account,
    );
    return found !== undefined;
  }

  days(site: SiteId, from: number, limit: number): readonly SiteDayState[] {
    return this.#ask
      .all(
        dayRow,
        "SELECT * FROM site_days WHERE site = ? AND start >= ? ORDER BY start DESC LIMIT ?",
        site,
        from,
        limit,
      )
      .toReversed();
  }

  transfers(account: PeerId, before: number, limit: number): readonly TransferState[] {
    return this.#ask.all(
      transferRow,
      `SELECT * FROM (
         SELECT * FROM (SELECT * FROM transfers WHERE sender = ?1 AND idx < ?2 ORDER BY idx DESC LIMIT ?3)
         UNION SELECT * FROM (SELECT * FROM transfers WHERE receiver = ?1 AND idx < ?2 ORDER BY idx DESC LIMIT ?3)
       ) ORDER BY idx DESC LIMIT ?3`,
      account,
      before,
      limit,
    );
  }

  received(account: PeerId): bigint {
    const sum = this.#ask.one(
      (row) => big(row, "sum"),
      "SELECT COALESCE(SUM(amount), 0) AS sum FROM transfers WHERE receiver = ?",
      account,
    );
    return sum ?? 0n;
  }

  idle(time: number, limit: number): readonly PeerId[] {
    return this.#ask.all((row) => parsePeerId(str(row, "account")), IDLE, time, limit);
  }

  everything(): SiteRows {
    return {
      sites: this.#ask.all(siteRow, "SELECT * FROM sites"),
      assignments: this.#ask.all(assignmentRow, "SELECT * FROM assignments"),
      days: this.#ask.all(dayRow, "SELECT * FROM site_days"),
      tabs: this.#ask.all(tabRow, "SELECT * FROM site_tabs"),
      transfers: this.#ask.all(transferRow, "SELECT * FROM transfers ORDER BY idx"),
    };
  }
}

/** Writes rows of sites and assignments; part of a batch's transaction. */
export class SiteWriter {
  readonly #site: StatementSync;
  readonly #assignment: StatementSync;
  readonly #day: StatementSync;
  readonly #tab: StatementSync;
  readonly #transfer: StatementSync;

  constructor(database: DatabaseSync) {
    this.#site = database.prepare("INSERT OR REPLACE INTO sites VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#assignment = database.prepare(
      "INSERT OR REPLACE INTO assignments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#day = database.prepare("INSERT OR REPLACE INTO site_days VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    this.#tab = database.prepare("INSERT OR IGNORE INTO site_tabs VALUES (?, ?, ?)");
    this.#transfer = database.prepare("INSERT INTO transfers VALUES (?, ?, ?, ?, ?, ?, ?)");
  }

  write({ sites, assignments, days, tabs, transfers }: SiteRows): void {
    for (const { site, owner, page, share, state, at, envelope } of sites)
      this.#site.run(site, owner, page, share, state, at, envelope);
    for (const state of assignments) this.#writeAssignment(state);
    for (const { site, start, tabs: count, tasks, fuel, earned, toOwner, toVisitors } of days)
      this.#day.run(site, start, count, tasks, fuel.toString(), earned, toOwner, toVisitors);
    for (const { site, start, account } of tabs) this.#tab.run(site, start, account);
    for (const { index, time, from, to, amount, cause, site } of transfers)
      this.#transfer.run(index, time, from, to, amount, cause, site ?? null);
  }

  #writeAssignment(state: AssignmentState): void {
    const { account, id, index, since, at, payee, ppm, site, retireAfterMs, idleSince, earned, passed } =
      state;
    this.#assignment.run(
      account,
      id,
      index,
      since,
      at,
      payee,
      ppm,
      site ?? null,
      retireAfterMs ?? null,
      idleSince ?? null,
      earned,
      passed,
    );
  }
}
