import { batteryHere, type BatteryLike, connectionHere, pressureHere } from "./browser-apis.ts";
import type { UntoldSignal } from "./governor-view.ts";
import type { Signals } from "./signals.ts";
import { untoldHere } from "./untold.ts";
import { type IdleWatch, watchIdle } from "./watch-idle.ts";

/** How often the browser is to say how busy the machine is, milliseconds: the most often that its standard foresees. */
const PRESSURE_INTERVAL_MS = 1_000;

/** Networks that are usually paid by the amount, as the Network Information API calls them. */
const METERED: ReadonlySet<string> = new Set(["cellular", "bluetooth", "wimax"]);

/** What the browser says of the machine, all that does not come from our own counting. */
export type BrowserSignals = Omit<Signals, "minuteOfDay" | "monthBytes" | "isHot">;

export interface BrowserWatch {
  now(): BrowserSignals;
  readonly untold: readonly UntoldSignal[];
  /** The person may have allowed more than before. */
  askAgain(): void;
  stop(): void;
}

/** Watches everything that this browser tells. @param onChange `now` answers differently */
export function watchBrowser(onChange: () => void): BrowserWatch {
  return new Watch(onChange);
}

class Watch implements BrowserWatch {
  readonly #onChange: () => void;
  readonly #ended = new AbortController();
  readonly #untold: Set<UntoldSignal>;
  #idle: IdleWatch;
  #battery: BatteryLike | undefined;
  #pressure: Signals["pressure"];

  constructor(onChange: () => void) {
    const { signal } = this.#ended;
    this.#onChange = onChange;
    this.#untold = new Set(untoldHere());
    this.#idle = watchIdle(onChange);
    connectionHere()?.addEventListener("change", onChange, { signal });
    document.addEventListener(
      "visibilitychange",
      () => {
        // Pages that are not seen are told nothing of it, and what they knew grows old.
        this.#pressure = undefined;
        onChange();
      },
      { signal },
    );
    void this.#watchBattery(signal);
    void this.#watchPressure(signal);
  }

  now(): BrowserSignals {
    const connection = connectionHere();
    const type = connection?.type;
    const battery = this.#battery;
    return {
      isHidden: document.hidden,
      savesData: connection?.saveData === true,
      isInUse: this.#idle.isInUse,
      ...(this.#pressure === undefined ? {} : { pressure: this.#pressure }),
      ...(battery === undefined ? {} : { battery: { isCharging: battery.charging, level: battery.level } }),
      ...(type === undefined ? {} : { network: { isMetered: METERED.has(type) } }),
    };
  }

  get untold(): readonly UntoldSignal[] {
    return this.#idle.isWholeMachine
      ? [...this.#untold]
      : [...new Set<UntoldSignal>([...this.#untold, "idle"])];
  }

  askAgain(): void {
    if (this.#idle.isWholeMachine) return;
    this.#idle.stop();
    this.#idle = watchIdle(this.#onChange);
  }

  stop(): void {
    this.#ended.abort();
    this.#idle.stop();
  }

  async #watchBattery(signal: AbortSignal): Promise<void> {
    try {
      const battery = await batteryHere();
      if (battery === undefined || signal.aborted) return;
      this.#battery = battery;
      for (const type of ["chargingchange", "levelchange"])
        battery.addEventListener(type, this.#onChange, { signal });
      this.#onChange();
    } catch {
      // A frame may be denied it.
      this.#untold.add("battery");
    }
  }

  async #watchPressure(signal: AbortSignal): Promise<void> {
    const PressureObserver = pressureHere();
    if (PressureObserver === undefined) return;
    try {
      const observer = new PressureObserver((records) => {
        const state = records.at(-1)?.state;
        // A page that was just hidden hears the last word late.
        if (state === undefined || document.hidden) return;
        this.#pressure = state;
        this.#onChange();
      });
      await observer.observe("cpu", { sampleInterval: PRESSURE_INTERVAL_MS });
      if (signal.aborted) observer.disconnect();
      else signal.addEventListener("abort", () => observer.disconnect(), { once: true });
    } catch {
      // A frame may be denied it, and not every machine can be asked.
      this.#untold.add("pressure");
    }
  }
}
