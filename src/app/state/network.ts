import { type ReadonlySignal, signal } from "@preact/signals";
import type { NetworkView } from "../../protocol/network-view.ts";
import { failed, type Loadable, LOADING, ready } from "./loadable.ts";

/** The relay puts a view together every two seconds at most; who looks at a page sees a change within this. */
const REFRESH_MS = 5_000;

/** What the relay said of its network, and when that arrived by this machine's clock. */
export interface SeenNetwork {
  readonly view: NetworkView;
  /** Milliseconds since 1970. */
  readonly arrivedAt: number;
}

export interface NetworkState {
  readonly seen: ReadonlySignal<Loadable<SeenNetwork>>;
  /** Whether the newest question was answered; what was seen before stays on the page. */
  readonly isFresh: ReadonlySignal<boolean>;
  refresh(): Promise<void>;
  /** Asks again every few seconds while the page is seen. @returns ends that. */
  watch(): () => void;
}

export function createNetwork(relayUrl: string): NetworkState {
  const seen = signal<Loadable<SeenNetwork>>(LOADING);
  const isFresh = signal(true);
  const refresh = async (): Promise<void> => {
    try {
      const { networkAt } = await import("../../provider/relay-network.ts");
      seen.value = ready({ view: await networkAt(relayUrl), arrivedAt: Date.now() });
      isFresh.value = true;
    } catch (error) {
      isFresh.value = false;
      const outcome = failed(error);
      if (seen.value.kind !== "ready") seen.value = outcome;
    }
  };
  return {
    seen,
    isFresh,
    refresh,
    watch() {
      const look = (): void => {
        if (document.visibilityState === "visible") void refresh();
      };
      void refresh();
      const timer = setInterval(look, REFRESH_MS);
      document.addEventListener("visibilitychange", look);
      return () => {
        clearInterval(timer);
        document.removeEventListener("visibilitychange", look);
      };
    },
  };
}
