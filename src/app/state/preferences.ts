import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { type EffectGrants, FIRST_GRANTS } from "../../protocol/effect-grants.ts";
import type { ProviderLimits } from "../../provider/provider-state.ts";
import { type Settings, type TabMemory, type Theme, UNLIMITED } from "../../provider/tab-memory.ts";
import { suggestedWorkers } from "./capabilities.ts";

/** What the person chose, kept by the browser where it lets us. */
export interface Preferences {
  readonly theme: ReadonlySignal<Theme>;
  readonly limits: ReadonlySignal<ProviderLimits>;
  readonly grants: ReadonlySignal<EffectGrants>;
  setTheme(theme: Theme): void;
  setLimits(limits: ProviderLimits): void;
  setGrants(grants: EffectGrants): void;
}

export function createPreferences(memory: TabMemory | undefined, stored: Settings): Preferences {
  const settings = signal(stored);
  const theme = signal<Theme>(stored.theme);
  const limits = signal<ProviderLimits>({
    ...(stored.limits ?? UNLIMITED),
    workers: stored.workers ?? suggestedWorkers(),
    gpu: stored.gpu ?? true,
  });
  const grants = signal<EffectGrants>(stored.effects ?? FIRST_GRANTS);
  effect(() => {
    const root = document.documentElement;
    if (theme.value === "system") delete root.dataset["theme"];
    else root.dataset["theme"] = theme.value;
  });
  const save = (change: Partial<Settings>): void => {
    settings.value = { ...settings.value, ...change };
    // A choice that cannot be kept still holds until the page is closed.
    memory?.settings.save(settings.value).catch(() => {});
  };
  return {
    theme,
    limits,
    grants,
    setTheme(next) {
      theme.value = next;
      save({ theme: next });
    },
    setLimits(next) {
      limits.value = next;
      const { workers, gpu, ...others } = next;
      save({ workers, gpu, limits: others });
    },
    setGrants(next) {
      grants.value = next;
      save({ effects: next });
    },
  };
}
