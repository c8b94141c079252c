import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type AuditPolicy, DEFAULT_AUDIT_POLICY } from "../protocol/audit-policy.ts";
import { decodeEntryOf, type RelayKeys } from "../protocol/messages/entry.ts";
import { isPeerId, type PeerId } from "../protocol/peer-id.ts";
import type { Tariff } from "../protocol/tariff.ts";
import { auditPolicyOf } from "./audits/policy-file.ts";
import { restoreBackup } from "./backup.ts";
import { askRunning, type ControlRequest, obey } from "./control.ts";
import { DEFAULT_TARIFF } from "./config.ts";
import { dataPaths, isRelayFolder, lockFolder } from "./data-dir.ts";
import { openData } from "./open-data.ts";
import { migrate } from "./store/migrations.ts";
import { openSqliteStore } from "./store/sqlite-store.ts";

/** What an operator does to a relay's data folder, whether the relay runs or not. `folder` is its --data-dir. */

export interface Denied {
  readonly kind: "cid" | "peer";
  readonly value: string;
  readonly reason: string;
}

/** Denies a function, input or identity from now on. @param what a CID or peer id. @param reason for the operator alone. */
export async function denyAt(folder: string, what: string, reason: string): Promise<void> {
  await ask(folder, { kind: "deny", what, reason });
}

/** @returns whether it was denied. */
export async function undenyAt(folder: string, what: string): Promise<boolean> {
  return (await ask(folder, { kind: "undeny", what })) === true;
}

export async function listDenied(folder: string): Promise<readonly Denied[]> {
  const answer = await ask(folder, { kind: "denials" });
  return Array.isArray(answer) ? answer.filter(isDenied) : [];
}

/** Replaces one of the relay's signing keys; the log tells so under the old one's signature. @returns the new key. */
export async function rotateKeyAt(folder: string, purpose: keyof RelayKeys): Promise<PeerId> {
  const answer = await ask(folder, { kind: "rotate-key", purpose });
  if (!isPeerId(answer)) throw new Error("the relay did not name its new key");
  return answer;
}

/** The numbers of audits in force; nothing where none are. */
export async function policyAt(folder: string): Promise<AuditPolicy | undefined> {
  const answer = await ask(folder, { kind: "policy" });
  return answer === null ? undefined : auditPolicyOf(answer);
}

/** Copies accounts, log and keys into the new folder `to`, consistent as of one moment. */
export async function backupTo(folder: string, to: string): Promise<void> {
  await ask(folder, { kind: "backup", to: resolve(to) });
}

/** Puts a backup in place; the relay must not run. @returns whose it is, and how long its log. */
export async function restoreFrom(
  from: string,
  folder: string,
): Promise<{ readonly origin: string; readonly size: number }> {
  const { origin } = restoreBackup(resolve(from), resolve(folder));
  const data = await openStopped(resolve(folder));
  try {
    return { origin, size: data.books.size() };
  } finally {
    data.close();
  }
}

/** Brings the database to this program's schema, which starting the relay does too; the relay must not run. */
export function migrateAt(folder: string): { readonly from: number; readonly to: number } {
  requireRelay(folder);
  const unlock = lockFolder(resolve(folder));
  try {
    const database = new DatabaseSync(dataPaths(resolve(folder)).books);
    try {
      const from = schemaVersion(database);
      migrate(database);
      return { from, to: schemaVersion(database) };
    } finally {
      database.close();
    }
  } finally {
    unlock();
  }
}

function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}

function isDenied(value: unknown): value is Denied {
  return (
    typeof value === "object" && value !== null && "kind" in value && "value" in value && "reason" in value
  );
}

function requireRelay(folder: string): void {
  if (!isRelayFolder(resolve(folder))) throw new Error(`no relay keeps its data in ${folder}`);
}

/** The running relay does it; where none runs, this process holds the data meanwhile. */
export async function ask(folder: string, asked: ControlRequest): Promise<unknown> {
  requireRelay(folder);
  const running = await askRunning(resolve(folder), asked);
  if (running !== undefined) return running.answer;
  const data = await openStopped(resolve(folder));
  try {
    return await obey(data, asked, () => Promise.resolve());
  } finally {
    data.close();
  }
}

async function openStopped(folder: string): Promise<ReturnType<typeof openData>> {
  return openData({ dataDir: folder, ...policyInForce(folder), nowMs: Date.now });
}

/** Prices, and the numbers of audits where there are some. */
interface PolicyInForce {
  readonly tariff: Tariff;
  readonly audit?: AuditPolicy;
}

/** What the log announced last, so that an operator's visit changes no prices and no rules. */
function policyInForce(folder: string): PolicyInForce {
  const { books } = dataPaths(folder);
  if (!existsSync(books)) return { tariff: DEFAULT_TARIFF, audit: DEFAULT_AUDIT_POLICY };
  const unlock = lockFolder(folder);
  try {
    const store = openSqliteStore(books);
    try {
      const newest = store.entriesOf("policy").at(-1);
      const entry = newest === undefined ? undefined : store.entry(newest);
      if (entry === undefined) return { tariff: DEFAULT_TARIFF, audit: DEFAULT_AUDIT_POLICY };
      const { tariff, audit } = decodeEntryOf("policy", entry).body;
      return { tariff, ...(audit === undefined ? {} : { audit }) };
    } finally {
      store.close();
    }
  } finally {
    unlock();
  }
}
