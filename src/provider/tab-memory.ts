import { type BrowserStore, openBrowserStore } from "../storage/browser-store.ts";
import type { Identity } from "../storage/identity-file.ts";
import type { StoredModel } from "../storage/model-store.ts";
import { UNLIMITED } from "../storage/provider-limits.ts";
import type { Settings, Theme } from "../storage/settings.ts";
import type { RecentJob, RecentLease } from "../storage/recent-jobs.ts";
import { storageError, type StorageTrouble } from "../storage/storage-error.ts";

/** What the browser remembers for the page that holds the provider. */
export type TabMemory = BrowserStore;
export { UNLIMITED };
export type { RecentJob, RecentLease, StoredModel };
export type { Identity, Settings, StorageTrouble, Theme };

/** The browser may refuse to remember anything; then there is no provider, and the page says why. */
export type TabMemoryOutcome =
  | { readonly kind: "open"; readonly memory: TabMemory }
  | { readonly kind: "refused"; readonly trouble: StorageTrouble };

export async function openTabMemory(): Promise<TabMemoryOutcome> {
  try {
    return { kind: "open", memory: await openBrowserStore() };
  } catch (error) {
    return { kind: "refused", trouble: storageError(error).trouble };
  }
}
