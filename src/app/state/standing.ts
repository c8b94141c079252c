import { type ReadonlySignal, signal } from "@preact/signals";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { StandingView } from "../../protocol/relay-api.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { failed, type Loadable, LOADING, ready } from "./loadable.ts";
import type { RelayLink } from "./relay-link.ts";

/** Verdicts come within seconds of the work; a person who waits for one looks again about as often. */
const REFRESH_MS = 5_000;

/** How this browser's key stands at the relay. */
export interface StandingState {
  /** `undefined` inside: the relay has never given it a lease. */
  readonly view: ReadonlySignal<Loadable<StandingView | undefined>>;
  refresh(): Promise<void>;
  /** Asks again every few seconds while the page is seen. @returns ends that. */
  watch(): () => void;
}

export function createStanding(relay: RelayLink, peer: PeerId): StandingState {
  const view = signal<Loadable<StandingView | undefined>>(LOADING);
  const refresh = async (): Promise<void> => {
    try {
      view.value = ready(await (await relay.views()).standing(peer));
    } catch (error) {
      const outcome = failed(error);
      if (outcome.failure.code === failureCode("not-found")) view.value = ready(undefined);
      // What was known stays on the page: the relay's own trouble is told elsewhere.
      else if (view.value.kind !== "ready") view.value = outcome;
    }
  };
  return {
    view,
    refresh,
    watch() {
      void refresh();
      const timer = setInterval(() => {
        if (document.visibilityState === "visible") void refresh();
      }, REFRESH_MS);
      return () => clearInterval(timer);
    },
  };
}
