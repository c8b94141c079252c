import { effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Settings, TabMemory, Theme } from "../../provider/tab-memory.ts";
import { suggestedWorkers } from "./capabilities.ts";

/** What the person chose, kept by the browser where it lets us. */
export interface Preferences {
  readonly theme: ReadonlySignal<Theme>;
  readonly workers: ReadonlySignal<number>;
  /** Whether models may compute on the graphics card. */
  readonly gpu: ReadonlySignal<boolean>;
  setTheme(theme: Theme): void;
  setWorkers(workers: number): void;
  setGpu(gpu: boolean): void;
}

export function createPreferences(memory: TabMemory | undefined, stored: Settings): Preferences {
  const settings = signal(stored);
  const theme = signal<Theme>(stored.theme);
  const workers = signal(stored.workers ?? suggestedWorkers());
  const gpu = signal(stored.gpu ?? true);
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
    workers,
    gpu,
    setTheme(next) {
      theme.value = next;
      save({ theme: next });
    },
    setWorkers(next) {
      workers.value = next;
      save({ workers: next });
    },
    setGpu(next) {
      gpu.value = next;
      save({ gpu: next });
    },
  };
}
