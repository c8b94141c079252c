import { type ReadonlySignal, signal } from "@preact/signals";
import type { RelayInfo } from "../../protocol/relay-api.ts";
import type { RelayViews } from "../../provider/relay-views.ts";
import { failed, type Loadable, LOADING, ready } from "./loadable.ts";

/** The relay that served this page. */
export interface RelayLink {
  readonly url: string;
  readonly info: ReadonlySignal<Loadable<RelayInfo>>;
  /** The client, loaded when first needed. */
  views(): Promise<RelayViews>;
  /** Asks the relay who it is, again if it failed before. */
  refresh(): Promise<void>;
}

export function createRelayLink(url: string): RelayLink {
  const info = signal<Loadable<RelayInfo>>(LOADING);
  const views = async (): Promise<RelayViews> => {
    const { createRelayViews } = await import("../../provider/relay-views.ts");
    return createRelayViews(url);
  };
  return {
    url,
    info,
    views,
    async refresh() {
      try {
        info.value = ready(await (await views()).info());
      } catch (error) {
        info.value = failed(error);
      }
    },
  };
}
