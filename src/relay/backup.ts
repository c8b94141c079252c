import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { isAbsolute } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import {
  dataPaths,
  IN_MEMORY,
  isRelayFolder,
  lockFolder,
  makePrivateFolder,
  writePrivateFile,
} from "./data-dir.ts";
import type { RelayData } from "./open-data.ts";
import { readSeeds } from "./relay-seeds.ts";

/** Databases that a backup holds beside the books: what nobody else has. */
const BESIDE_BOOKS = ["alerts", "runs", "names", "effects", "deployments", "schedule"] as const;

/**
 * Copies accounts, log, keys, alerts, what waits for runs, names, stores, deployments and firings into a new folder while the relay runs. Blobs are not copied: whoever needs one has it.
 * @param to absolute path of a folder that does not exist yet.
 * @throws RangeError when it exists or is not absolute.
 */
export async function saveBackup(data: RelayData, to: string): Promise<void> {
  if (!isAbsolute(to)) throw new RangeError(`${to} is not an absolute path`);
  if (existsSync(to)) throw new RangeError(`${to} exists already; a backup needs a folder of its own`);
  if (data.paths === undefined) throw new RangeError(`a relay in ${IN_MEMORY} has nothing to keep`);
  makePrivateFolder(to);
  const target = dataPaths(to);
  try {
    await data.books.backup(target.books);
    writePrivateFile(target.keys, readFileSync(data.paths.keys, "utf8"));
    for (const name of BESIDE_BOOKS)
      // oxlint-disable-next-line no-await-in-loop -- one file after the other
      if (existsSync(data.paths[name])) await copyDatabase(data.paths[name], target[name]);
  } catch (error) {
    rmSync(to, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Puts a backup in place as a relay's data folder. What happened after the backup is lost, and whoever has seen a later
 * head of the log will take the relay for a forger; see docs/operate.md.
 * @param from folder that saveBackup made. @param folder must not hold a relay.
 * @throws Error when a relay is or runs there, or the backup is damaged.
 */
export function restoreBackup(from: string, folder: string): { readonly origin: string } {
  const source = dataPaths(from);
  const { origin } = readSeeds(source.keys);
  checkDatabase(source.books);
  mkdirSync(folder, { recursive: true });
  const unlock = lockFolder(folder);
  try {
    if (isRelayFolder(folder)) throw new Error(`${folder} holds a relay already; move it away first`);
    const target = dataPaths(folder);
    copyFileSync(source.books, target.books);
    for (const name of BESIDE_BOOKS) if (existsSync(source[name])) copyFileSync(source[name], target[name]);
    writePrivateFile(target.keys, readFileSync(source.keys, "utf8"));
  } finally {
    unlock();
  }
  return { origin };
}

/** A consistent copy of a database that others may be writing to. */
async function copyDatabase(from: string, to: string): Promise<void> {
  const database = new DatabaseSync(from, { readOnly: true });
  try {
    await backup(database, to);
  } finally {
    database.close();
  }
}

/** @throws Error unless the file is a whole SQLite database. */
function checkDatabase(path: string): void {
  if (!existsSync(path)) throw new Error(`${path} is missing: this is no backup of a relay`);
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const verdict = database.prepare("PRAGMA integrity_check").get()?.["integrity_check"];
    if (verdict !== "ok") throw new Error(`${path} is damaged: ${String(verdict)}`);
  } finally {
    database.close();
  }
}
