import { type BlobCache, createBlobCache } from "./blobs.ts";
import { openDatabase } from "./database.ts";
import { createIdentityVault, type IdentityVault } from "./identity.ts";
import { BLOB_CAP_BYTES } from "./limits.ts";
import { deferModelStore } from "./deferred-model-store.ts";
import type { ModelStore } from "./model-store.ts";
import { deferHoldings, deferOpenings } from "./deferred-shelves.ts";
import type { HoldingShelf } from "./holdings.ts";
import type { OpeningShelf } from "./openings.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { createRecentJobs, type RecentJobsShelf } from "./recent-jobs.ts";
import { createRelayPins, type RelayPins } from "./relay-pins.ts";
import { createSettingsShelf, type SettingsShelf } from "./settings.ts";
import { createUsageShelf, type UsageShelf } from "./usage.ts";

/** Everything this browser remembers for one origin of the page. Several tabs may have it open at once. */
export interface BrowserStore {
  readonly identity: IdentityVault;
  readonly settings: SettingsShelf;
  readonly usage: UsageShelf;
  readonly relays: RelayPins;
  readonly outbox: Outbox;
  readonly holdings: HoldingShelf;
  readonly openings: OpeningShelf;
  readonly blobs: BlobCache;
  readonly jobs: RecentJobsShelf;
  readonly models: ModelStore;
  /** Resolves when the browser or a newer version of this program takes the database away; calls fail from then on. */
  readonly lost: Promise<void>;
  /** Asks the browser not to clear this under pressure. @returns whether it agreed. */
  persist(): Promise<boolean>;
  close(): void;
}

/** The part of it that a provider works with. */
export type ProviderStore = Pick<
  BrowserStore,
  "identity" | "relays" | "outbox" | "holdings" | "openings" | "blobs" | "models" | "persist"
>;

export interface BrowserStoreOptions {
  /** Bytes of all blobs together. Default BLOB_CAP_BYTES. */
  readonly blobCapBytes?: number;
}

/**
 * Opens what the browser remembers, and creates it at the first time.
 * @throws StorageError `denied` in private mode or a blocked frame, `newer`, `full`.
 */
export async function openBrowserStore(
  name: string = "tabmesh",
  options: BrowserStoreOptions = {},
): Promise<BrowserStore> {
  const lost = Promise.withResolvers<void>();
  const database = await openDatabase(name, () => {
    lost.resolve();
  });
  return {
    identity: createIdentityVault(database),
    settings: createSettingsShelf(database),
    usage: createUsageShelf(database),
    relays: createRelayPins(database),
    outbox: createOutbox(database),
    holdings: deferHoldings(database),
    openings: deferOpenings(database),
    blobs: createBlobCache(database, options.blobCapBytes ?? BLOB_CAP_BYTES),
    jobs: createRecentJobs(database),
    models: deferModelStore(database, `${name}-models`),
    lost: lost.promise,
    persist: async () => navigator.storage.persist(),
    close: () => {
      database.close();
    },
  };
}
