import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { EarningsSpan, EarningsSplit, PayState, ReceiptFilter } from "../../protocol/earnings-json.ts";
import { parsePeerId, type PeerId } from "../../protocol/peer-id.ts";
import type {
  EarnedShare,
  EarnedSpan,
  HistoryAnswer,
  HistoryQuestion,
  HistoryRow,
  HistoryStore,
  ShareRow,
} from "./history-rows.ts";
import { big, cidIn, int, leaseRow, type Row, str } from "./rows.ts";
import { Statements } from "./statements.ts";

/** What an account earned with each function, and what each job computes, as a migration. */
export const HISTORY_TABLES = `
  CREATE TABLE earnings_shares (
    peer TEXT NOT NULL, split TEXT NOT NULL, hour INTEGER NOT NULL, name TEXT NOT NULL,
    amount INTEGER NOT NULL, tasks INTEGER NOT NULL, PRIMARY KEY (peer, split, hour, name)
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE jobs ADD COLUMN work TEXT NOT NULL DEFAULT '';
  UPDATE jobs SET work = work_of_escrow((SELECT bytes FROM entries WHERE idx = escrow_index));
`;

/** The start of the span that an hour is in. Months are those of UTC. */
const START: Readonly<Record<EarningsSpan, string>> = {
  hour: "hour",
  day: "hour - hour % 86400000",
  month: "unixepoch(hour / 1000, 'unixepoch', 'start of month') * 1000",
};

const IN_STATE: Readonly<Record<PayState, string>> = {
  pending: "state <> 'settled'",
  held: "state = 'settled' AND held > 0",
  free: "state = 'settled' AND held = 0 AND forfeited = 0",
  lost: "forfeited > 0",
};

/** Digits alone are an entry's number: as a piece of an id they would find too much. */
const HAS_TEXT = `CASE WHEN :text NOT GLOB '*[^0-9]*' THEN receipt_index = CAST(:text AS INTEGER)
  ELSE instr(id, :text) OR instr(job, :text) OR instr(work, :text) OR instr(requester, :text) END`;

function spanRow(row: Row): EarnedSpan {
  return { start: int(row, "start"), amount: big(row, "amount"), tasks: int(row, "tasks") };
}

function shareRow(row: Row): EarnedShare {
  return { name: str(row, "name"), ...spanRow(row) };
}

function historyRow(row: Row): HistoryRow {
  return { ...leaseRow(row), requester: parsePeerId(str(row, "requester")), work: cidIn(row, "work") };
}

/** What a filter asks of a row, and the values it asks with. */
function conditions(filter: ReceiptFilter): {
  readonly sql: string;
  readonly values: Record<string, string | number>;
} {
  const { work, requester, state, from, to, text } = filter;
  const asked: readonly (readonly [string, string, string | number | undefined])[] = [
    ["work = :work", ":work", work],
    ["requester = :requester", ":requester", requester],
    ["receipt_time >= :from", ":from", from],
    ["receipt_time < :to", ":to", to],
    [HAS_TEXT, ":text", text],
  ];
  const given = asked.flatMap(([sql, name, value]) => (value === undefined ? [] : [{ sql, name, value }]));
  return {
    sql: ["TRUE", ...(state === undefined ? [] : [IN_STATE[state]]), ...given.map(({ sql }) => sql)].join(
      " AND ",
    ),
    values: Object.fromEntries(given.map(({ name, value }) => [name, value])),
  };
}

/** What accounts earned, in the books' database. */
export class SqliteHistory implements HistoryStore {
  readonly #ask: Statements;

  constructor(database: DatabaseSync) {
    this.#ask = new Statements(database);
  }

  sums(peer: PeerId, span: EarningsSpan, from: number): readonly EarnedSpan[] {
    return this.#ask.all(
      spanRow,
      `SELECT ${START[span]} AS start, SUM(amount) AS amount, SUM(tasks) AS tasks
       FROM earnings WHERE peer = ? AND hour >= ? GROUP BY 1 ORDER BY 1`,
      peer,
      from,
    );
  }

  shares(peer: PeerId, split: EarningsSplit, span: EarningsSpan, from: number): readonly EarnedShare[] {
    return this.#ask.all(
      shareRow,
      `SELECT name, ${START[span]} AS start, SUM(amount) AS amount, SUM(tasks) AS tasks
       FROM earnings_shares WHERE peer = ? AND split = ? AND hour >= ? GROUP BY 2, 1 ORDER BY 2, 1`,
      peer,
      split,
      from,
    );
  }

  receipts({ provider, filter, before, skip, limit, search }: HistoryQuestion): HistoryAnswer {
    const { sql, values } = conditions(filter);
    const looked = `SELECT l.*, j.requester, j.work FROM
      (SELECT idx FROM leases WHERE provider = :provider AND receipt_index < :before
       ORDER BY receipt_index DESC LIMIT :search OFFSET :skip) p
      JOIN leases l ON l.idx = p.idx JOIN jobs j ON j.id = l.job`;
    const rows = this.#ask
      .get(`SELECT * FROM (${looked}) WHERE ${sql} ORDER BY receipt_index DESC LIMIT :limit`)
      .all({
        ":provider": provider,
        ":before": before,
        ":search": search,
        ":skip": skip,
        ":limit": limit,
        ...values,
      })
      .map(historyRow);
    const last =
      rows.length === limit ? rows.at(-1)?.newest?.index : this.#nth(provider, before, skip + search);
    const isEnd = last === undefined || this.#nth(provider, last, 1) === undefined;
    return isEnd ? { rows } : { rows, next: last };
  }

  /** Entry of the receipt that is the nth below `before`; absent where there are fewer. */
  #nth(provider: PeerId, before: number, nth: number): number | undefined {
    return this.#ask.one(
      (row) => int(row, "receipt_index"),
      `SELECT receipt_index FROM leases WHERE provider = ? AND receipt_index < ?
       ORDER BY receipt_index DESC LIMIT 1 OFFSET ?`,
      provider,
      before,
      nth - 1,
    );
  }

  count(provider: PeerId, before: number): number {
    return (
      this.#ask.one(
        (row) => int(row, "count"),
        "SELECT COUNT(*) AS count FROM leases WHERE provider = ? AND receipt_index < ?",
        provider,
        before,
      ) ?? 0
    );
  }
}

/** Writes what was earned by function and site, with a statement prepared once. */
export class ShareWriter {
  readonly #share: StatementSync;

  constructor(database: DatabaseSync) {
    this.#share = database.prepare(
      `INSERT INTO earnings_shares VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET amount = amount + excluded.amount, tasks = tasks + excluded.tasks`,
    );
  }

  write(rows: readonly ShareRow[]): void {
    for (const { peer, split, hour, name, amount, tasks } of rows)
      this.#share.run(peer, split, hour, name, amount, tasks);
  }
}
