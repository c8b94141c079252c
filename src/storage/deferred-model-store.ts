import type { BrowserDatabase } from "./database.ts";
import { loadOnce } from "./load-once.ts";
import { freeRoom } from "./free-room.ts";
import type { ModelStore } from "./model-store.ts";

/**
 * The store of models, whose code comes when it is first used: the page shows itself before it needs any of it, and where
 * there are no models it is not needed to say so.
 */
export function deferModelStore(database: BrowserDatabase, folderName: string): ModelStore {
  const store = loadOnce(async () =>
    (await import("./model-store.ts")).createModelStore(database, folderName),
  );
  const isEmpty = async (): Promise<boolean> => (await database.count("models")) === 0;
  return {
    list: async () => ((await isEmpty()) ? [] : (await store()).list()),
    open: async (cid, manifest) => (await store()).open(cid, manifest),
    file: async (cid) => (await store()).file(cid),
    chunk: async (cid) => (await store()).chunk(cid),
    remove: async (cid) => (await store()).remove(cid),
    room: async () =>
      (await isEmpty()) ? { freeBytes: await freeRoom(), usedBytes: 0 } : (await store()).room(),
  };
}
