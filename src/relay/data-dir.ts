import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Where a relay keeps things below its data folder. */
export interface DataPaths {
  readonly folder: string;
  readonly keys: string;
  readonly books: string;
  readonly blobs: string;
  /** Identities that have offered here, and how many are new today. */
  readonly newcomers: string;
  /** Hours of work, for the history of prices. */
  readonly stats: string;
  /** Alerts of accounts, and what is to be told. */
  readonly alerts: string;
  /** Deployments of accounts, and what happened to them. */
  readonly deployments: string;
  /** What starts their runs, and when. */
  readonly schedule: string;
  /** Stores of accounts, and effects that the relay has carried out. */
  readonly effects: string;
  /** What waits for runs of plans: receipts, and which values. */
  readonly runs: string;
  /** Registered names. */
  readonly names: string;
}

/** Keeps nothing: accounts and log in memory, blobs in a temporary folder. */
export const IN_MEMORY = ":memory:";

export function dataPaths(folder: string): DataPaths {
  return {
    folder,
    keys: join(folder, "keys.json"),
    books: join(folder, "books.sqlite"),
    blobs: join(folder, "blobs"),
    newcomers: join(folder, "newcomers.sqlite"),
    stats: join(folder, "stats.sqlite"),
    alerts: join(folder, "alerts.sqlite"),
    deployments: join(folder, "deployments.sqlite"),
    schedule: join(folder, "schedule.sqlite"),
    effects: join(folder, "effects.sqlite"),
    runs: join(folder, "runs.sqlite"),
    names: join(folder, "names.sqlite"),
  };
}

/** Makes the folder, for its owner alone: it holds the relay's keys. */
export function makePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
}

/** Writes a file that only its owner may read, all of it or nothing: a temporary file, synced, renamed. */
export function writePrivateFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.new`;
  const file = openSync(temporary, "w", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/**
 * Holds the folder for one process. The lock is SQLite's own on a file of its own, so that the system gives it up when
 * the process ends in whatever way.
 * @returns gives the folder up; idempotent.
 * @throws Error when another process holds it.
 */
export function lockFolder(folder: string): () => void {
  makePrivateFolder(folder);
  const database = new DatabaseSync(join(folder, "relay.lock"));
  try {
    database.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    throw new Error(`another relay runs on ${folder}; stop it first`, { cause: error });
  }
  return () => {
    if (database.isOpen) database.close();
  };
}

/** Whether a relay has kept anything here. */
export function isRelayFolder(folder: string): boolean {
  return existsSync(dataPaths(folder).keys);
}
