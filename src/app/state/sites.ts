import { type ReadonlySignal, signal } from "@preact/signals";
import type { TabMemory } from "../../provider/tab-memory.ts";
import {
  listSites,
  registerSite,
  type SiteContributions,
  type SiteTerms,
  type SiteView,
} from "../../sdk/index.ts";
import type { Account } from "./account.ts";
import { failed, type Loadable, LOADING, ready } from "./loadable.ts";
import type { RelayLink } from "./relay-link.ts";

const DAY_MS = 86_400_000;
/** Days that are shown, today included. */
const SHOWN_DAYS = 30;

export type Saving =
  | { readonly kind: "idle" }
  | { readonly kind: "saving" }
  | Extract<Loadable<never>, { kind: "failed" }>;

/** Sites of this browser's account. */
export interface OwnedSites {
  /** Empty while there is no account yet. */
  readonly sites: ReadonlySignal<Loadable<readonly SiteContributions[]>>;
  readonly saving: ReadonlySignal<Saving>;
  refresh(): Promise<void>;
  /** Registers a site or changes it. The account is made first where there is none. @returns the site, or nothing where that failed */
  register(terms: SiteTerms): Promise<SiteView | undefined>;
}

export function createOwnedSites(relay: RelayLink, memory: TabMemory, account: Account): OwnedSites {
  const sites = signal<Loadable<readonly SiteContributions[]>>(LOADING);
  const saving = signal<Saving>({ kind: "idle" });

  const refresh = async (): Promise<void> => {
    const identity = await memory.identity.load();
    if (identity === undefined) {
      sites.value = ready([]);
      return;
    }
    try {
      const owner = { relay: relay.url, seed: identity.seed, pins: memory.relays };
      sites.value = ready(await listSites(owner, Date.now() - (SHOWN_DAYS - 1) * DAY_MS));
    } catch (error) {
      // What is shown stays where a later look fails.
      if (sites.value.kind !== "ready") sites.value = failed(error);
    }
  };

  return {
    sites,
    saving,
    refresh,
    async register(terms) {
      if (saving.value.kind === "saving") return undefined;
      saving.value = { kind: "saving" };
      try {
        const { seed } = await memory.identity.ensure();
        const site = await registerSite({ relay: relay.url, seed, pins: memory.relays }, terms);
        saving.value = { kind: "idle" };
        await refresh();
        void account.refresh();
        return site;
      } catch (error) {
        saving.value = failed(error);
        return undefined;
      }
    },
  };
}
