import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Cid } from "../../protocol/cid.ts";
import { parsePeerId, type PeerId } from "../../protocol/peer-id.ts";
import { microCredits } from "../../protocol/units.ts";
import type { JobRow } from "./books-store.ts";
import { big, cidIn, int, jobRow, type Row, str } from "./rows.ts";
import type { RunHoldingRow, RunJobRow, RunRow, RunRows, RunStore } from "./run-rows.ts";
import { Statements } from "./statements.ts";

/** Runs, and which job carried out which of their nodes, as a migration. The last wall before a budget is a constraint. */
export const RUN_TABLES = `
  CREATE TABLE runs (
    idx INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE, holders_idx INTEGER, ended_idx INTEGER, initiator TEXT NOT NULL, payer TEXT NOT NULL,
    budget INTEGER NOT NULL, charged INTEGER NOT NULL, CHECK (charged >= 0 AND charged <= budget)
  ) STRICT;
  CREATE INDEX runs_started ON runs (initiator, idx);
  CREATE INDEX runs_paid ON runs (payer, idx);
  CREATE TABLE run_jobs (
    run TEXT NOT NULL, node TEXT NOT NULL, turn INTEGER NOT NULL, job TEXT NOT NULL, PRIMARY KEY (run, node, turn)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX run_of_job ON run_jobs (job);
`;

/** Who holds which run that is not over. `holders_of` reads a run-holders entry, `until_of` a run's; see migrations.ts. */
export const HOLDING_TABLES = `
  CREATE TABLE run_holdings (
    holder TEXT NOT NULL, idx INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (holder, idx)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX holdings_of_run ON run_holdings (idx);
  INSERT INTO run_holdings SELECT named.value, r.idx, until_of(t.bytes) FROM runs r
    JOIN entries t ON t.idx = r.idx JOIN entries e ON e.idx = r.holders_idx,
    json_each(holders_of(e.bytes)) named WHERE r.ended_idx IS NULL;
`;

function runRow(row: Row): RunRow {
  return {
    id: cidIn(row, "id"),
    index: int(row, "idx"),
    ...(row["holders_idx"] === null ? {} : { holdersIndex: int(row, "holders_idx") }),
    ...(row["ended_idx"] === null ? {} : { endedIndex: int(row, "ended_idx") }),
    initiator: parsePeerId(str(row, "initiator")),
    payer: parsePeerId(str(row, "payer")),
    budget: microCredits(big(row, "budget")),
    charged: microCredits(big(row, "charged")),
  };
}

function runJobRow(row: Row): RunJobRow {
  return {
    run: cidIn(row, "run"),
    node: str(row, "node"),
    turn: int(row, "turn"),
    job: cidIn(row, "job"),
  };
}

function holdingRow(row: Row): RunHoldingRow {
  const holders: unknown = JSON.parse(str(row, "holders"));
  if (!Array.isArray(holders)) throw new TypeError("the holders of a run are no list");
  return {
    index: int(row, "idx"),
    until: int(row, "until"),
    holders: holders.map((holder) => parsePeerId(String(holder))),
  };
}

function jobCid(row: Row): Cid {
  return cidIn(row, "job");
}

/** Runs in the books' database. */
export class SqliteRuns implements RunStore {
  readonly #ask: Statements;

  constructor(database: DatabaseSync) {
    this.#ask = new Statements(database);
  }

  run(id: Cid): RunRow | undefined {
    return this.#ask.one(runRow, "SELECT * FROM runs WHERE id = ?", id);
  }

  runsOf(account: PeerId, before: number, limit: number): readonly RunRow[] {
    return this.#ask.all(
      runRow,
      `SELECT * FROM (
         SELECT * FROM (SELECT * FROM runs WHERE initiator = ?1 AND idx < ?2 ORDER BY idx DESC LIMIT ?3)
         UNION SELECT * FROM (SELECT * FROM runs WHERE payer = ?1 AND idx < ?2 ORDER BY idx DESC LIMIT ?3)
       ) ORDER BY idx DESC LIMIT ?3`,
      account,
      before,
      limit,
    );
  }

  heldBy(account: PeerId, now: number, before: number, limit: number): readonly RunRow[] {
    return this.#ask.all(
      runRow,
      `SELECT r.* FROM run_holdings h JOIN runs r ON r.idx = h.idx WHERE h.holder = ? AND h.idx < ? AND h.until >= ?
       ORDER BY h.idx DESC LIMIT ?`,
      account,
      before,
      now,
      limit,
    );
  }

  runJob(run: Cid, node: string, turn: number): Cid | undefined {
    return this.#ask.one(
      jobCid,
      "SELECT job FROM run_jobs WHERE run = ? AND node = ? AND turn = ?",
      run,
      node,
      turn,
    );
  }

  lastTurn(run: Cid, node: string): number | undefined {
    return this.#ask.one(
      (row) => int(row, "turn"),
      "SELECT turn FROM run_jobs WHERE run = ? AND node = ? ORDER BY turn DESC LIMIT 1",
      run,
      node,
    );
  }

  openJobs(run: Cid, node?: string): readonly Cid[] {
    const open = `SELECT r.job FROM run_jobs r JOIN jobs j ON j.id = r.job WHERE r.run = ? AND j.state = 'open'`;
    if (node === undefined) return this.#ask.all(jobCid, `${open} ORDER BY j.escrow_index`, run);
    return this.#ask.all(jobCid, `${open} AND r.node = ? ORDER BY r.turn`, run, node);
  }

  stepOf(job: Cid): RunJobRow | undefined {
    return this.#ask.one(runJobRow, "SELECT * FROM run_jobs WHERE job = ?", job);
  }

  works(run: Cid, provider: PeerId): boolean {
    const found = this.#ask.one(
      jobCid,
      `SELECT r.job FROM run_jobs r JOIN leases l ON l.job = r.job WHERE r.run = ? AND l.provider = ? LIMIT 1`,
      run,
      provider,
    );
    return found !== undefined;
  }

  jobsOf(run: Cid, limit: number): readonly (JobRow & Pick<RunJobRow, "node" | "turn">)[] {
    return this.#ask.all(
      (row) => ({ ...jobRow(row), node: str(row, "node"), turn: int(row, "turn") }),
      `SELECT j.*, r.node, r.turn FROM run_jobs r JOIN jobs j ON j.id = r.job
       WHERE r.run = ? ORDER BY j.escrow_index DESC LIMIT ?`,
      run,
      limit,
    );
  }

  spent(run: Cid): bigint {
    const sum = this.#ask.one(
      (row) => big(row, "sum"),
      `SELECT COALESCE(SUM(j.spent), 0) AS sum FROM run_jobs r JOIN jobs j ON j.id = r.job WHERE r.run = ?`,
      run,
    );
    return sum ?? 0n;
  }

  everything(): RunRows {
    return {
      runs: this.#ask.all(runRow, "SELECT * FROM runs"),
      jobs: this.#ask.all(runJobRow, "SELECT * FROM run_jobs"),
      holdings: this.#ask.all(
        holdingRow,
        "SELECT idx, until, json_group_array(holder) AS holders FROM run_holdings GROUP BY idx, until",
      ),
    };
  }
}

/** Writes rows of runs; part of a batch's transaction. */
export class RunWriter {
  readonly #run: StatementSync;
  readonly #job: StatementSync;
  readonly #letGo: StatementSync;
  readonly #hold: StatementSync;

  constructor(database: DatabaseSync) {
    this.#run = database.prepare(
      `INSERT INTO runs (idx, id, holders_idx, ended_idx, initiator, payer, budget, charged)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (idx) DO UPDATE SET holders_idx = excluded.holders_idx, ended_idx = excluded.ended_idx,
         charged = excluded.charged`,
    );
    this.#job = database.prepare("INSERT INTO run_jobs VALUES (?, ?, ?, ?)");
    this.#letGo = database.prepare("DELETE FROM run_holdings WHERE idx = ?");
    this.#hold = database.prepare("INSERT INTO run_holdings (holder, idx, until) VALUES (?, ?, ?)");
  }

  write({ runs, jobs, holdings }: RunRows): void {
    for (const row of runs) {
      const { id, index, holdersIndex, endedIndex, initiator, payer, budget, charged } = row;
      const [holders, ended] = [holdersIndex ?? null, endedIndex ?? null];
      this.#run.run(index, id, holders, ended, initiator, payer, budget, charged);
    }
    for (const { run, node, turn, job } of jobs) this.#job.run(run, node, turn, job);
    for (const { index, until, holders } of holdings) {
      this.#letGo.run(index);
      for (const holder of holders) this.#hold.run(holder, index, until);
    }
  }
}
