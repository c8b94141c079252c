import { type ReadonlySignal, signal } from "@preact/signals";
import type { Cid } from "../../protocol/cid.ts";
import type { StoredModel, TabMemory } from "../../provider/tab-memory.ts";

/** What models take of this machine. */
export interface ModelShelf {
  readonly models: readonly StoredModel[];
  /** Bytes of all models. */
  readonly usedBytes: number;
  /** Bytes that the browser grants this page beyond that, as it says. */
  readonly freeBytes: number;
}

/** The models that this browser keeps. */
export interface StoredModels {
  /** `none`: the browser keeps no files for this page. */
  readonly shelf: ReadonlySignal<ModelShelf | "loading" | "none">;
  refresh(): Promise<void>;
  /** Deletes one, whole or on its way in. */
  remove(cid: Cid): Promise<void>;
}

/** @param onRemoved told after each deletion: the provider offers the model no more. */
export function createStoredModels({ models }: TabMemory, onRemoved: () => void): StoredModels {
  const shelf = signal<ModelShelf | "loading" | "none">("loading");
  const refresh = async (): Promise<void> => {
    try {
      const [list, room] = await Promise.all([models.list(), models.room()]);
      shelf.value = { models: list, ...room };
    } catch {
      // Storage errors alone come from there; without models the tab still runs functions.
      shelf.value = "none";
    }
  };
  return {
    shelf,
    refresh,
    async remove(cid) {
      await models.remove(cid).catch(() => undefined);
      onRemoved();
      await refresh();
    },
  };
}
