import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { storageError } from "./storage-error.ts";

/**
 * The one database of an origin. What a store gives back is `unknown` until its room's decoder has spoken: another
 * version of this program, an extension or a failing disk may have written it.
 *
 * | store      | key            | value                                              | read by               |
 * |------------|----------------|----------------------------------------------------|-----------------------|
 * | identity   | "root"         | seed, peer, createdAt                              | identity.ts           |
 * | settings   | "page"         | workers, theme, limits                             | settings.ts           |
 * | settings   | "usage"        | data of the month                                  | usage.ts              |
 * | consents   | relay's URL    | version, at                                        | settings.ts           |
 * | relays     | relay's origin | keys pinned at first contact, newest checkpoint     | relay-pins.ts         |
 * | relayUrls  | relay's URL    | the origin first met there                         | relay-pins.ts         |
 * | outbox     | lease CID      | newest receipt that is not acknowledged             | outbox.ts             |
 * | blobs      | CID            | bytes                                              | blobs.ts              |
 * | blobUses   | CID            | size, order of last use; index `byUse`             | blobs.ts              |
 * | blobTotals | "all"          | bytes of all blobs, next order of use              | blobs.ts              |
 * | models     | manifest's CID | manifest, which chunks are on the disk, last use   | model-record.ts       |
 * | openings   | relay's origin, entry, leaf | a drawn outcome laid open, on its way  | openings.ts           |
 * | holdings   | lease CID      | where the trees of a lease begin, newest advance   | holdings.ts           |
 * | heldTasks  | lease, last seq | header of a task whose outcome may be drawn        | holdings.ts           |
 * | heldInputs | lease, last seq | its input                                          | holdings.ts           |
 * | heldOutcomes | lease, last leaf | an outcome that may be drawn                       | holdings.ts           |
 * | jobs       | job CID        | what became of a job that this browser asked for   | recent-jobs.ts        |
 */
export interface BrowserSchema extends DBSchema {
  identity: { key: string; value: unknown };
  settings: { key: string; value: unknown };
  consents: { key: string; value: unknown };
  relays: { key: string; value: unknown };
  relayUrls: { key: string; value: unknown };
  outbox: { key: string; value: unknown; indexes: { byUpdate: number } };
  blobs: { key: string; value: unknown };
  blobUses: { key: string; value: unknown; indexes: { byUse: number } };
  blobTotals: { key: string; value: unknown };
  models: { key: string; value: unknown };
  openings: { key: [string, number, number]; value: unknown; indexes: { byDeadline: [string, number] } };
  holdings: { key: string; value: unknown };
  heldTasks: { key: [string, number]; value: unknown };
  heldInputs: { key: [string, number]; value: unknown };
  heldOutcomes: { key: [string, number]; value: unknown };
  jobs: { key: string; value: unknown };
}

export type BrowserDatabase = IDBPDatabase<BrowserSchema>;

/** Raised with every change of the table above; `upgrade` then carries old records over. */
export const DATABASE_VERSION = 4;

/** What must survive a crash of the browser or of the machine waits for the disk. */
export const DURABLE: IDBTransactionOptions = { durability: "strict" };

/** The stores of version 1. */
function createFirst(database: BrowserDatabase): void {
  database.createObjectStore("identity");
  database.createObjectStore("settings");
  database.createObjectStore("consents");
  database.createObjectStore("relays");
  database.createObjectStore("relayUrls");
  database.createObjectStore("outbox").createIndex("byUpdate", "updatedAt");
  database.createObjectStore("blobs");
  database.createObjectStore("blobUses").createIndex("byUse", "use");
  database.createObjectStore("blobTotals");
}

/** What version 3 added: for those who audit. */
function createThird(database: BrowserDatabase): void {
  database.createObjectStore("openings").createIndex("byDeadline", ["origin", "openBy"]);
  database.createObjectStore("holdings");
  database.createObjectStore("heldTasks");
  database.createObjectStore("heldInputs");
  database.createObjectStore("heldOutcomes");
}

/**
 * Opens or creates the database.
 * @param onLost called when the browser, or a newer version of this program in another tab, takes it away.
 * @throws StorageError
 */
export async function openDatabase(name: string, onLost: () => void): Promise<BrowserDatabase> {
  try {
    return await openDB<BrowserSchema>(name, DATABASE_VERSION, {
      upgrade(database, version) {
        if (version < 1) createFirst(database);
        if (version < 2) database.createObjectStore("models");
        if (version < 3) createThird(database);
        if (version < 4) database.createObjectStore("jobs");
      },
      blocking(_current, _blocked, event) {
        const { target } = event;
        if (target instanceof IDBDatabase) target.close();
        onLost();
      },
      terminated: onLost,
    });
  } catch (error) {
    throw storageError(error);
  }
}
