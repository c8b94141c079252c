import { type ReadonlySignal, signal } from "@preact/signals";
import type { RelayLink } from "./relay-link.ts";

/** What functions, models and sites are called, as far as the relay knows a name. */
export interface Names {
  readonly known: ReadonlySignal<ReadonlyMap<string, string>>;
  /** Asks for the names of these, once each. */
  want(kind: "function" | "site", ids: readonly string[]): void;
}

export function createNames(relay: RelayLink): Names {
  const known = signal<ReadonlyMap<string, string>>(new Map());
  let models: Promise<void> | undefined;
  const loadModels = async (): Promise<void> => {
    try {
      const published = await (await relay.views()).models();
      known.value = new Map([...known.value, ...published.map(({ cid, name }) => [cid, name] as const)]);
    } catch {
      // Without names the ids are shown.
      models = undefined;
    }
  };
  return {
    known,
    want(kind) {
      if (kind === "function") models ??= loadModels();
    },
  };
}
