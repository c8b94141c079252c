import { type ReadonlySignal, signal } from "@preact/signals";
import { isSiteId } from "../../protocol/site.ts";
import { createEarningsViews } from "../../provider/earnings-views.ts";
import type { RelayLink } from "./relay-link.ts";

/** What functions, models and sites are called, as far as the relay knows a name. */
export interface Names {
  readonly known: ReadonlySignal<ReadonlyMap<string, string>>;
  /** Asks for the names of these, once each. */
  want(kind: "function" | "site", ids: readonly string[]): void;
}

export function createNames(relay: RelayLink): Names {
  const known = signal<ReadonlyMap<string, string>>(new Map());
  const views = createEarningsViews(relay.url);
  const asked = new Set<string>();
  let models: Promise<void> | undefined;
  const learn = (names: readonly (readonly [id: string, name: string])[]): void => {
    known.value = new Map([...known.value, ...names]);
  };
  const loadModels = async (): Promise<void> => {
    try {
      const published = await (await relay.views()).models();
      learn(published.map(({ cid, name }) => [cid, name] as const));
    } catch {
      // Without names the ids are shown.
      models = undefined;
    }
  };
  const loadSite = async (id: string): Promise<void> => {
    if (!isSiteId(id) || asked.has(id)) return;
    asked.add(id);
    try {
      learn([[id, new URL(await views.sitePage(id)).host]]);
    } catch {
      asked.delete(id);
    }
  };
  return {
    known,
    want(kind, ids) {
      if (kind === "function") models ??= loadModels();
      else for (const id of ids) void loadSite(id);
    },
  };
}
