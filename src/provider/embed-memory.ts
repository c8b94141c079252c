import { openBrowserStore, type ProviderStore } from "../storage/browser-store.ts";
import { openMemoryStore } from "../storage/memory-store.ts";

/** A name of its own: where a browser does not keep sites apart, this must not meet what the app keeps. */
const NAME = "tabmesh-embed";

/** What a frame of another site remembers: in the browser where that may be, else in memory. Nobody is asked to let it stay. */
export async function openEmbedMemory(): Promise<ProviderStore> {
  try {
    return { ...(await openBrowserStore(NAME)), persist: async () => false };
  } catch {
    return openMemoryStore();
  }
}
