import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ExperienceShare, ProviderState } from "../../ledger/ledger-state.ts";
import type { AuditPolicy } from "../../protocol/audit-policy.ts";
import type { Cid } from "../../protocol/cid.ts";
import { parsePeerId, type PeerId } from "../../protocol/peer-id.ts";
import { microCredits } from "../../protocol/units.ts";
import type { AuditRows, AuditStore, DrawRow } from "./audit-rows.ts";
import { big, cidIn, int, type Row, str } from "./rows.ts";
import { Statements } from "./statements.ts";

/** Records of providers, and what was drawn, as a migration. Draws that wait for a verdict are found by time and by lease. */
export const AUDIT_TABLES = `
  ALTER TABLE leases ADD COLUMN earned INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE leases ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE leases ADD COLUMN forfeited INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE leases ADD COLUMN settled_at INTEGER;
  ALTER TABLE leases ADD COLUMN drawn INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE leases ADD COLUMN judged INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE leases ADD COLUMN failed INTEGER;
  ALTER TABLE leases ADD COLUMN peak TEXT;
  UPDATE leases SET earned = COALESCE(amount, 0), failed = 0, peak = '0';
  CREATE INDEX leases_held ON leases (provider, settled_at) WHERE held > 0;
  CREATE INDEX leases_held_due ON leases (settled_at) WHERE held > 0;
  CREATE TABLE providers (
    peer TEXT PRIMARY KEY,
    pending INTEGER NOT NULL, held INTEGER NOT NULL, bond INTEGER NOT NULL, peak INTEGER NOT NULL,
    audited INTEGER NOT NULL, experience INTEGER NOT NULL, era INTEGER NOT NULL, open_leases INTEGER NOT NULL,
    matched INTEGER NOT NULL, mismatched INTEGER NOT NULL, missing INTEGER NOT NULL, retiring INTEGER,
    CHECK (pending >= 0 AND held >= 0 AND bond >= 0 AND open_leases >= 0)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX providers_retiring ON providers (retiring) WHERE retiring IS NOT NULL;
  INSERT INTO providers SELECT provider,
    COALESCE((SELECT pending FROM accounts WHERE accounts.peer = leases.provider), 0), 0, 0, 0, 0, 0, 0,
    SUM(state <> 'settled'), 0, 0, 0, NULL FROM leases GROUP BY provider;
  CREATE TABLE experience (
    provider TEXT NOT NULL, era INTEGER NOT NULL, payer TEXT NOT NULL, counted INTEGER NOT NULL,
    PRIMARY KEY (provider, era, payer)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE draws (
    entry INTEGER NOT NULL, leaf INTEGER NOT NULL, lease TEXT NOT NULL, draw INTEGER NOT NULL,
    open_by INTEGER NOT NULL, verdict_by INTEGER NOT NULL, verdict INTEGER,
    PRIMARY KEY (entry, leaf)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX draws_open ON draws (open_by) WHERE verdict IS NULL;
  CREATE INDEX draws_of_lease ON draws (lease) WHERE verdict IS NULL;
`;

function providerRow(row: Row): ProviderState {
  return {
    peer: parsePeerId(str(row, "peer")),
    pending: microCredits(big(row, "pending")),
    held: microCredits(big(row, "held")),
    bond: microCredits(big(row, "bond")),
    peak: microCredits(big(row, "peak")),
    audited: microCredits(big(row, "audited")),
    experience: microCredits(big(row, "experience")),
    era: int(row, "era"),
    openLeases: int(row, "open_leases"),
    matched: int(row, "matched"),
    mismatched: int(row, "mismatched"),
    missing: int(row, "missing"),
    ...(row["retiring"] === null ? {} : { retiring: int(row, "retiring") }),
  };
}

function experienceRow(row: Row): ExperienceShare {
  return {
    provider: parsePeerId(str(row, "provider")),
    era: int(row, "era"),
    payer: parsePeerId(str(row, "payer")),
    counted: microCredits(big(row, "counted")),
  };
}

function drawRow(row: Row): DrawRow {
  return {
    entry: int(row, "entry"),
    leaf: int(row, "leaf"),
    lease: cidIn(row, "lease"),
    draw: int(row, "draw"),
    openBy: int(row, "open_by"),
    verdictBy: int(row, "verdict_by"),
    ...(row["verdict"] === null ? {} : { verdict: int(row, "verdict") }),
  };
}

function peerOf(row: Row): PeerId {
  return parsePeerId(str(row, "peer"));
}

function idOf(row: Row): Cid {
  return cidIn(row, "id");
}

/** Records and draws in the books' database. */
export class SqliteAudits implements AuditStore {
  readonly #ask: Statements;

  constructor(database: DatabaseSync) {
    this.#ask = new Statements(database);
  }

  provider(peer: PeerId): ProviderState | undefined {
    return this.#ask.one(providerRow, "SELECT * FROM providers WHERE peer = ?", peer);
  }

  share(provider: PeerId, era: number, payer: PeerId): ExperienceShare | undefined {
    const sql = "SELECT * FROM experience WHERE provider = ? AND era = ? AND payer = ?";
    return this.#ask.one(experienceRow, sql, provider, era, payer);
  }

  draw(entry: number, leaf: number): DrawRow | undefined {
    return this.#ask.one(drawRow, "SELECT * FROM draws WHERE entry = ? AND leaf = ?", entry, leaf);
  }

  unreleased(provider: PeerId): readonly Cid[] {
    return this.#ask.all(
      idOf,
      `SELECT id, idx FROM leases WHERE provider = ? AND held > 0
       UNION SELECT id, idx FROM leases WHERE provider = ? AND state <> 'settled' ORDER BY idx`,
      provider,
      provider,
    );
  }

  vestable(
    time: number,
    { holdTasks, bondTasks }: Pick<AuditPolicy, "holdTasks" | "bondTasks">,
    limit: number,
  ): readonly Cid[] {
    return this.#ask.all(
      idOf,
      `SELECT l.id FROM leases l JOIN providers p ON p.peer = l.provider
       WHERE l.held > 0 AND l.settled_at <= ? AND l.drawn = l.judged
         AND (p.retiring IS NOT NULL OR p.held > p.peak * ? OR p.bond < p.peak * ?)
       ORDER BY l.settled_at, l.idx LIMIT ?`,
      time,
      holdTasks,
      bondTasks,
      limit,
    );
  }

  retired(time: number, limit: number): readonly PeerId[] {
    return this.#ask.all(
      peerOf,
      `SELECT peer FROM providers WHERE retiring IS NOT NULL AND retiring <= ? AND held = 0 AND open_leases = 0
       ORDER BY retiring LIMIT ?`,
      time,
      limit,
    );
  }

  unjudged(time: number, limit: number): readonly DrawRow[] {
    return this.#ask.all(
      drawRow,
      "SELECT * FROM draws WHERE verdict IS NULL AND open_by < ? ORDER BY open_by, entry, leaf LIMIT ?",
      time,
      limit,
    );
  }

  drawsOf(entry: number): readonly DrawRow[] {
    return this.#ask.all(drawRow, "SELECT * FROM draws WHERE entry = ? ORDER BY leaf", entry);
  }

  unjudgedOf(lease: Cid): readonly DrawRow[] {
    const sql = "SELECT * FROM draws WHERE lease = ? AND verdict IS NULL ORDER BY entry, leaf";
    return this.#ask.all(drawRow, sql, lease);
  }

  records(): {
    readonly providers: readonly ProviderState[];
    readonly experience: readonly ExperienceShare[];
  } {
    return {
      providers: this.#ask.all(providerRow, "SELECT * FROM providers"),
      experience: this.#ask.all(experienceRow, "SELECT * FROM experience"),
    };
  }
}

/** Writes what a batch says of records and draws, with statements prepared once. */
export class AuditWriter {
  readonly #provider: StatementSync;
  readonly #experience: StatementSync;
  readonly #draw: StatementSync;

  constructor(database: DatabaseSync) {
    this.#provider = database.prepare(
      "INSERT OR REPLACE INTO providers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#experience = database.prepare("INSERT OR REPLACE INTO experience VALUES (?, ?, ?, ?)");
    this.#draw = database.prepare("INSERT OR REPLACE INTO draws VALUES (?, ?, ?, ?, ?, ?, ?)");
  }

  write({ providers, experience, draws }: AuditRows): void {
    for (const row of providers) this.#writeProvider(row);
    for (const { provider, era, payer, counted } of experience)
      this.#experience.run(provider, era, payer, counted);
    for (const { entry, leaf, lease, draw, openBy, verdictBy, verdict } of draws)
      this.#draw.run(entry, leaf, lease, draw, openBy, verdictBy, verdict ?? null);
  }

  #writeProvider(row: ProviderState): void {
    this.#provider.run(
      row.peer,
      row.pending,
      row.held,
      row.bond,
      row.peak,
      row.audited,
      row.experience,
      row.era,
      row.openLeases,
      row.matched,
      row.mismatched,
      row.missing,
      row.retiring ?? null,
    );
  }
}
