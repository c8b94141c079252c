import type { LoggedReceipt } from "../../ledger/ledger-state.ts";
import { type Cid, parseCid } from "../../protocol/cid.ts";
import { parsePeerId } from "../../protocol/peer-id.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import type { PublishedRow } from "./published-rows.ts";
import type { AccountRow, EarningsRow, JobRow, LeaseRow, SpendingRow } from "./books-store.ts";

/** A row as SQLite answers it, integers as bigint. */
export type Row = Readonly<Record<string, null | number | bigint | string | Uint8Array>>;

function wrong(name: string): never {
  throw new TypeError(`column ${name} does not hold what its schema says`);
}

export function int(row: Row, name: string): number {
  const value = row[name];
  return typeof value === "bigint" ? Number(value) : wrong(name);
}

export function big(row: Row, name: string): bigint {
  const value = row[name];
  return typeof value === "bigint" ? value : wrong(name);
}

export function str(row: Row, name: string): string {
  const value = row[name];
  return typeof value === "string" ? value : wrong(name);
}

export function blob(row: Row, name: string): Uint8Array {
  const value = row[name];
  return value instanceof Uint8Array ? value : wrong(name);
}

export function cidIn(row: Row, name: string): Cid {
  return parseCid(str(row, name));
}

function oneOf<const W extends string>(row: Row, name: string, words: readonly W[]): W {
  const value = str(row, name);
  return words.find((word) => word === value) ?? wrong(name);
}

export function accountRow(row: Row): AccountRow {
  return {
    peer: parsePeerId(str(row, "peer")),
    available: microCredits(big(row, "available")),
    pending: microCredits(big(row, "pending")),
    escrowed: microCredits(big(row, "escrowed")),
    earned: microCredits(big(row, "earned")),
  };
}

export function earningsRow(row: Row): EarningsRow {
  return {
    peer: parsePeerId(str(row, "peer")),
    hour: int(row, "hour"),
    amount: big(row, "amount"),
    tasks: int(row, "tasks"),
  };
}

export function spendingRow(row: Row): SpendingRow {
  return { apiKey: cidIn(row, "api_key"), period: int(row, "period"), amount: big(row, "amount") };
}

export function jobRow(row: Row): JobRow {
  return {
    id: cidIn(row, "id"),
    escrowIndex: int(row, "escrow_index"),
    requester: parsePeerId(str(row, "requester")),
    nonce: blob(row, "nonce"),
    work: cidIn(row, "work"),
    expires: int(row, "expires"),
    state: oneOf(row, "state", ["open", "closing", "closed"]),
    unbound: microCredits(big(row, "unbound")),
    spent: microCredits(big(row, "spent")),
    refunded: microCredits(big(row, "refunded")),
    openLeases: int(row, "open_leases"),
  };
}

export function publishedRow(row: Row): PublishedRow {
  return {
    name: str(row, "name"),
    model: cidIn(row, "model"),
    publisher: parsePeerId(str(row, "publisher")),
    published: int(row, "published"),
    manifest: blob(row, "manifest"),
  };
}

function loggedReceipt(row: Row): LoggedReceipt | undefined {
  if (row["receipt"] === null) return undefined;
  return {
    id: cidIn(row, "receipt"),
    index: int(row, "receipt_index"),
    time: int(row, "receipt_time"),
    seq: int(row, "seq"),
    count: int(row, "count"),
    payable: int(row, "payable"),
    cancelled: int(row, "cancelled"),
    failed: int(row, "failed"),
    peak: fuel(BigInt(str(row, "peak"))),
    fuel: fuel(BigInt(str(row, "fuel"))),
    bytes: BigInt(str(row, "bytes")),
    amount: microCredits(big(row, "amount")),
    root: blob(row, "root"),
    taskCount: int(row, "task_count"),
    tasksRoot: blob(row, "tasks_root"),
    final: int(row, "final") === 1,
  };
}

export function leaseRow(row: Row): LeaseRow {
  const newest = loggedReceipt(row);
  return {
    id: cidIn(row, "id"),
    index: int(row, "idx"),
    job: cidIn(row, "job"),
    provider: parsePeerId(str(row, "provider")),
    instance: parsePeerId(str(row, "instance")),
    revision: cidIn(row, "revision"),
    termsIndex: int(row, "terms_index"),
    state: oneOf(row, "state", ["open", "returning", "settled"]),
    bound: microCredits(big(row, "bound")),
    reportBy: int(row, "report_by"),
    earned: microCredits(big(row, "earned")),
    held: microCredits(big(row, "held")),
    forfeited: microCredits(big(row, "forfeited")),
    ...(row["settled_at"] === null ? {} : { settledAt: int(row, "settled_at") }),
    drawn: int(row, "drawn"),
    judged: int(row, "judged"),
    ...(newest === undefined ? {} : { newest }),
  };
}
