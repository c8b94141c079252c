import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { PayoutAddressState } from "../../ledger/payout-address.ts";
import type { Cid } from "../../protocol/cid.ts";
import { parsePeerId, type PeerId } from "../../protocol/peer-id.ts";
import { microCredits } from "../../protocol/units.ts";
import type {
  CreditRow,
  PayoutBatchRow,
  PayoutGaps,
  PayoutLineRow,
  PayoutRows,
  PayoutStore,
} from "./payout-rows.ts";
import { big, cidIn, int, type Row, str } from "./rows.ts";

/** Tables of payouts, as a migration. Lines of one batch are read in order of accounts, those of an account by batch. */
export const PAYOUT_TABLES = `
  CREATE TABLE payout_addresses (
    account TEXT PRIMARY KEY, id TEXT NOT NULL, idx INTEGER NOT NULL, since INTEGER NOT NULL,
    address TEXT NOT NULL, usable_from INTEGER NOT NULL, trusted TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE payout_batches (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, idx INTEGER NOT NULL, prepared INTEGER NOT NULL,
    count INTEGER NOT NULL, total INTEGER NOT NULL CHECK (total > 0), state TEXT NOT NULL,
    ended INTEGER, reference TEXT
  ) STRICT;
  CREATE TABLE payout_lines (
    batch TEXT NOT NULL, account TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0),
    address TEXT NOT NULL, prepare_index INTEGER NOT NULL, end_index INTEGER, PRIMARY KEY (batch, account)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX payout_lines_of ON payout_lines (account);
  CREATE TABLE credits (reference TEXT PRIMARY KEY, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

const PAYABLE = `
  SELECT a.peer FROM accounts a JOIN payout_addresses p ON p.account = a.peer
  WHERE a.available >= ? AND p.usable_from <= ?
    AND NOT EXISTS (SELECT 1 FROM denials d WHERE d.kind = 'peer' AND d.value = a.peer)
  ORDER BY a.peer LIMIT ?`;

const GAPS = `
  SELECT
    COUNT(*) FILTER (WHERE available < minimum) AS too_little,
    COUNT(*) FILTER (WHERE available >= minimum AND denied) AS denied,
    COUNT(*) FILTER (WHERE available >= minimum AND NOT denied AND usable_from IS NULL) AS without,
    COUNT(*) FILTER (WHERE available >= minimum AND NOT denied AND usable_from > now) AS waits
  FROM (
    SELECT a.available, p.usable_from, ? AS minimum, ? AS now,
      EXISTS (SELECT 1 FROM denials d WHERE d.kind = 'peer' AND d.value = a.peer) AS denied
    FROM accounts a LEFT JOIN payout_addresses p ON p.account = a.peer WHERE a.available > 0
  )`;

function textIn(row: Row, name: string): string | undefined {
  return row[name] === null ? undefined : str(row, name);
}

function intIn(row: Row, name: string): number | undefined {
  return row[name] === null ? undefined : int(row, name);
}

function addressRow(row: Row): PayoutAddressState {
  const trusted = textIn(row, "trusted");
  return {
    account: parsePeerId(str(row, "account")),
    id: cidIn(row, "id"),
    index: int(row, "idx"),
    since: int(row, "since"),
    address: str(row, "address"),
    usableFrom: int(row, "usable_from"),
    ...(trusted === undefined ? {} : { trusted }),
  };
}

function batchState(row: Row): PayoutBatchRow["state"] {
  const state = str(row, "state");
  if (state === "prepared" || state === "paid" || state === "cancelled") return state;
  throw new TypeError("column state does not hold what its schema says");
}

function batchRow(row: Row): PayoutBatchRow {
  const ended = intIn(row, "ended");
  const reference = textIn(row, "reference");
  return {
    id: cidIn(row, "id"),
    number: int(row, "number"),
    index: int(row, "idx"),
    prepared: int(row, "prepared"),
    count: int(row, "count"),
    total: big(row, "total"),
    state: batchState(row),
    ...(ended === undefined ? {} : { ended }),
    ...(reference === undefined ? {} : { reference }),
  };
}

function lineRow(row: Row): PayoutLineRow {
  const endIndex = intIn(row, "end_index");
  return {
    batch: cidIn(row, "batch"),
    account: parsePeerId(str(row, "account")),
    amount: microCredits(big(row, "amount")),
    address: str(row, "address"),
    prepareIndex: int(row, "prepare_index"),
    ...(endIndex === undefined ? {} : { endIndex }),
  };
}

function creditRow(row: Row): CreditRow {
  return { reference: str(row, "reference"), index: int(row, "idx") };
}

/** Payouts in the books' SQLite database. They are asked for rarely, so each question is prepared anew. */
export class SqlitePayouts implements PayoutStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  #all<T>(read: (row: Row) => T, sql: string, ...parameters: (number | bigint | string)[]): readonly T[] {
    const statement = this.#database.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all(...parameters).map(read);
  }

  address(account: PeerId): PayoutAddressState | undefined {
    return this.#all(addressRow, "SELECT * FROM payout_addresses WHERE account = ?", account)[0];
  }

  batch(id: Cid): PayoutBatchRow | undefined {
    return this.#all(batchRow, "SELECT * FROM payout_batches WHERE id = ?", id)[0];
  }

  newestBatch(): PayoutBatchRow | undefined {
    return this.batches(1)[0];
  }

  batches(limit: number): readonly PayoutBatchRow[] {
    return this.#all(batchRow, "SELECT * FROM payout_batches ORDER BY number DESC LIMIT ?", limit);
  }

  lines(batch: Cid): readonly PayoutLineRow[] {
    return this.#all(lineRow, "SELECT * FROM payout_lines WHERE batch = ? ORDER BY account", batch);
  }

  linesOf(account: PeerId, before: number, limit: number): readonly PayoutLineRow[] {
    return this.#all(
      lineRow,
      `SELECT l.* FROM payout_lines l JOIN payout_batches b ON b.id = l.batch
       WHERE l.account = ? AND b.number < ? ORDER BY b.number DESC LIMIT ?`,
      account,
      before,
      limit,
    );
  }

  paidTo(account: PeerId): { readonly paid: bigint; readonly prepared: bigint } {
    const [sums] = this.#all(
      (row) => ({ paid: big(row, "paid"), prepared: big(row, "prepared") }),
      `SELECT COALESCE(SUM(l.amount) FILTER (WHERE b.state = 'paid'), 0) AS paid,
         COALESCE(SUM(l.amount) FILTER (WHERE b.state = 'prepared'), 0) AS prepared
       FROM payout_lines l JOIN payout_batches b ON b.id = l.batch WHERE l.account = ?`,
      account,
    );
    return sums ?? { paid: 0n, prepared: 0n };
  }

  credit(reference: string): number | undefined {
    return this.#all(creditRow, "SELECT * FROM credits WHERE reference = ?", reference)[0]?.index;
  }

  payable(minimum: bigint, time: number, limit: number): readonly PeerId[] {
    return this.#all((row) => parsePeerId(str(row, "peer")), PAYABLE, minimum, time, limit);
  }

  gaps(minimum: bigint, time: number): PayoutGaps {
    const [counts] = this.#all(
      (row) => ({
        tooLittle: int(row, "too_little"),
        withoutAddress: int(row, "without"),
        addressWaits: int(row, "waits"),
        denied: int(row, "denied"),
      }),
      GAPS,
      minimum,
      time,
    );
    if (counts === undefined) throw new TypeError("a count has no row");
    return counts;
  }

  everything(): PayoutRows {
    return {
      addresses: this.#all(addressRow, "SELECT * FROM payout_addresses"),
      batches: this.#all(batchRow, "SELECT * FROM payout_batches"),
      lines: this.#all(lineRow, "SELECT * FROM payout_lines"),
      credits: this.#all(creditRow, "SELECT * FROM credits"),
    };
  }
}

/** Writes rows of payouts; part of a batch's transaction. */
export class PayoutWriter {
  readonly #address: StatementSync;
  readonly #batch: StatementSync;
  readonly #line: StatementSync;
  readonly #credit: StatementSync;

  constructor(database: DatabaseSync) {
    this.#address = database.prepare("INSERT OR REPLACE INTO payout_addresses VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#batch = database.prepare(
      "INSERT OR REPLACE INTO payout_batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#line = database.prepare("INSERT OR REPLACE INTO payout_lines VALUES (?, ?, ?, ?, ?, ?)");
    this.#credit = database.prepare("INSERT INTO credits VALUES (?, ?)");
  }

  write({ addresses, batches, lines, credits }: PayoutRows): void {
    for (const { account, id, index, since, address, usableFrom, trusted } of addresses)
      this.#address.run(account, id, index, since, address, usableFrom, trusted ?? null);
    for (const row of batches) this.#writeBatch(row);
    for (const { batch, account, amount, address, prepareIndex, endIndex } of lines)
      this.#line.run(batch, account, amount, address, prepareIndex, endIndex ?? null);
    for (const { reference, index } of credits) this.#credit.run(reference, index);
  }

  #writeBatch(row: PayoutBatchRow): void {
    const { number, id, index, prepared, count, total, state, ended, reference } = row;
    this.#batch.run(number, id, index, prepared, count, total, state, ended ?? null, reference ?? null);
  }
}
