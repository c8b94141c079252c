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

/**
 * Copies accounts, log, keys and alerts into a new folder while the relay runs. Blobs are not copied: whoever needs one has it.
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
    if (existsSync(data.paths.alerts)) await copyDatabase(data.paths.alerts, target.alerts);
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
    if (existsSync(source.alerts)) copyFileSync(source.alerts, target.alerts);
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
