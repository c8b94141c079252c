import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { EffectGrants } from "../../protocol/effect-grants.ts";
import { FailureError } from "../../protocol/failure.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import { storageFailure } from "../../provider/storage-failure.ts";
import type { Provider, ProviderLimits, ProviderState } from "../../provider/provider-state.ts";
import type { TabMemory } from "../../provider/tab-memory.ts";
import { openProvider } from "./provider-link.ts";
import type { Preferences } from "./preferences.ts";

/** The text that consent-dialog.tsx shows. Raise it when the text changes in substance: everybody is asked again. */
export const CONSENT_VERSION = 1;

/** The switch and what stands behind it. */
export interface Contribution {
  readonly state: ReadonlySignal<ProviderState>;
  /** Whether the switch shows on: running, or on its way there. */
  readonly isOn: ReadonlySignal<boolean>;
  /** The person agreed to the present text, here or earlier. */
  readonly hasConsent: ReadonlySignal<boolean>;
  /** The person is asked for consent right now. */
  readonly isAsking: ReadonlySignal<boolean>;
  /** The switch was pressed. Asks for consent when it is needed; resolves when done or failed. */
  press(): Promise<void>;
  /** Reads from memory whether consent was given. */
  recall(): Promise<void>;
  agree(): Promise<void>;
  decline(): void;
  /** Stops, and asks again next time. */
  withdraw(): Promise<void>;
  /** What the person gives from now on, and at the next visit. */
  setLimits(limits: ProviderLimits): void;
  /** What the person lets this tab do for others from now on, and at the next visit. */
  setGrants(grants: EffectGrants): void;
  /** The person has deleted a model. */
  refreshModels(): void;
}

export interface ContributionOptions {
  readonly relayUrl: string;
  readonly memory: TabMemory;
  readonly preferences: Preferences;
  readonly testMoney: ReadonlySignal<boolean>;
  /** Called after each start: the first one has made the identity. */
  readonly onStarted: () => void;
}

const OFF_PHASES: ReadonlySet<string> = new Set(["stopped", "draining", "elsewhere", "failed"]);

function restingState(workers: number, testMoney: boolean): ProviderState {
  return {
    phase: "stopped",
    testMoney,
    workers,
    running: [],
    tasksDone: 0,
    tasksFailed: 0,
    fuel: fuel(0n),
    tasksPerSecond: 0,
    fuelPerSecond: 0,
    earned: microCredits(0n),
    outbox: 0,
    openings: { waiting: 0, opened: 0 },
  };
}

class SwitchedContribution implements Contribution {
  readonly state: ReadonlySignal<ProviderState>;
  readonly isOn: ReadonlySignal<boolean>;
  readonly isAsking = signal(false);
  readonly hasConsent = signal(false);
  readonly #options: ContributionOptions;
  readonly #live = signal<ProviderState | undefined>(undefined);
  #provider: Provider | undefined;

  constructor(options: ContributionOptions) {
    const { preferences, testMoney } = options;
    this.#options = options;
    this.state = computed(
      () => this.#live.value ?? restingState(preferences.limits.value.workers, testMoney.value),
    );
    this.isOn = computed(() => !OFF_PHASES.has(this.state.value.phase));
  }

  async press(): Promise<void> {
    if (this.isOn.value) {
      await this.#provider?.stop();
      return;
    }
    if (this.state.value.phase === "draining") return;
    await this.recall();
    if (this.hasConsent.value) await this.#start();
    else this.isAsking.value = true;
  }

  async recall(): Promise<void> {
    const { memory, relayUrl } = this.#options;
    const consent = await memory.settings.consent(relayUrl);
    this.hasConsent.value = consent?.version === CONSENT_VERSION;
  }

  async agree(): Promise<void> {
    const { memory, relayUrl } = this.#options;
    this.isAsking.value = false;
    try {
      await memory.settings.giveConsent(relayUrl, { at: Date.now(), version: CONSENT_VERSION });
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.hasConsent.value = true;
    await this.#start();
  }

  decline(): void {
    this.isAsking.value = false;
  }

  async withdraw(): Promise<void> {
    await this.#provider?.stop();
    await this.#options.memory.settings.withdrawConsent(this.#options.relayUrl);
    this.hasConsent.value = false;
  }

  setLimits(limits: ProviderLimits): void {
    this.#options.preferences.setLimits(limits);
    this.#provider?.setLimits(limits);
  }

  setGrants(grants: EffectGrants): void {
    this.#options.preferences.setGrants(grants);
    this.#provider?.setGrants(grants);
  }

  refreshModels(): void {
    this.#provider?.refreshModels();
  }

  async #start(): Promise<void> {
    const { relayUrl, memory, preferences, testMoney } = this.#options;
    try {
      if (this.#provider === undefined) {
        const resting = restingState(preferences.limits.value.workers, testMoney.value);
        this.#live.value = { ...resting, phase: "starting" };
        const provider = await openProvider({
          relayUrl,
          store: memory,
          limits: preferences.limits.value,
          grants: preferences.grants.value,
        });
        provider.subscribe((state) => {
          this.#live.value = state;
        });
        this.#provider = provider;
      }
      await this.#provider.start();
      this.#live.value = this.#provider.state();
      this.#options.onStarted();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Shows why it did not start. A bug is shown as well, and then goes on. */
  #fail(error: unknown): void {
    const { preferences, testMoney } = this.#options;
    const known = error instanceof FailureError ? error : storageFailure(error);
    const shown = known ?? new FailureError("disconnected", "the program could not be loaded");
    const resting = restingState(preferences.limits.value.workers, testMoney.value);
    this.#live.value = { ...resting, phase: "failed", failure: shown.toFailure() };
    if (known === undefined && !(error instanceof TypeError)) throw error;
  }
}

export function createContribution(options: ContributionOptions): Contribution {
  return new SwitchedContribution(options);
}
