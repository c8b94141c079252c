import { computed, type ReadonlySignal } from "@preact/signals";
import { openTabMemory, type TabMemory, type TabMemoryOutcome } from "../../provider/tab-memory.ts";
import type { Capability, TroubleWords } from "../words/trouble-words.ts";
import { missingCapabilityWords, storageTroubleWords } from "../words/trouble-words.ts";
import { type Account, createAccount } from "./account.ts";
import { type AppUpdate, watchAppUpdate } from "./app-update.ts";
import { missingCapability } from "./capabilities.ts";
import { type Contribution, createContribution } from "./contribution.ts";
import { valueOf } from "./loadable.ts";
import { createPreferences, type Preferences } from "./preferences.ts";
import { createRelayLink, type RelayLink } from "./relay-link.ts";
import { type PageName, watchRoute } from "./route.ts";
import { createStoredModels, type StoredModels } from "./stored-models.ts";

/** What there is where this browser can be a provider. */
export interface Able {
  readonly memory: TabMemory;
  readonly account: Account;
  readonly contribution: Contribution;
  readonly models: StoredModels;
}

/** Everything the pages show, made once at start. */
export interface AppState {
  readonly page: ReadonlySignal<PageName>;
  readonly preferences: Preferences;
  readonly relay: RelayLink;
  /** Until the relay has said otherwise, money is test money: better too modest than too grand. */
  readonly testMoney: ReadonlySignal<boolean>;
  readonly update: AppUpdate;
  readonly able: Able | undefined;
  /** Why this browser cannot be a provider. */
  readonly trouble: { readonly words: TroubleWords; readonly missing?: Capability } | undefined;
}

async function openMemory(missing: Capability | undefined): Promise<TabMemoryOutcome | undefined> {
  return missing === undefined ? openTabMemory() : undefined;
}

function troubleOf(
  missing: Capability | undefined,
  outcome: TabMemoryOutcome | undefined,
): AppState["trouble"] {
  if (missing !== undefined) return { missing, words: missingCapabilityWords(missing, location.host) };
  return outcome?.kind === "refused" ? { words: storageTroubleWords(outcome.trouble) } : undefined;
}

interface AbleParts {
  readonly memory: TabMemory;
  readonly preferences: Preferences;
  readonly relay: RelayLink;
  readonly testMoney: ReadonlySignal<boolean>;
}

function createAble({ memory, preferences, relay, testMoney }: AbleParts): Able {
  const account = createAccount(memory, relay);
  const contribution = createContribution({
    relayUrl: relay.url,
    memory,
    preferences,
    testMoney,
    onStarted: () => void account.refresh(),
  });
  const models = createStoredModels(memory, () => contribution.refreshModels());
  return { memory, account, contribution, models };
}

export async function createAppState(): Promise<AppState> {
  const missing = missingCapability();
  const outcome = await openMemory(missing);
  const memory = outcome?.kind === "open" ? outcome.memory : undefined;
  const stored = (await memory?.settings.load()) ?? { theme: "system" };
  const preferences = createPreferences(memory, stored);
  const relay = createRelayLink(location.origin);
  const testMoney = computed(() => valueOf(relay.info.value)?.testMoney ?? true);
  const able = memory && createAble({ memory, preferences, relay, testMoney });
  return {
    page: watchRoute(),
    preferences,
    relay,
    testMoney,
    update: watchAppUpdate(),
    able,
    trouble: troubleOf(missing, outcome),
  };
}
