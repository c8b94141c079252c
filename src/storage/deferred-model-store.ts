import type { BrowserDatabase } from "./database.ts";
import { freeRoom } from "./free-room.ts";
import type { ModelStore } from "./model-store.ts";

/**
 * The store of models, whose code comes when it is first used: the page shows itself before it needs any of it, and where
 * there are no models it is not needed to say so.
 */
export function deferModelStore(database: BrowserDatabase, folderName: string): ModelStore {
  let loading: Promise<ModelStore> | undefined;
  const load = async (): Promise<ModelStore> => {
    const { createModelStore } = await import("./model-store.ts");
    return createModelStore(database, folderName);
  };
  const store = (): Promise<ModelStore> => {
    // Code that did not arrive is asked for again.
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
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
